"""Bylines in the lines near the headline: names after "By", or alone in the place of a byline."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.metadata.dates import date_in_line, without_dates
from pipeline.metadata.names import AUTHOR_LABEL, BY, BY_WORDS, is_full_name, is_name, is_person, names_of

# Only in so many lines below the headline may an author after "By" have a single word.
_NEAR = 5


def names_in_lines(lines: Sequence[str]) -> list[str]:
    """Names from a line near the headline with "By" and names, and at most a date and a place beside them."""
    for number, line in enumerate(lines):
        label = _LABEL_ALONE.fullmatch(line.strip())
        following = lines[number + 1] if number + 1 < len(lines) else ""
        whole = f"by {following}" if label and len(following) <= 60 else line
        found = _names_in_byline(whole, alone_allowed=number < _NEAR)
        if found:
            return found
    return []


_LABEL_ALONE = re.compile(rf"(?:{BY_WORDS}|{AUTHOR_LABEL})\s*:?", re.I)
_BYLINE_END = re.compile(
    r"\n|\s*[|•·●–—]|\s-\s|\s*\d|(?:\s*,)?\s+(?:in|from|aus|on|am|le|el|em)\s"
    r"|\s*\b(?:published|updated|posted|modified|last|photo|photos|image|foto|"
    r"mis à jour|publié|aktualisiert|veröffentlicht|stand|pubblicato|publicado|actualizado|"
    r"atualizado|gepubliceerd|опубликовано|опубліковано|monday|tuesday|wednesday|thursday|friday|"
    r"saturday|sunday)\b",
    re.I,
)


def _names_in_byline(line: str, *, alone_allowed: bool) -> list[str]:
    """Names after "By" in a line such as "April 26, 2025 | By Ida Brandt and dpa"; empty without "By"."""
    if len(line) > 140:
        return []
    for part in re.split(r"\n|\s*[|•·●]\s*", without_dates(line)):
        rest = BY.sub("", part, count=1)
        if rest == part or not rest or rest.endswith((".", ":", "?", "!")):
            continue
        rest = _BYLINE_END.split(f"{rest} ", maxsplit=1)[0].strip(" ,;:")
        if len(rest.split()) > 8:
            continue
        found = [n for n in names_of([rest]) if is_name(n)]
        if any(is_full_name(n) for n in found) or (alone_allowed and found == [rest]):
            return found
    return []


# Languages in which BY_WORDS has the words that introduce an author.
_LANGUAGES = frozenset(("en", "de", "fr", "es", "pt", "it", "nl", "pl", "ru", "uk"))


def names_by_place(lines: Sequence[str], language: str | None) -> list[str]:
    """Names from a line that has nothing else but a date, between the headline and the first paragraph.

    For languages whose word for "by" is not known. Elsewhere such lines are more often labels and sections.
    lines: the headline and the lines below it.
    """
    if language is None or language in _LANGUAGES:
        return []
    head = lines[: 1 + _MOST_BETWEEN]
    for number, line in enumerate(head[1:], 1):
        if len(line) > _LONGEST_ABOVE_TEXT:
            return []
        following = lines[number + 1] if number + 1 < len(lines) else ""
        parts = [part for part in re.split(r"\s*[|•·●\n]\s*", without_dates(line)) if part.strip()]
        is_placed = (
            len(following) > _LONGEST_ABOVE_TEXT
            or date_in_line(line) is not None
            or date_in_line(following) is not None
            or date_in_line(head[number - 1]) is not None
        )
        if not is_placed or len(parts) != 1 or not _NAMES_ALONE.fullmatch(parts[0].strip()):
            continue
        found = names_of(parts)
        if found and all(is_person(name) and is_name(name) for name in found):
            return found
    return []


_MOST_BETWEEN = 6
_LONGEST_ABOVE_TEXT = 100
# Two to four words that begin with capitals or are particles; two such names at most.
_CAPITALIZED = r"[^\W\d_a-zà-ÿ][\w.'’-]*"
_ONE_NAME = rf"{_CAPITALIZED}(?: (?:{_CAPITALIZED}|van|von|de|der|den|da|dos|di|bin|al|el)){{1,3}}"
_NAMES_ALONE = re.compile(rf"{_ONE_NAME}(?:(?:, | and | & | und | et | y | e | en | i ){_ONE_NAME})?")
