"""Applies phrase rules to whole lines, and to headings with what follows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.clean.lines import Line
from pipeline.clean.rules import Rule, RuleBook, RuleGroup, Scope

# A page with more date lines than this lists dates: a calendar, a live blog.
MAX_DATES = 3
# A line of more words is no teaser under a heading.
TEASER_WORDS = 25


def remove_phrases(lines: Iterable[Line], rules: RuleBook) -> None:
    """Whole lines that a rule names."""
    dates: list[Line] = []
    for line in lines:
        if line.rule is None and (rule := _matching(line, rules[Scope.LINE])):
            line.rule = rule.name
            if rule.family == "date":
                dates.append(line)
    if len(dates) > MAX_DATES:
        for line in dates:
            line.rule = None


def remove_sections(lines: Sequence[Line], rules: RuleBook) -> None:
    """Headings over comments, links and forms, with what is under them."""
    _remove_comments(lines, rules)
    for index, line in enumerate(lines):
        if line.rule is not None or not (rule := _matching(line, rules[Scope.SECTION])):
            continue
        under = _links_under(lines[index + 1 :])
        following = next((later for later in lines[index + 1 :] if later.rule is None), None)
        is_over_story = following is not None and following.is_story
        if under or not is_over_story or "links" in line.evidence:
            for removed in (line, *under):
                removed.remove(rule.name)


def _remove_comments(lines: Sequence[Line], rules: RuleBook) -> None:
    """A heading over readers' comments, with everything after it."""
    for index, line in enumerate(lines):
        if line.rule is None and "after story" in line.evidence:
            rule = _matching(line, rules[Scope.COMMENTS])
            if rule:
                for removed in lines[index:]:
                    removed.remove(rule.name)
                return


def _links_under(following: Iterable[Line]) -> list[Line]:
    under = []
    for line in following:
        if line.rule is None:
            is_teaser = "end" in line.evidence and not line.is_story and line.words <= TEASER_WORDS
            if not (is_teaser or "links" in line.evidence):
                break
            under.append(line)
    return under


def _matching(line: Line, groups: Iterable[RuleGroup]) -> Rule | None:
    """The first rule that matches the whole line."""
    for group in groups:
        seen = line.core if group.case else line.small_core
        if len(line.text) > group.max_chars or not seen:
            continue
        for rule in group.candidates(seen):
            if _applies(rule, line) and rule.pattern.fullmatch(seen):
                return rule
    return None


def _applies(rule: Rule, line: Line) -> bool:
    return (
        len(line.text) <= rule.max_chars
        and not (rule.no_stop and line.stops)
        and rule.has_evidence(line.evidence)
    )
