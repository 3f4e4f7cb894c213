"""Boilerplate removal over blocks: what is not the story goes, and says which rule took it.

Evidence comes first: the kind of a block, its links, its place on the page, its repetition.
Phrases come last, and are data (clutter.toml), each with a text that it must remove and one that
it must leave alone. A line that no rule is sure of stays: clutter left is a smaller fault than a
sentence of the story lost.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from typing import NamedTuple

from pipeline.document import Block, BlockKind, Extraction, Removed
from pipeline.settings import Settings
from pipeline.sites import SiteRules
from pipeline.text import AFTER_SENTENCE, EXCLAMATIONS, FULL_STOPS, ends_sentence, words, words_key

DEFAULT_MAX_CHARS = 240
# Rules for lines longer than this are few and kept apart.
LONG_CHARS = 330
# No rule that says what it holds looks at a whole line that is longer.
LONGEST_LINE = 500
# A site's own phrases are there to take lines out that general rules had better leave alone.
SITE_MAX_CHARS = 2000
# How much of a paragraph's end or start the inline rules look at.
INLINE_WINDOW = 200
# A paragraph of this many words that ends as a sentence does is taken for the story itself.
STORY_WORDS = 12
# Share of link text from which a line counts as links.
LINKED = 0.5
# A paragraph that is all link, this long and no sentence, is a teaser: on wcxb-dev such lines are not
# in the story in 166 of 225 cases, shorter ones or lists of links as often as not.
ALL_LINK = 0.95
LINK_WORDS = 4
# Where the last part of a page begins, as a share of its characters, and in lines from its end.
END_SHARE = 0.7
END_LINES = 5
# A heading over comments counts as one once this share of the page's characters lies before it.
COMMENTS_SHARE = 0.3
# A page with more date lines than this lists dates: a calendar, a live blog.
MAX_DATES = 3
# Fewer words repeat for many reasons: table cells, labels of a list of products.
DOUBLED_WORDS = 5
REPEATED_WORDS = 8
# A line that stands this often on a page, not in a row, is a promotion and no refrain.
REPEATS = 3

# One character for one, so that offsets in the folded text hold in the original.
_FOLD = {
    **dict.fromkeys("‘’‚‛′´`ʼ", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("\u00a0\u2009\u202f\u3000\t", " "),
    "İ": "I",  # the one letter whose lower case is two characters
    "：": ":",
    "｜": "|",
}
_FOLDED = re.compile(f"[{''.join(_FOLD)}]")
_LEADING = re.compile(r"^[^\w\"'©#@$£€<]+")
# What a line may end with beside letters and digits, as the rules see it.
_CLOSING = frozenset("_\"'?%)")
_BLANKS = re.compile(r"\s+")
# How a caption begins, and a label or an address does not.
_OPENING = re.compile(r"[\"'“„«‘‚]?(?![\d_])\w(?<![a-zß-öø-ÿа-яёєіїґ])")


class Scope(StrEnum):
    """What of a line a rule looks at, and takes; see clutter.toml."""

    LINE = "line"
    TAIL = "tail"
    HEAD = "head"
    SECTION = "section"
    COMMENTS = "comments"


@dataclass(frozen=True, slots=True)
class Rule:
    """One phrase rule of clutter.toml, or of a site.

    name: what `removed_text` shows. expression: the pattern's source. holds: every line that the pattern
    matches has one of these in it; nothing, where that is not known.
    """

    id: str
    name: str
    family: str
    scope: Scope
    expression: str
    case: bool
    max_chars: int
    no_stop: bool
    needs: frozenset[str]
    holds: tuple[str, ...]
    removes: str
    keeps: str

    @property
    def language(self) -> str:
        """The language the phrase is in, ISO 639-1, or "any"."""
        return self.id.partition(".")[0]

    @property
    def pattern(self) -> re.Pattern[str]:
        """Compiled on its first use: most rules are never asked by themselves, see `_Group`."""
        return _compiled(self.expression)


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


_Test = Callable[[str], object]


def _never(seen: str) -> None:
    """The test of no rules."""


class _Group(NamedTuple):
    """Rules of one scope and case behind two tests that most lines fail at once.

    max_chars: the longest line that any of them looks at. rules: in file order. any_of: finds a match where
    one of those rules may that do not say what they hold. holding: the others, each with what it says.
    """

    case: bool
    max_chars: int
    rules: tuple[Rule, ...]
    any_of: _Test
    holding: Sequence[tuple[Rule, Sequence[str]]]

    def candidates(self, seen: str, chars: int = 0) -> Sequence[Rule]:
        """The rules that may match what is seen of a line of so many characters; of most lines none.

        All patterns as one make a quick test, unless one of them begins with anything: that is tried from
        every place in the line. Such rules say what they hold, and are no part of it.
        """
        if self.any_of(seen):
            return self.rules
        if not self.holding:
            return ()
        found = []
        for rule, holds in self.holding:
            for held in holds:  # a loop: `any` of a generator takes three times as long
                if held in seen:
                    if chars <= rule.max_chars:
                        found.append(rule)
                    break
        return found


_Rulebook = Mapping[Scope, Sequence[_Group]]


def _group(scope: Scope, case: bool, rules: Sequence[Rule]) -> _Group:
    quick = [f"(?:{rule.expression})" for rule in rules if not rule.holds]
    return _Group(
        case=case,
        max_chars=max(rule.max_chars for rule in rules),
        rules=tuple(rules),
        any_of=_test(scope, "|".join(quick)) if quick else _never,
        holding=tuple((rule, rule.holds) for rule in rules if rule.holds),
    )


def _test(scope: Scope, any_of: str) -> _Test:
    if scope is Scope.HEAD:
        return re.compile(any_of).match
    if scope is Scope.TAIL:
        return _at_the_end(any_of).search
    return re.compile(rf"(?:{any_of})$").match


@cache
def phrase_rules() -> tuple[Rule, ...]:
    """The rules of clutter.toml, in file order."""
    data = tomllib.loads(resources.files("pipeline.clean").joinpath("clutter.toml").read_text("utf-8"))
    words: dict[str, str] = {}
    for name, pattern in data["words"].items():
        words[name] = _spell_out(pattern, words)
    return tuple(_rule(entry, words) for entry in data["rule"])


def compile_rules() -> None:
    """Compiles every rule of clutter.toml at once, in a process that its workers are forked from."""
    for rule in phrase_rules():
        _compiled(rule.expression)
        _rulebook(rule.language)
    _rulebook(None)


# English clutter stands on pages of every language.
_EVERYWHERE = frozenset({"any", "en"})


@cache
def _rulebook(language: str | None) -> _Rulebook:
    """The rules for a text in that language; all of them for a language that has none."""
    others = {rule.language for rule in phrase_rules()} - _EVERYWHERE
    own = others & {language} if language in others | _EVERYWHERE else others
    # Apart, so that those of every page are compiled once, and the others when a page needs them.
    everywhere, here = _rules_of(_EVERYWHERE), _rules_of(frozenset(own))
    return {scope: (*everywhere[scope], *here[scope]) for scope in Scope}


@cache
def _rules_of(languages: frozenset[str]) -> _Rulebook:
    groups: dict[tuple[Scope, bool, bool], list[Rule]] = {}
    for rule in phrase_rules():
        if rule.language in languages:
            # The few rules for long lines apart, so that paragraphs are spared all the others.
            key = (rule.scope, rule.case, rule.max_chars > LONG_CHARS)
            groups.setdefault(key, []).append(rule)
    return _grouped(groups)


def _on_page(book: _Rulebook, lines: Sequence[_Line]) -> _Rulebook:
    """The rulebook for the page: rules keep of what they hold what the page has, and most go that way."""
    whole = [line for line in lines if len(line.text) <= LONGEST_LINE]
    unfinished = "\n".join([line.small_core for line in whole if not line.stops])
    shown = "\n".join([line.small_core for line in whole])
    inline = "\n".join([line.small for line in lines])
    return {
        scope: [
            _on_lines(group, inline, inline)
            if scope in (Scope.HEAD, Scope.TAIL)
            else _on_lines(group, shown, unfinished)
            for group in groups
        ]
        for scope, groups in book.items()
    }


def _on_lines(group: _Group, shown: str, unfinished: str) -> _Group:
    """The group for lines of this text; unfinished: those of them that do not end as a sentence does."""
    if not group.holding:
        return group
    holding = []
    for rule, holds in group.holding:
        text = unfinished if rule.no_stop else shown
        here = [held for held in holds if held in text]
        if here:
            holding.append((rule, here))
    return _Group(group.case, group.max_chars, group.rules, group.any_of, holding)


def _grouped(groups: Mapping[tuple[Scope, bool, bool], Sequence[Rule]]) -> _Rulebook:
    book: dict[Scope, list[_Group]] = {scope: [] for scope in Scope}
    for (scope, case, _), rules in groups.items():
        book[scope].append(_group(scope, case, rules))
    return {scope: tuple(found) for scope, found in book.items()}


@lru_cache(maxsize=1024)
def _site_rulebook(site: SiteRules) -> _Rulebook:
    """A site's own phrases as rules."""
    groups: dict[tuple[Scope, bool, bool], list[Rule]] = {}
    for phrase in site.clutter:
        scope = Scope(phrase.scope)
        rule = Rule(
            id=phrase.text,
            name=site.rule_id("clutter", phrase.text),
            family="site",
            scope=scope,
            expression=_phrase_pattern(phrase.text, scope),
            case=False,
            max_chars=SITE_MAX_CHARS,
            no_stop=False,
            needs=frozenset(),
            holds=(),
            removes="",
            keeps="",
        )
        groups.setdefault((scope, False, True), []).append(rule)
    return _grouped(groups)


def _phrase_pattern(phrase: str, scope: Scope) -> str:
    """A phrase, in which `*` stands for any characters, as a pattern that is matched in linear time.

    Each stretch of words is taken where it is first found (atomic groups): if the phrase is in the line at
    all, it is found that way, and nothing is tried twice. The last stretch must end the line.
    """
    first, *later = (_folded(_BLANKS.sub(" ", part)).lower() for part in phrase.split("*"))
    # Of a whole line its core is seen, without what decorates it; a head and a tail are as they are written.
    ended = str.rstrip if scope is Scope.HEAD else _unclosed
    first = first.lstrip() if scope in (Scope.HEAD, Scope.TAIL) else _LEADING.sub("", first)
    if not later:
        return re.escape(ended(first))
    *middle, last = later
    last = ended(last)
    pattern = re.escape(first) + "".join(f"(?>.*?{re.escape(part)})" for part in middle if part)
    if not last:
        return f"{pattern}.*"
    return pattern + (f"(?>.*?{re.escape(last)})" if scope is Scope.HEAD else f".*{re.escape(last)}")


def _rule(entry: dict[str, object], words: dict[str, str]) -> Rule:
    needs, holds = entry.get("needs", ()), entry.get("holds", ())
    assert isinstance(needs, Iterable)
    assert isinstance(holds, Iterable)
    return Rule(
        id=str(entry["id"]),
        name=f"phrase.{entry['id']}",
        family=str(entry["family"]),
        scope=Scope(str(entry["scope"])),
        expression=_spell_out(str(entry["pattern"]), words),
        case=bool(entry.get("case", False)),
        max_chars=int(str(entry.get("max_chars", DEFAULT_MAX_CHARS))),
        no_stop=bool(entry.get("no_stop", False)),
        needs=frozenset(str(need) for need in needs),
        holds=tuple(str(held) for held in holds),
        removes=str(entry["removes"]),
        keeps=str(entry["keeps"]),
    )


def _spell_out(pattern: str, words: dict[str, str]) -> str:
    for name, spelled in words.items():
        pattern = pattern.replace(f"<{name}>", spelled)
    return pattern


@dataclass(slots=True)
class _Line:
    """A block on its way through the rules: what is left of it, and the evidence around it.

    core: the whole line as rules see it, without what decorates it; small, small_core: in lower case.
    """

    position: int
    block: Block
    text: str
    folded: str
    small: str
    core: str
    small_core: str
    key: str
    words: int
    stops: bool
    evidence: frozenset[str] = frozenset()
    rule: str | None = None

    @property
    def is_story(self) -> bool:
        return (
            self.words >= STORY_WORDS
            and self.stops
            and self.block.link_density < LINKED
            and self.block.kind is not BlockKind.CAPTION
        )


def clean(
    extraction: Extraction, settings: Settings, rules: SiteRules | None = None
) -> tuple[tuple[tuple[int, Block], ...], tuple[Removed, ...]]:
    """Kept blocks, each with its position in the extraction, and what was removed from them.

    Inline tails and heads are cut off their paragraphs; a block that is left empty goes.
    `extraction.removed` is not repeated in the result. rules: of the page's site; they come before the
    general ones, so a line that both would take is the site's.
    """
    del settings  # no general rule is adjustable yet; the signature is the stages' common one
    lines = [_line(position, block) for position, block in enumerate(extraction.blocks)]
    _gather_evidence(lines)
    own = _site_rulebook(rules) if rules is not None and rules.clutter else None
    left = lines
    if own:
        _drop_sections(lines, own)
        _drop_phrases(lines, own)
        left = [line for line in lines if line.rule is None]
    _drop_captions(left)
    _drop_links(left)
    _drop_title(left, extraction.title)
    book = _on_page(_rulebook(extraction.language), left)
    _drop_sections(left, book)
    _drop_phrases(left, book)
    _drop_doubles(left)
    removed = [Removed(line.position, line.text, line.rule) for line in lines if line.rule]
    kept: list[tuple[int, Block]] = []
    for line in lines:
        if line.rule is None:
            if own:
                removed.extend(_cut_inline(line, own))
            removed.extend(_cut_inline(line, book))
            if line.text:
                kept.append((line.position, _with_text(line.block, line.text)))
    return tuple(kept), tuple(sorted(removed, key=lambda r: r.position))


def _with_text(block: Block, text: str) -> Block:
    if text == block.text:
        return block
    return Block(block.kind, text, block.link_density, block.tokens, block.tags)


def _line(position: int, block: Block) -> _Line:
    text = " ".join(block.text.split())
    folded = _folded(text)
    small = folded.lower()
    found = words(text)
    end = len(_unclosed(folded))
    start = end - len(_undecorated(folded[:end]))
    return _Line(
        position=position,
        block=block,
        text=text,
        folded=folded,
        small=small,
        core=folded[start:end],
        small_core=small[start:end],
        key=" ".join(found),
        words=len(found),
        stops=_stops(folded),
    )


def _folded(text: str) -> str:
    """The text, whose blanks are single ones, in the spelling that rules are written in."""
    return text if text.isascii() else _FOLDED.sub(lambda match: _FOLD[match[0]], text)


def _stops(folded: str) -> bool:
    """Whether the line ends as a sentence does: with a stop, but no dots, or with what somebody said."""
    return ends_sentence(folded, FULL_STOPS + EXCLAMATIONS, ellipsis=False) or folded.endswith(_SAID)


_SAID = (',"', '."', '?"')


def _gather_evidence(lines: Sequence[_Line]) -> None:
    total = sum(len(line.text) for line in lines) or 1
    counts = Counter(line.key for line in lines)
    before, story_begun = 0, False
    for index, line in enumerate(lines):
        evidence = set()
        if line.block.link_density >= LINKED:
            evidence.add("links")
        if counts[line.key] > 1:
            evidence.add("repeated")
        if before >= END_SHARE * total:
            evidence.add("late")
        if before >= END_SHARE * total or index >= len(lines) - END_LINES:
            evidence.add("end")
        if before >= COMMENTS_SHARE * total and story_begun:
            evidence.add("after story")
        if not story_begun:
            evidence.add("start")
        if line.block.kind is BlockKind.HEADING:
            evidence.add("heading")
        line.evidence = frozenset(evidence)
        before += len(line.text)
        story_begun = story_begun or line.is_story


def _drop_captions(lines: Iterable[_Line]) -> None:
    for line in lines:
        # A table's caption is its heading, and as much of the story as the table.
        if line.block.kind is BlockKind.CAPTION and "caption" not in line.block.tags:
            line.rule = "structure.caption"


def _drop_links(lines: Iterable[_Line]) -> None:
    """Teasers between paragraphs: nothing but a link, or a link and the same words again as its title."""
    for line in lines:
        if not line.words:
            line.rule = line.rule or "structure.no-words"
        if line.rule is not None or line.block.link_density < LINKED - 0.1:
            continue
        half, odd = divmod(line.words, 2)
        found = line.key.split()
        twice = not odd and half >= LINK_WORDS and found[:half] == found[half:]
        only = line.block.kind is BlockKind.PARAGRAPH and line.block.link_density >= ALL_LINK
        if twice or (only and line.words >= LINK_WORDS and not line.stops):
            line.rule = "structure.link-line"


def _drop_title(lines: Sequence[_Line], title: str) -> None:
    """The headline again, on top of its own story."""
    key = words_key(title)
    for line in lines[:4]:
        if key and line.key == key and not line.stops:
            line.rule = "structure.title"
        elif line.is_story:
            break


def _drop_phrases(lines: Iterable[_Line], book: _Rulebook) -> None:
    dates: list[_Line] = []
    for line in lines:
        if line.rule is None and (rule := _phrase(line, book[Scope.LINE])):
            line.rule = rule.name
            if rule.family == "date":
                dates.append(line)
    if len(dates) > MAX_DATES:
        for line in dates:
            line.rule = None


def _phrase(line: _Line, groups: Iterable[_Group]) -> Rule | None:
    for group in groups:
        seen = line.core if group.case else line.small_core
        if len(line.text) > group.max_chars or not seen:
            continue
        for rule in group.candidates(seen, len(line.text)):
            if _applies(rule, line) and rule.pattern.fullmatch(seen):
                return rule
    return None


def _undecorated(folded: str) -> str:
    """The line without bullets, arrows and brackets before it."""
    return folded if folded[:1].isalnum() else _LEADING.sub("", folded)


def _unclosed(folded: str) -> str:
    """The line without its closing punctuation."""
    end = len(folded)
    while end and not ((last := folded[end - 1]).isalnum() or last in _CLOSING):
        end -= 1
    return folded[:end]


def _applies(rule: Rule, line: _Line) -> bool:
    return (
        len(line.text) <= rule.max_chars and not (rule.no_stop and line.stops) and _has_evidence(rule, line)
    )


def _drop_doubles(lines: Sequence[_Line]) -> None:
    """Lines that stand twice in a row, as alternative text and caption do, and promotions strewn in."""
    live = [line for line in lines if line.rule is None]
    counts = Counter(line.key for line in live)
    for first, second in pairwise(live):
        if (
            first.key != second.key
            or counts[first.key] != 2
            or first.words < DOUBLED_WORDS
            or first.block.kind is not BlockKind.PARAGRAPH
            or not _OPENING.match(first.text)
        ):
            continue
        # Without a full stop it is a caption and both go; a sentence is kept once.
        first.rule = None if second.stops else "structure.doubled-caption"
        second.rule = first.rule or "structure.doubled"
    for line in live:
        if (
            line.rule is None
            and counts[line.key] >= REPEATS
            and line.words >= REPEATED_WORDS
            and not line.text.endswith(":")
            and not line.key.replace(" ", "").isdigit()
            and line.block.kind is BlockKind.PARAGRAPH
        ):
            line.rule = "structure.repeated"


def _drop_sections(lines: Sequence[_Line], book: _Rulebook) -> None:
    """Headings over links, forms and comments, with what stands under them."""
    for index, line in enumerate(lines):
        if line.rule is None and "after story" in line.evidence:
            rule = _phrase(line, book[Scope.COMMENTS])
            if rule:
                _drop(lines[index:], rule.name)
                break
    for index, line in enumerate(lines):
        if line.rule is not None or not (rule := _phrase(line, book[Scope.SECTION])):
            continue
        under = _links_under(lines, index)
        follows = next((later for later in lines[index + 1 :] if later.rule is None), None)
        if under or follows is None or not follows.is_story or "links" in line.evidence:
            _drop([line, *under], rule.name)


def _links_under(lines: Sequence[_Line], index: int) -> list[_Line]:
    under = []
    for line in lines[index + 1 :]:
        if line.rule is None:
            teaser = "end" in line.evidence and not line.is_story and line.words <= 25
            if not (teaser or "links" in line.evidence):
                break
            under.append(line)
    return under


def _drop(lines: Iterable[_Line], rule: str) -> None:
    for line in lines:
        line.rule = line.rule or rule


def _cut_inline(line: _Line, book: _Rulebook) -> list[Removed]:
    """Cuts tails and heads off the line's text, shortening it; what was cut."""
    removed = []
    while cut := _tail(line, book[Scope.TAIL]) or _head(line, book[Scope.HEAD]):
        rule, start, end = cut
        removed.append(Removed(line.position, line.text[start:end].strip(), rule.name))
        kept = line.text[:start] + line.text[end:]
        line.folded = (line.folded[:start] + line.folded[end:]).strip()
        line.text = kept.strip()
    return removed


def _tail(line: _Line, groups: Iterable[_Group]) -> tuple[Rule, int, int] | None:
    start = max(0, len(line.text) - INLINE_WINDOW)
    for group in groups:
        window = line.folded[start:] if group.case else line.folded[start:].lower()
        for rule in group.candidates(window):
            one = _at_the_end(rule.expression).search(window)
            if one and start + one.start() > 0 and _has_evidence(rule, line):
                return rule, start + one.start(), len(line.text)
    return None


def _at_the_end(expression: str) -> re.Pattern[str]:
    return _compiled(rf"(?:{AFTER_SENTENCE}|(?<=:))\s*(?:{expression})\W*$")


def _head(line: _Line, groups: Iterable[_Group]) -> tuple[Rule, int, int] | None:
    for group in groups:
        window = line.folded[:INLINE_WINDOW] if group.case else line.folded[:INLINE_WINDOW].lower()
        for rule in group.candidates(window):
            one = rule.pattern.match(window)
            if one and one.end() < len(line.text) and _has_evidence(rule, line):
                return rule, 0, one.end()
    return None


def _has_evidence(rule: Rule, line: _Line) -> bool:
    return not rule.needs or bool(rule.needs & line.evidence)
