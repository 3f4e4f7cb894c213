"""Cuts clutter off the start and the end of a paragraph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pipeline.clean.lines import Line
from pipeline.clean.rules import Rule, RuleBook, RuleGroup, Scope, at_the_end
from pipeline.document import Removed

# How much of a paragraph's start or end the rules look at, in characters.
INLINE_WINDOW = 200


class _Cut(NamedTuple):
    rule: Rule
    start: int
    end: int


def cut_inline(line: Line, rules: RuleBook) -> list[Removed]:
    """Cuts tails and heads off the line's text, shortening it; returns what was cut."""
    removed = []
    while cut := _tail(line, rules[Scope.TAIL]) or _head(line, rules[Scope.HEAD]):
        removed.append(Removed(line.position, line.text[cut.start : cut.end].strip(), cut.rule.name))
        line.text = (line.text[: cut.start] + line.text[cut.end :]).strip()
        line.folded = (line.folded[: cut.start] + line.folded[cut.end :]).strip()
    return removed


def _tail(line: Line, groups: Iterable[RuleGroup]) -> _Cut | None:
    start = max(0, len(line.text) - INLINE_WINDOW)
    for group in groups:
        seen = _seen(line.folded[start:], group)
        for rule in group.candidates(seen):
            match = at_the_end(rule.expression).search(seen)
            if match and start + match.start() > 0 and rule.has_evidence(line.evidence):
                return _Cut(rule, start + match.start(), len(line.text))
    return None


def _head(line: Line, groups: Iterable[RuleGroup]) -> _Cut | None:
    for group in groups:
        seen = _seen(line.folded[:INLINE_WINDOW], group)
        for rule in group.candidates(seen):
            match = rule.pattern.match(seen)
            if match and match.end() < len(line.text) and rule.has_evidence(line.evidence):
                return _Cut(rule, 0, match.end())
    return None


def _seen(text: str, group: RuleGroup) -> str:
    return text if group.case else text.lower()
