"""The phrase rules of clutter.toml and of sites, compiled and ordered for a page's language.

Most lines match no rule. Two tests spare them the single patterns: the patterns of a group as one
alternation, and for patterns that begin with any text, which an alternation would try from every place in the
line, the words that a match must have in it (`pipeline.clean.literals`).
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources

from pipeline.clean.literals import Required, begins_with_any_text, narrowed, required_literals
from pipeline.clean.spelling import folded_phrase, without_closing, without_decoration
from pipeline.sites import SiteRules
from pipeline.text import AFTER_SENTENCE, ANY_CREDIT

DEFAULT_MAX_CHARS = 240
# Rules for lines longer than this are few and form groups of their own.
LONG_CHARS = 330
# A rule with more literals is tested by its pattern at once. docs/tuning.md: MOST_LITERALS
MOST_LITERALS = 16
# A site's own phrases are for lines that general rules had better leave alone.
SITE_MAX_CHARS = 2000


class Scope(StrEnum):
    """The part of a line that a rule looks at and removes; see clutter.toml."""

    LINE = "line"
    TAIL = "tail"
    HEAD = "head"
    SECTION = "section"
    COMMENTS = "comments"


@dataclass(frozen=True, slots=True)
class Rule:
    """One phrase rule, of clutter.toml or of a site. The fields are described in clutter.toml.

    name: what `removed_text` shows. expression: the pattern's source. removes, keeps: its examples.
    """

    id: str
    name: str
    family: str
    scope: Scope
    expression: str
    case: bool = False
    max_chars: int = DEFAULT_MAX_CHARS
    no_stop: bool = False
    needs: frozenset[str] = frozenset()
    removes: str = ""
    keeps: str = ""

    @property
    def language(self) -> str:
        """The language the phrase is in, ISO 639-1, or "any"."""
        return self.id.partition(".")[0]

    @property
    def pattern(self) -> re.Pattern[str]:
        """Compiled when it is first used, as most rules never are."""
        return compiled(self.expression)

    def has_evidence(self, evidence: frozenset[str]) -> bool:
        return not self.needs or bool(self.needs & evidence)


@lru_cache(maxsize=4096)
def compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules of one scope and case, in file order.

    max_chars: of the longest line that any of them looks at. finds_any: true where one of the rules without
    literals may match. literals: the other rules, each with what a match must have in it.
    """

    case: bool
    max_chars: int
    rules: tuple[Rule, ...]
    finds_any: Callable[[str], object]
    literals: Sequence[tuple[Rule, Required]]

    def candidates(self, seen: str) -> Sequence[Rule]:
        """The rules that may match what is seen of a line; mostly none."""
        if self.finds_any(seen):
            return self.rules
        return [rule for rule, required in self.literals if _may_match(required, seen)]

    def on_page(self, lines: Iterable[str]) -> RuleGroup:
        """The group for the lines of a page, in lower case: without the rules that match none of them."""
        longest = max((_longest_line(rule) for rule, _ in self.literals), default=0)
        text = "\n".join(line for line in lines if len(line) <= longest)
        on_page = [(rule, narrowed(required, text)) for rule, required in self.literals]
        return replace(self, literals=[(rule, required) for rule, required in on_page if required])


def _longest_line(rule: Rule) -> int:
    """Of heads and tails rules look at a window, in lines of any length."""
    return sys.maxsize if rule.scope in (Scope.HEAD, Scope.TAIL) else rule.max_chars


def _may_match(required: Required, seen: str) -> bool:
    for literals in required:
        for literal in literals:  # a loop, as `any` of a generator takes three times as long
            if literal in seen:
                break
        else:
            return False
    return True


RuleBook = Mapping[Scope, Sequence[RuleGroup]]


@cache
def phrase_rules() -> tuple[Rule, ...]:
    """The rules of clutter.toml, in file order."""
    data = tomllib.loads(resources.files("pipeline.clean").joinpath("clutter.toml").read_text("utf-8"))
    words = {"agency": f"(?:{ANY_CREDIT})"}
    for name, pattern in data["words"].items():
        words[name] = _spelled_out(pattern, words)
    return tuple(
        Rule(
            id=entry["id"],
            name=f"phrase.{entry['id']}",
            family=entry["family"],
            scope=Scope(entry["scope"]),
            expression=_spelled_out(entry["pattern"], words),
            case=entry.get("case", False),
            max_chars=entry.get("max_chars", DEFAULT_MAX_CHARS),
            no_stop=entry.get("no_stop", False),
            needs=frozenset(entry.get("needs", ())),
            removes=entry["removes"],
            keeps=entry["keeps"],
        )
        for entry in data["rule"]
    )


def _spelled_out(pattern: str, words: Mapping[str, str]) -> str:
    for name, expression in words.items():
        pattern = pattern.replace(f"<{name}>", expression)
    return pattern


def compile_rules() -> None:
    """Compiles every rule of clutter.toml, in a process that workers are forked from."""
    for rule in phrase_rules():
        compiled(rule.expression)
        rules_for(rule.language)
    rules_for(None)


# English clutter stands on pages of every language.
_EVERYWHERE = frozenset({"any", "en"})


@cache
def rules_for(language: str | None) -> RuleBook:
    """The rules for a text in that language; all rules for a language that has none of its own."""
    others = {rule.language for rule in phrase_rules()} - _EVERYWHERE
    own = others & {language} if language in others | _EVERYWHERE else others
    # Apart, so that those for every page are compiled once, and the others when a page needs them.
    everywhere, here = _rules_of(_EVERYWHERE), _rules_of(frozenset(own))
    # A rule of the language names a line better than an international one.
    return {scope: (*here[scope], *everywhere[scope]) for scope in Scope}


@cache
def _rules_of(languages: frozenset[str]) -> RuleBook:
    return _grouped(rule for rule in phrase_rules() if rule.language in languages)


@lru_cache(maxsize=1024)
def site_rules(site: SiteRules) -> RuleBook:
    """A site's own phrases as rules."""
    return _grouped(
        Rule(
            id=phrase.text,
            name=site.rule_id("clutter", phrase.text),
            family="site",
            scope=Scope(phrase.scope),
            expression=_phrase_pattern(phrase.text, Scope(phrase.scope)),
            max_chars=SITE_MAX_CHARS,
        )
        for phrase in site.clutter
    )


def on_page(book: RuleBook, lines: Sequence[str]) -> RuleBook:
    """The rules that may match one of a page's lines, in lower case."""
    return {scope: [group.on_page(lines) for group in groups] for scope, groups in book.items()}


def _grouped(rules: Iterable[Rule]) -> RuleBook:
    groups: dict[tuple[Scope, bool, bool], list[Rule]] = {}
    for rule in rules:
        groups.setdefault((rule.scope, rule.case, rule.max_chars > LONG_CHARS), []).append(rule)
    book: dict[Scope, list[RuleGroup]] = {scope: [] for scope in Scope}
    for (scope, case, _), members in groups.items():
        book[scope].append(_group(scope, case, tuple(members)))
    return book


def _group(scope: Scope, case: bool, rules: tuple[Rule, ...]) -> RuleGroup:
    literals = [(rule, _literals(rule)) for rule in rules]
    quick = "|".join(f"(?:{rule.expression})" for rule, found in literals if not found)
    return RuleGroup(
        case=case,
        max_chars=max(rule.max_chars for rule in rules),
        rules=rules,
        finds_any=_alternation(scope, quick) if quick else _finds_nothing,
        literals=[(rule, found) for rule, found in literals if found],
    )


def _literals(rule: Rule) -> Required:
    """What every match must have in it; nothing for a rule that is tested by its pattern at once."""
    is_slow = not rule.case and (rule.scope is Scope.TAIL or begins_with_any_text(rule.expression))
    required = required_literals(rule.expression) if is_slow else ()
    return required if sum(map(len, required)) <= MOST_LITERALS else ()


def _alternation(scope: Scope, expression: str) -> Callable[[str], object]:
    if scope is Scope.HEAD:
        return re.compile(expression).match
    if scope is Scope.TAIL:
        return at_the_end(expression).search
    return re.compile(rf"(?:{expression})$").match


def _finds_nothing(seen: str) -> None:
    """The test of a group in which every rule has literals."""


def at_the_end(expression: str) -> re.Pattern[str]:
    """The pattern of a tail: after a finished sentence, and before nothing but closing punctuation."""
    return compiled(rf"(?:{AFTER_SENTENCE}|(?<=:))\s*(?:{expression})\W*$")


def _phrase_pattern(phrase: str, scope: Scope) -> str:
    """A site's phrase, in which `*` stands for any characters, as a pattern that takes linear time.

    Each part is taken where it is first found (atomic groups): if the phrase is in the line at all, it is
    found that way, and nothing is tried twice. The last part must end the line.
    """
    first, *later = (folded_phrase(part) for part in phrase.split("*"))
    # Lines are seen without what decorates them; heads and tails as they are written.
    ended = str.rstrip if scope is Scope.HEAD else without_closing
    first = first.lstrip() if scope in (Scope.HEAD, Scope.TAIL) else without_decoration(first)
    if not later:
        return re.escape(ended(first))
    *middle, last = later
    last = ended(last)
    pattern = re.escape(first) + "".join(f"(?>.*?{re.escape(part)})" for part in middle if part)
    if not last:
        return f"{pattern}.*"
    return pattern + (f"(?>.*?{re.escape(last)})" if scope is Scope.HEAD else f".*{re.escape(last)}")
