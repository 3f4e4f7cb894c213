"""Cuts clutter off the start and the end of a paragraph, and what screen readers say of links out of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.clean.lines import Line
from pipeline.clean.rules import Rule, RuleBook, RuleGroup, Scope, at_the_end
from pipeline.document import Removed

# How much of a paragraph's start and end the rules look at, in characters.
HEAD_WINDOW, TAIL_WINDOW = 200, 500
# docs/tuning.md: Calls to read elsewhere
# In a quotation, a tail of so many words is what somebody said.
_SENTENCE_WORDS = 4


# What screen readers are told of a link: that it opens elsewhere. It stands in parentheses or after a comma.
_ELSEWHERE = (
    "new tab|new window|neuen fenster|neuen tab|neues fenster|nouvelle fenêtre|nouvel onglet|nueva ventana"
    "|nueva pestaña|nova janela|nova aba|nuova finestra|nuova scheda|nieuw venster|nieuw tabblad|nowym oknie"
    "|nowej karcie|новом окне|новой вкладке|новому вікні|новій вкладці"
)
_OPENS = (
    "opens?|opening|öffnet(?: sich)?|wird|s'ouvre|ouvre|ouvrir|se abre|abre|abrir|si apre|apre|opent"
    "|otwiera się|otworzy się|откроется|открывается|відкриється|відкривається"
)
_ANY_ELSEWHERE = _ELSEWHERE.split("|")
_LINK_NOTE = re.compile(
    rf" ?\((?:external link|externer link|lien externe|enlace externo)?[,;:-]? ?"
    rf"(?:{_OPENS})[^()]{{0,24}}(?:{_ELSEWHERE})[^()]{{0,16}}\)"
    rf"|, (?:{_OPENS}) (?:in )?(?:a |an )?(?:new tab|new window)(?: or (?:tab|window))?",
    re.IGNORECASE,
)


class _Cut(NamedTuple):
    rule: Rule
    start: int
    end: int


def cut_inline(line: Line, rules: RuleBook) -> list[Removed]:
    """Cuts tails and heads off the line's text, shortening it; returns what was cut."""
    removed = _without_link_notes(line)
    while cut := _tail(line, rules[Scope.TAIL]) or _head(line, rules[Scope.HEAD]):
        removed.append(Removed(line.position, line.text[cut.start : cut.end].strip(), cut.rule.name))
        line.text = (line.text[: cut.start] + line.text[cut.end :]).strip()
        line.folded = (line.folded[: cut.start] + line.folded[cut.end :]).strip()
    return removed


def _without_link_notes(line: Line) -> list[Removed]:
    small = line.folded.lower()
    if not any(words in small for words in _ANY_ELSEWHERE):
        return []
    notes = list(_LINK_NOTE.finditer(line.folded))
    removed = [
        Removed(line.position, line.text[n.start() : n.end()].strip(), "structure.hidden") for n in notes
    ]
    for note in reversed(notes):
        line.text = line.text[: note.start()] + line.text[note.end() :]
        line.folded = line.folded[: note.start()] + line.folded[note.end() :]
    line.text, line.folded = line.text.strip(), line.folded.strip()
    return removed


def _tail(line: Line, groups: Iterable[RuleGroup]) -> _Cut | None:
    start = max(0, len(line.text) - TAIL_WINDOW)
    for group in groups:
        seen = _seen(line.folded[start:], group)
        for rule in group.candidates(seen):
            match = at_the_end(rule.expression).search(seen)
            if match and start + match.start() > 0 and rule.has_evidence(line.evidence):
                cut = _Cut(rule, start + match.start(), len(line.text))
                if not _is_quoted(line.folded, cut.start):
                    return cut
    return None


def _head(line: Line, groups: Iterable[RuleGroup]) -> _Cut | None:
    for group in groups:
        seen = _seen(line.folded[:HEAD_WINDOW], group)
        for rule in group.candidates(seen):
            match = rule.pattern.match(seen)
            if match and match.end() < len(line.text) and rule.has_evidence(line.evidence):
                return _Cut(rule, 0, match.end())
    return None


def _is_quoted(text: str, start: int) -> bool:
    """Whether a sentence at the end of the text is part of a quotation that begins before it."""
    return text.count('"', 0, start) % 2 == 1 and len(text[start:].split()) >= _SENTENCE_WORDS


def _seen(text: str, group: RuleGroup) -> str:
    return text if group.case else text.lower()
