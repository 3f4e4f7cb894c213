"""Finds regular expressions whose time grows faster than the length of a text.

    python -m tests.patterns             every expression that does, with the text that shows it
    python -m tests.patterns --record    also writes those to tests/quadratic_patterns.txt, and which were
                                         attacked to tests/attacked_patterns.txt

All expressions are collected that our modules compile while they are imported and while a page and a text
are processed, so those of clutter.toml and other data are among them. Each is attacked: for every repetition
in it, texts are made that repeat what it repeats, after what comes before it, and that end so that the match
fails. The number of repetitions is doubled until the search takes a measurable time. If one doubling then
takes three times as long or more, time grows with the square of the length or worse. Only ratios of processor
times of one run decide.

The search takes half a minute, and its result depends on the expression, on this module and on Python alone.
So the test attacks what tests/attacked_patterns.txt does not list: expressions that are new or changed, and
all of them after a change of this module or with a different Python.
"""

from __future__ import annotations

import hashlib
import re
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

PACKAGES = ("copydesk", "crawler", "pipeline", "storage")
# Repetitions of an attack: from, and to the length of a text that is read at once.
FIRST, LAST = 32, 4096
# The rules of clutter.toml are matched with lines of at most 330 characters, and are many.
RULES = "pipeline.clean.rules"
LAST_OF_RULES = 512
# A search that takes less cannot be compared with another.
MEASURABLE_SECONDS = 0.008
# If twice the text takes so many times as long, time is not linear. Quadratic time takes four times as long.
NOT_LINEAR = 3.0
# Cubic time takes eight times as long.
NOT_QUADRATIC = 6.0
NOT_CUBIC = 12.0
ENDLESS_SECONDS = 2.0
# Expressions that are known to take quadratic time if they are searched for. Most are only matched at the
# start of a text, or run over titles, names and lines. The list may become shorter, and not longer.
KNOWN = Path(__file__).with_name("quadratic_patterns.txt")
# What the attacks on each expression found, by the attacks of this module.
ATTACKED = Path(__file__).with_name("attacked_patterns.txt")
_MANY = 8


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression, and the module that compiled it."""

    module: str
    pattern: str | bytes
    flags: int

    @property
    def name(self) -> str:
        """Its digest and its module, for the list of those that are known."""
        written = self.pattern if isinstance(self.pattern, bytes) else self.pattern.encode()
        return f"{hashlib.sha256(written).hexdigest()[:16]} {self.module}"

    @property
    def digest(self) -> str:
        """Of all that decides what attacks on it find, this module and Python aside."""
        decides = repr((self.pattern, self.flags, self.module == RULES))
        return hashlib.sha256(decides.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Runaway:
    """An expression with the text that shows it. ratio: of times for twice the repetitions; 0 for no end."""

    expression: Expression
    attack: str
    ratio: float

    @property
    def is_quadratic(self) -> bool:
        return NOT_LINEAR <= self.ratio < NOT_QUADRATIC

    @property
    def is_harmless(self) -> bool:
        """True for a rule that takes cubic time or less: its lines are short, so that is milliseconds."""
        return self.expression.module == RULES and 0 < self.ratio < NOT_CUBIC


def collect() -> list[Expression]:
    """Every expression that our modules compile. To be called before any of them is imported."""
    found: dict[tuple[str | bytes, int], Expression] = {}
    compile_plain = re.compile

    def note(pattern: Any, flags: Any = 0) -> Any:
        module = sys._getframe(1).f_globals.get("__name__", "")
        if isinstance(pattern, str | bytes) and module.partition(".")[0] in PACKAGES:
            found.setdefault((pattern, int(flags)), Expression(module, pattern, int(flags)))
        return compile_plain(pattern, flags)

    re.compile = note
    try:
        _use_everything()
    finally:
        re.compile = compile_plain
    return list(found.values())


def _use_everything() -> None:
    import importlib
    import pkgutil

    for package in PACKAGES:
        for module in pkgutil.walk_packages([package], f"{package}."):
            if "__main__" not in module.name and ".migrations" not in module.name:
                importlib.import_module(module.name)
    from pipeline.clean.rules import phrase_rules
    from pipeline.settings import Settings
    from tests import known_pages

    for rule in phrase_rules():
        _ = rule.pattern  # compiled when it is first used
    process = importlib.import_module("pipeline.process").process_document
    for known in (*islice(known_pages.written_articles(), 10), *islice(known_pages.copied_texts(), 2)):
        process(known.source, Settings())


def runaway(expression: Expression) -> Runaway | None:
    """The first attack for which the expression is not linear."""
    compiled = re.compile(expression.pattern, expression.flags)
    is_text = isinstance(expression.pattern, str)
    for prefix, pump, suffix in attacks(expression):
        last = LAST_OF_RULES if expression.module == RULES else LAST
        ratio = _ratio(compiled, prefix, pump, suffix, is_text, last)
        if ratio is not None:
            return Runaway(expression, f"{prefix!r} + {pump!r} * n + {suffix!r}", ratio)
    return None


def attacked() -> dict[str, bool]:
    """Expressions that need no attack, by their digest: whether attacks took quadratic time.

    Empty if this module or Python has changed since.
    """
    by, *lines = ATTACKED.read_text().splitlines()
    if by != _attacker():
        return {}
    return {line.partition(" ")[0]: line.endswith(" quadratic") for line in lines}


def _attacker() -> str:
    """What attacks: this module, and the expressions of this Python."""
    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    return f"{code} Python {sys.version_info.major}.{sys.version_info.minor}"


def attacks(expression: Expression) -> list[tuple[str, str, str]]:
    """(before, repeated, after) of texts on which the expression may take long."""
    tree = parser.parse(expression.pattern, expression.flags)
    found: dict[tuple[str, str, str], None] = {}
    for prefix, body in _repetitions(list(tree), ""):
        for pump in _samples(body):
            if pump:
                for before in dict.fromkeys((prefix, "")):
                    for after in ("", "\0x"):
                        found[before, pump, after] = None
    return list(found)


def _ratio(
    compiled: re.Pattern[Any], prefix: str, pump: str, suffix: str, is_text: bool, last: int
) -> float | None:
    longest = FIRST
    while 2 * longest * len(pump) <= last:
        longest *= 2
    if longest * len(pump) > last:
        return None
    # Most expressions are quick on the longest text, and so on all shorter ones.
    spent = _seconds(compiled, _attack(prefix, pump, longest, suffix, is_text), 4 * MEASURABLE_SECONDS)
    if spent is not None and spent < MEASURABLE_SECONDS:
        return None
    before = 0.0
    count = FIRST
    while count <= longest:
        attack = _attack(prefix, pump, count, suffix, is_text)
        spent = _seconds(compiled, attack)
        if spent is None:
            return 0.0
        if before > MEASURABLE_SECONDS / 4 and spent > MEASURABLE_SECONDS:
            ratio = spent / before
            if ratio < NOT_LINEAR:
                return None
            # Once more, lest something else was measured.
            half = _seconds(compiled, _attack(prefix, pump, count // 2, suffix, is_text))
            whole = _seconds(compiled, attack)
            ratio = min(ratio, (whole or ENDLESS_SECONDS) / (half or ENDLESS_SECONDS))
            return ratio if ratio >= NOT_LINEAR else None
        before = spent
        count *= 2
    return None


def _attack(prefix: str, pump: str, count: int, suffix: str, is_text: bool) -> str | bytes:
    attack = prefix + pump * count + suffix
    return attack if is_text else attack.encode("utf-8", "replace")


def _seconds(compiled: re.Pattern[Any], attack: Any, limit: float | None = None) -> float | None:
    """The processor time of a search, the least of three where it is short; None for one without an end."""

    def stop(*_: object) -> None:
        raise TimeoutError

    def once() -> float:
        began = time.thread_time()
        compiled.search(attack)
        return time.thread_time() - began

    previous = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit or ENDLESS_SECONDS)
    try:
        first = once()
        return first if first < MEASURABLE_SECONDS / 4 or first > 1 else min(first, once(), once())
    except TimeoutError:
        return None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)


# The tree of an expression, as `re` parses it.


def _repetitions(items: Iterable[Any], prefix: str) -> Iterator[tuple[str, list[Any]]]:
    """What comes before each repetition, as a text, and what it repeats."""
    for operation, argument in items:
        for inner in _inner(operation, argument):
            yield from _repetitions(inner, prefix)
        if operation in (codes.MAX_REPEAT, codes.MIN_REPEAT) and argument[1] >= _MANY:
            yield prefix, list(argument[2])
        prefix += next(iter(_samples([(operation, argument)])), "")


def _inner(operation: Any, argument: Any) -> list[list[Any]]:
    if operation in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        return [list(argument[2])]
    if operation is codes.SUBPATTERN:
        return [list(argument[3])]
    if operation is codes.ATOMIC_GROUP:
        return [list(argument)]
    if operation is codes.BRANCH:
        return [list(branch) for branch in argument[1]]
    if operation in (codes.ASSERT, codes.ASSERT_NOT):
        return [list(argument[1])]
    return []


def _samples(items: Iterable[Any]) -> list[str]:
    """Some texts that match, the simplest first."""
    found = [""]
    for operation, argument in items:
        pieces = _samples_of(operation, argument)
        found = list(dict.fromkeys(text + piece for piece in pieces[:4] for text in found[:4]))[:6]
    return found


def _samples_of(operation: Any, argument: Any) -> list[str]:
    if operation is codes.LITERAL:
        return [chr(argument)]
    if operation is codes.NOT_LITERAL:
        return ["a" if argument != ord("a") else "b", " "]
    if operation is codes.ANY:
        return ["a", " "]
    if operation is codes.IN:
        return _of_class(argument)
    if operation in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        least, _, body = argument
        some = [text * max(1, min(least, 60)) for text in _samples(body)]
        return [*some, ""] if least == 0 else some
    if operation is codes.BRANCH:
        return [text for branch in argument[1] for text in _samples(branch)[:2]]
    inner = _inner(operation, argument)
    if operation in (codes.SUBPATTERN, codes.ATOMIC_GROUP):
        return _samples(inner[0])
    return [""]


_BY_CATEGORY = {
    codes.CATEGORY_DIGIT: "1",
    codes.CATEGORY_SPACE: " \n",
    codes.CATEGORY_WORD: "a1\u00e9",
    codes.CATEGORY_NOT_DIGIT: "a ",
    codes.CATEGORY_NOT_SPACE: "a.",
    codes.CATEGORY_NOT_WORD: " .\u0301",
}


def _of_class(items: list[Any]) -> list[str]:
    """Some characters of a class."""
    if items[0][0] is codes.NEGATE:
        excluded = "".join(_of_class(items[1:])) if len(items) > 1 else ""
        test = re.compile("[" + "".join(map(re.escape, excluded)) + "]") if excluded else None
        return [char for char in 'a 1.-"<\u00e9' if test is None or not test.match(char)] or ["\u4e00"]
    found: list[str] = []
    for operation, argument in items:
        if operation is codes.LITERAL:
            found.append(chr(argument))
        elif operation is codes.RANGE:
            found += [chr(argument[0]), chr((argument[0] + argument[1]) // 2)]
        elif operation is codes.CATEGORY:
            found += _BY_CATEGORY.get(argument, "a")
    return list(dict.fromkeys(found))


def known() -> set[str]:
    """The names of the expressions that are known to take quadratic time."""
    return set(KNOWN.read_text().splitlines())


def main() -> None:
    """Print every expression that runs away; with `--record`, pin the quadratic ones."""
    expressions = collect()
    quadratic, sound = [], []
    for expression in expressions:
        if found := runaway(expression):
            shown = str(expression.pattern)[:300].replace("\n", " ")
            print(f"{expression.name}: x{found.ratio:.1f} on {found.attack[:200]}\n    {shown}", flush=True)
            if found.is_quadratic and not found.is_harmless:
                quadratic.append(expression.name)
                sound.append(f"{expression.digest} quadratic")
        if found is None or found.is_harmless:
            sound.append(expression.digest)
    print(f"{len(expressions)} expressions, {len(quadratic)} of them quadratic", flush=True)
    if "--record" in sys.argv:
        KNOWN.write_text("\n".join(sorted(quadratic)) + "\n")
        ATTACKED.write_text("\n".join([_attacker(), *sorted(set(sound))]) + "\n")


if __name__ == "__main__":
    main()
