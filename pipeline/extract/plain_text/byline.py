"""Date and authors of copied text, and the lines of a masthead that are told by their form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from pipeline.extract.plain_text.paragraphs import Paragraph
from pipeline.metadata import StatedTime, parse_time

_MONTH = r"[^\W\d_]{3,12}\.?"
_DAY = (
    rf"(?:{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|\.)? (?:de |d['’])?{_MONTH},?(?: de)? \d{{4}}"
    r"|\d{4}-\d\d-\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}年\d{1,2}月\d{1,2}日)"
)
_CLOCK = r"\d{1,2}[:.h]\d\d(?::\d\d)?(?: ?[ap]\.?m\.?)?(?: ?\(?[A-Z]{2,4}\)?)?"
_DATE_LINE = re.compile(
    rf"(?:[^\W\d_]{{2,14}},? )?{_DAY}(?:[ ,|/·–—-]*(?:at |um |à |a las )?{_CLOCK})?(?: Uhr)?", re.I
)
_STAMP = re.compile(
    r"(?:(?:first |originally |last )?(?:published|updated|posted|modified)|veröffentlicht|aktualisiert|"
    r"publié|mis à jour|publicad[oa]|actualizad[oa]|atualizad[oa]|pubblicato|aggiornato|"
    r"gepubliceerd|opublikowano|опубликовано|обновлено|опубліковано|оновлено)"
    rf"(?: on| am| le| el| em| il| op)?\s*[:|]?\s*(?P<date>(?:[^\W\d_]{{2,14}},? )?{_DAY}.{{0,30}})",
    re.I,
)
_BYLINE_STAMP = re.compile(rf"(?P<by>[^|]{{2,60}}?)\s*\|\s*(?P<date>{_DAY}(?:[ ,|]+{_CLOCK})?)", re.I)
_BREADCRUMB = re.compile(r"\S+(?: ?[>›»/|→] ?\S[^>›»/|→]{0,40}){2,}$")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+\.\S+")
_BYLINE = re.compile(r"(?:By|Von|Par|Por|Di|Door|Автор)\b:?\s+(?=[^\W\d_a-zа-я])")
_NAME = r"[A-Z][\w.'’-]+(?: [A-Z][\w.'’-]+){1,3}"
_AUTHORS = re.compile(rf"By:? (?P<names>{_NAME}(?:(?:, and |, | and ){_NAME})*)(?:\s*[,|].{{0,60}})?")


def is_masthead_line(text: str) -> bool:
    """Whether the line is a date, a breadcrumb trail, an address or a byline, by its form."""
    return bool(
        _DATE_LINE.fullmatch(text)
        or _STAMP.match(text)
        or _BYLINE_STAMP.fullmatch(text)
        or _BREADCRUMB.fullmatch(text)
        or _ADDRESS.fullmatch(text)
        or _BYLINE.match(text)
    )


def published_in(head: Iterable[Paragraph], fetched_at: datetime) -> StatedTime | None:
    """When the text says it was published: a labelled date, or one beside the byline.

    head: the lines below the headline. fetched_at: aware UTC; no date found is later. A bare date does not
    count: mastheads carry the day of the visit.
    """
    for paragraph in head:
        match = _STAMP.match(paragraph.text) or _BYLINE_STAMP.fullmatch(paragraph.text)
        if match:
            stated = match.group("date")
            day = re.search(_DAY, stated)
            found = parse_time(stated, fetched_at) or (day and parse_time(day.group(), fetched_at))
            if found:
                return found
    return None


def authors_in(head: Iterable[Paragraph]) -> tuple[str, ...]:
    """The names in a byline of its own, if there is one below the headline."""
    for paragraph in head:
        match = _AUTHORS.fullmatch(paragraph.text)
        if match:
            return tuple(re.split(r", and |, | and ", match.group("names")))
    return ()
