"""Date of publication as the page states it, with the stated time zone.

Machine-readable statements come first, in order of trust, then the date in the page's URL, then visible
dates. Among visible dates a line that has only a date comes before a sentence that mentions a day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any
from urllib.parse import unquote, urlsplit

from lxml import etree

from pipeline.metadata.structured_data import StructuredData, cleaned, text_of


@dataclass(frozen=True, slots=True)
class StatedTime:
    """A time as it was stated.

    at: aware UTC. A day without a time of day is its midnight; a time without a zone is read as UTC.
    offset: the stated zone in minutes east of UTC; 0 for UTC itself, None if no zone is stated.
    has_clock: a time of day is stated.
    """

    at: datetime
    offset: int | None
    has_clock: bool

    @property
    def wall(self) -> datetime:
        """Date and time of day as printed: `at` in the stated zone."""
        return self.at + timedelta(minutes=self.offset or 0)


def parse_date(text: str, fetched_at: datetime) -> datetime | None:
    """A stated date as aware UTC; None if it is not a date, before 1970 or after `fetched_at`."""
    stamp = parse_time(text, fetched_at)
    return stamp.at if stamp else None


def parse_time(text: str, fetched_at: datetime, *, far_east: bool = False) -> StatedTime | None:
    """As `parse_date`, with the stated time zone.

    far_east: a time without a zone may be local time up to 14 hours ahead of UTC. If it is after
    `fetched_at`, it becomes `fetched_at`.
    """
    stamp = _stamp(text)
    # Clocks differ by minutes, and pages may be fetched in the minute of their publication.
    late = _FURTHEST_EAST if far_east and stamp and stamp.offset is None else timedelta(minutes=5)
    if stamp is None or not _EARLIEST <= stamp.at <= fetched_at + late:
        return None
    return stamp if stamp.at <= fetched_at else replace(stamp, at=fetched_at)


_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_FURTHEST_EAST = timedelta(hours=14)

# Minutes east of UTC. If several zones share an abbreviation, it is the one that news pages use.
_ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "BST": 60, "CET": 60, "CEST": 120, "MEZ": 60, "MESZ": 120, "EET": 120,
    "EEST": 180, "MSK": 180, "IST": 330, "WIB": 420, "JST": 540, "KST": 540, "AEST": 600, "AEDT": 660,
    "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420,
}  # fmt: skip
_ZONE = (
    r"(?:(?:GMT|UTC)?[+-]\d{1,2}:?\d{2}|(?:GMT|UTC)?[+-]\d{1,2}(?!\d)"
    rf"|(?-i:{'|'.join(_ZONES)}|z)(?![^\W\d_]))"
)
_LOOSE_ISO = re.compile(
    r"\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?(?:\s*([ap])\.?m\b)?)?"
    rf"\s*({_ZONE})?",
    re.I,
)
_CLOCK = re.compile(
    r"(?<![\d:.])([01]?\d|2[0-3])[:h]([0-5]\d)(?::([0-5]\d)(?:[.,]\d+)?)?(?![\d:])(?:\s*([ap])\.?m\b\.?)?"
    rf"\s*({_ZONE})?",
    re.I,
)


def _stamp(text: str) -> StatedTime | None:
    """Parses a machine-readable time stamp, or else a date written for readers; None if it is neither."""
    text = text.strip()
    if match := _LOOSE_ISO.match(text):
        year, month, day, *clock, zone = match.groups()
        return _made((year, month, day), clock, zone)
    if re.fullmatch(r"\d{10}|\d{13}", text):
        return StatedTime(datetime.fromtimestamp(int(text[:10]), UTC), None, has_clock=True)
    if re.fullmatch(r"\d{8}", text):
        return _made((text[:4], text[4:6], text[6:]), None, None)
    return _written(text)


def _written(text: str) -> StatedTime | None:
    """Parses a date written for readers, with the time of day and the zone if they are given."""
    if not _FIGURES.search(text):
        return None
    match = _CLOCK.search(text)
    day = date_in_line(f"{text[: match.start()]} {text[match.end() :]}" if match else text)
    if day is None:
        return None
    *clock, zone = match.groups() if match else (None, None)
    return _made(day.split("-"), clock if match else None, zone)


def _made(day: Sequence[str], clock: Sequence[str | None] | None, zone: str | None) -> StatedTime | None:
    hour, minute, second, half = clock or (None, None, None, None)
    hours = int(hour or 0)
    if half and hours <= 12:
        hours = hours % 12 + 12 * (half.lower() == "p")
    try:
        wall = datetime(
            int(day[0]), int(day[1]), int(day[2]), hours, int(minute or 0), int(second or 0), tzinfo=UTC
        )
        offset = _offset(zone) if hour else None
        return StatedTime(wall - timedelta(minutes=offset or 0), offset, has_clock=hour is not None)
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> int | None:
    """Minutes east of UTC; None if there is no such zone."""
    if not zone:
        return None
    if zone.upper() in _ZONES:
        return _ZONES[zone.upper()]
    sign, digits = re.sub(r"[^+-]", "", zone), re.sub(r"\D", "", zone)
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    if hours > 15 or minutes > 59:
        return None
    return (60 * hours + minutes) * (-1 if sign == "-" else 1)


# --- stated dates ----------------------------------------------------------------------------------

_PUBLISHED_METAS = (
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "datepublished",
    "date.published",
    "parsely-pub-date",
    "sailthru.date",
    "cxenseparse:recs:publishtime",
    "article.published",
    "published-date",
    "publish-date",
    "publication_date",
    "pubdate",
    "publishdate",
    "dc.date.issued",
    "dcterms.created",
    "dc.date",
    "dcterms.date",
    "date",
)
_PUBLISHED_PARTS = ("publi", "date", "created")
_PUBLISHED_NAME = re.compile(r"publish|publication|(?:^|[-_.:])date$|created")
_MODIFIED_NAME = re.compile(r"modif|updat|revis|expir|online")
_URL_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[/_\-.]?(0[1-9]|1[0-2])[/_\-.]?(0[1-9]|[12]\d|3[01])(?!\d)")
_URL_WRITTEN = re.compile(r"/((?:19|20)\d\d)/([a-z]{3,9})/(0?[1-9]|[12]\d|3[01])(?!\d)", re.I)
# A story number that begins with the minute in which the story was created, as in URLs of Korean outlets.
_URL_SERIAL = re.compile(
    r"(?<!\d)(20[0-3]\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d\d{2,}"
)

_Found = tuple[StatedTime, str]


def publication_time(
    root: Any,
    data: StructuredData,
    url: str,
    fetched_at: datetime,
    titles: Iterable[str],
    lines: Sequence[str],
) -> tuple[StatedTime | None, str | None]:
    """Returns the date of publication and where it was found (see `Extraction.published_source`).

    titles: as the page states them, with affixes. lines: visible lines around the headline.
    """

    def stated(source: str, values: Iterable[str]) -> Iterator[_Found]:
        stamps = (parse_time(value, fetched_at, far_east=True) for value in values if value)
        return ((stamp, source) for stamp in stamps if stamp)

    def shown(days: Iterator[str]) -> Iterator[_Found]:
        stamps = (parse_time(day, fetched_at) for day in days)
        return ((stamp, "text") for stamp in stamps if stamp)

    article = [text_of(data.article.get(k)) for k in ("datePublished", "dateCreated", "uploadDate")]
    nodes = [text_of(node.get("datePublished")) for node in data.nodes]
    others = [n for n in data.metas if any(part in n for part in _PUBLISHED_PARTS)]
    others = [n for n in others if _PUBLISHED_NAME.search(n) and not _MODIFIED_NAME.search(n)]
    names = list(dict.fromkeys([*_PUBLISHED_METAS, *others]))
    metas = data.meta(*names)
    heads = [*stated("json-ld", filter(_is_by_program, article)), *stated("meta", metas)]
    in_url = next(stated("url", _separated_days_in(url)), None)
    if heads:
        stamp, source = heads[0]
        named = any("pub" in name for name in names if name in data.metas)
        if source == "meta" and not named and in_url and not _is_about(stamp, in_url[0]):
            # A meta element that only says "date" may tell when the page was built.
            return in_url
        return _sharpened(stamp, [other for other, _ in heads[1:]]), source
    seen = _Shown(root, lines)
    marked, unmarked = _times(data)
    stray = (found for found in stated("time", unmarked) if not in_url or _is_about(found[0], in_url[0]))
    ranked = chain(
        stated("time", marked),
        stray,
        stated("json-ld", filter(_is_by_program, nodes)),
        stated("url", _days_in(url)),
        shown(seen.beside_headline()),
        # A date in this form ("Jun 24, 2025") is often the day on which the page was last built.
        stated("json-ld", [*article, *nodes]),
        # Some outlets put the date at the end of the title: "Ferry runs again | Post | 01.03.2026".
        shown(_days(title.rsplit("|", 1)[-1] for title in titles if "|" in title)),
        shown(seen.labelled()),
        stated("json-ld", [text_of(data.article.get("dateModified"))]),
        stated("meta", data.meta("article:modified_time", "og:updated_time")),
        shown(seen.elsewhere()),
        stated("url", _serials_in(url)),
    )
    return next(ranked, (None, None))


def _is_by_program(value: str) -> bool:
    """Whether a date is in a machine-readable form, or at least has a time of day."""
    if re.match(r"\s*\d{4}-?\d\d", value):
        return True
    stamp = _stamp(value)
    return stamp is not None and stamp.has_clock


def _sharpened(stamp: StatedTime, others: Iterable[StatedTime]) -> StatedTime:
    """Adds the time of day and the zone from other statements of the same time.

    Content management systems write one time as a day without time, in UTC, and in the newsroom's zone.
    """
    for other in others:
        is_that_day = not stamp.has_clock and other.has_clock and other.wall.date() == stamp.wall.date()
        is_that_clock = stamp.offset is None and stamp.has_clock and _is_close(other.wall, stamp.wall)
        is_that_time = not stamp.offset and stamp.has_clock and _is_close(other.at, stamp.at)
        if is_that_day or (other.offset is not None and (is_that_clock or (is_that_time and other.offset))):
            stamp = other
    return stamp


def _is_close(one: datetime, other: datetime) -> bool:
    return abs(one - other) < timedelta(minutes=1)


def _times(data: StructuredData) -> tuple[list[str], list[str]]:
    """Values of microdata and time elements: those marked as dates of publication, and the first others."""
    marked = [e for e in data.items if "published" in (e.get("itemprop") or "").lower()]
    stated = [e.get("datetime") or e.get("content") for e in marked]
    stated += [e.get("datetime") for e in data.times if e.get("pubdate") is not None]
    return [t for t in stated if t], [t for e in data.times[:3] if (t := e.get("datetime"))]


def _days_in(url: str) -> list[str]:
    path = unquote(urlsplit(url).path)
    if match := _URL_DATE.search(path):
        return [f"{match[1]}-{match[2]}-{match[3]}"]
    if (match := _URL_WRITTEN.search(path)) and (month := _month_number(match[2])):
        return [f"{match[1]}-{month:02}-{int(match[3]):02}"]
    return []


def _separated_days_in(url: str) -> list[str]:
    """A full date in the path with signs between its parts: 20260301 may also be the number of a story."""
    return _days_in(url) if _SEPARATED.search(unquote(urlsplit(url).path)) else []


_SEPARATED = re.compile(r"(?<!\d)(?:19|20)\d\d([/_.-])(?:\d\d?|[a-z]{3,9})\1\d\d?(?!\d)", re.I)


def _is_about(stamp: StatedTime, day: StatedTime) -> bool:
    """Whether the time is on the day, or a day before or after it by another zone."""
    return abs((stamp.at.date() - day.at.date()).days) <= 1


def _serials_in(url: str) -> list[str]:
    match = _URL_SERIAL.search(urlsplit(url).path)
    return [f"{match[1]}-{match[2]}-{match[3]}"] if match else []


# --- visible dates ---------------------------------------------------------------------------------

_PUBLISHED = re.compile(
    r"\b(?:(?:first )?published|posted|publication date|release date|date(?= ?:)|veröffentlicht|erschienen|"
    r"datum|publiée?|publicad[oa]|fecha|pubblicato|gepubliceerd|geplaatst|opublikowano|data publikacji|"
    r"опубликован[оа]|опубліковано|дата публикации)\b|公開日?|掲載日?|發布|发布|등록|입력|نُ?شر|תאריך|פורסם",
    re.I,
)
_MODIFIED = re.compile(
    r"\b(?:(?:last )?(?:updated?|modified|reviewed|revised|edited)|aktualisiert|geändert|stand(?= ?:)|"
    r"mise? à jour|modifiée?|a[ct]*ualizad[oa]|aggiornat[oa]|bijgewerkt|zaktualizowano|aktualizacja|"
    r"обновлен[оа]|оновлен[оа])\b|更新|수정|آخر تحديث|עודכן",
    re.I,
)


class _Shown:
    """The visible dates of a page. Each kind is read only if the kinds before it gave none."""

    def __init__(self, root: Any, lines: Sequence[str]) -> None:
        self.root = root
        self.near = [part for line in lines for part in _parts(line)]

    @cached_property
    def dated(self) -> list[tuple[str, bool]]:
        return list(_dated(self.root))

    def beside_headline(self) -> Iterator[str]:
        """Near the headline: labelled dates of publication, then date lines."""
        yield from _days(part for part in self.near if _PUBLISHED.match(part))
        yield from _days(part for part in self.near if not _MODIFIED.match(part) and _is_date_line(part))

    def labelled(self) -> Iterator[str]:
        """Labelled dates elsewhere, then other dates near the headline, then elements named after dates."""
        far = [part for text, _ in self.dated for part in _parts(text)]
        yield from _days(part for part in far if _PUBLISHED.match(part))
        yield from _days(part for part in self.near if not _MODIFIED.match(part))
        hinted = [part for text, is_hinted in self.dated if is_hinted for part in _parts(text)]
        yield from _days(part for part in hinted if not _MODIFIED.match(part) and _is_date_line(part))
        yield from _days(part for part in [*self.near, *hinted] if _MODIFIED.match(part))

    def elsewhere(self) -> Iterator[str]:
        """Dates in the data of scripts, labelled dates of modification, and date lines anywhere."""
        yield from _in_scripts(self.root)
        yield from _days(text for text, _ in self.dated if _MODIFIED.match(text))
        yield from _days(text for text, _ in self.dated if _is_date_line(text))


def _days(parts: Iterable[str]) -> Iterator[str]:
    """The dates in the parts. The time of day is kept only if its zone is stated too."""
    for part in parts:
        stamp = _written(part) if len(part) <= _LONGEST_DATE_LINE else None
        if stamp:
            yield part if stamp.offset is not None else stamp.wall.date().isoformat()


def _parts(line: str) -> list[str]:
    """The line cut before each label of a date: "Published 1 March 2026 | Updated 3 March 2026".

    Empty if the line has no date.
    """
    if len(line) > _LONGEST_DATE_LINE or not _FIGURES.search(line):
        return []
    labels = sorted(m.start() for pattern in (_PUBLISHED, _MODIFIED) for m in pattern.finditer(line))
    return [
        line[a:b] for a, b in zip([0, *labels], [*labels, None], strict=True) if line[a:b].strip(" \n|·•,;(")
    ]


def _is_date_line(part: str) -> bool:
    """Whether it has only a date and short pieces that go with dates: a byline, a place, a reading time."""
    rest = [piece for piece in re.split(r"[|•·●\n]", without_dates(part)) if re.search(r"[^\W\d_]", piece)]
    return all(len(piece.split()) <= 4 for piece in rest)


_HINT = re.compile(
    r"date|datum|fecha|publi[sc]|posted|timestamp|time-?stamp|entry-meta|post-meta|byline|uhrzeit"
)
_NO_HINT = re.compile(r"candidate|mandate|validate|updates\b|comment|related|sidebar|widget")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|(?<![\d.])[0-3]\d\.[01]\d\.\d\d(?!\d)")
# All texts; they are filtered in Python, because conditions in the XPath expression are slower.
_TEXTS = etree.XPath("//text()")
_LONGEST_TEXT = 300


def _dated(root: Any) -> Iterator[tuple[str, bool]]:
    """Short texts of the page that have a date, and whether their element is named after dates."""
    seen = set()
    for text in _TEXTS(root):
        may = "20" in text or "19" in text or ".2" in text or ".1" in text
        if not may or len(text) >= _LONGEST_TEXT or not _YEAR.search(text):
            continue
        element = text.getparent()
        if text.is_tail:
            element = element.getparent()
        if element is None or element.tag in ("script", "style"):
            continue
        if element in seen or not (whole := _short_text(element)):
            continue
        seen.add(element)
        outer = element.getparent()
        around = "" if outer is None or _LABEL.match(whole) else _short_text(outer)
        named = " ".join(
            f"{e.get('class') or ''} {e.get('id') or ''}" for e in (element, outer) if e is not None
        ).lower()
        is_hinted = bool(_HINT.search(named)) and not _NO_HINT.search(named)
        yield (around if _LABEL.match(around) else whole), is_hinted


_LABEL = re.compile(rf"^\s*(?:{_PUBLISHED.pattern}|{_MODIFIED.pattern})", re.I)
_IN_SCRIPT = re.compile(
    r"\b(?:date_?published|published_?(?:at|date)|publish_?date|pub_?date)\\*\"\s*:\s*\\*\"(\d{4}-\d\d-\d\d[^\"\\]{0,20})",
    re.I,
)
# A date at the end of a match of `_IN_SCRIPT`: a fast test that rules most scripts out.
_DAY_IN_SCRIPT = re.compile(r"\"\d{4}-\d\d-\d\d")


def _in_scripts(root: Any) -> Iterator[str]:
    """Dates of publication in the data of a page's scripts."""
    for script in root.iter("script"):
        text = script.text or ""
        if _DAY_IN_SCRIPT.search(text) and (match := _IN_SCRIPT.search(text)):
            yield match[1]


def _short_text(element: Any) -> str:
    """The element's text; empty if it is longer than a date line."""
    pieces: list[str] = []
    length = 0
    for piece in element.itertext():
        length += len(piece.strip())
        if length > _LONGEST_DATE_LINE:
            return ""
        pieces.append(piece)
    return cleaned(" ".join(pieces))


# The dates in longer lines are days that a story mentions.
_LONGEST_DATE_LINE = 120

# First letters of the months' names: English, German, French, Spanish, Portuguese, Italian, Dutch, Polish,
# Russian, Ukrainian; Turkish, Finnish; Arabic, Hebrew.
_MONTHS = (
    "jan|ene|gen|sty|янв|січ|oca|tammi|يناير|ינואר",
    "feb|fév|fev|lut|фев|лют|şub|helmi|فبراير|פברואר",
    "mar(?!ras)|mär|maa|mrt|мар|бер|مارس|מרץ|מרס",
    "apr|avr|abr|kwi|апр|кві|nis|huhti|أ?إ?بريل|אפריל",
    "may|mai|mag|mei|maj|мая|май|тра|touko|مايو|מאי",
    "jun|juin|giu|cze|июн|чер|haz|kesä|يونيو|יוני",
    "jul|juil|lug|lip|июл|лип|tem|heinä|يوليو|יולי",
    "aug|aoû|aou|ago|sie|авг|сер|ağu|elo|أغسطس|אוגוסט",
    "sep|set|wrz|сен|вер|eyl|syys|سبتمبر|ספטמבר",
    "oct|okt|out|ott|paź|окт|жов|eki|loka|أكتوبر|אוקטובר",
    "nov|lis|ноя|kas|marras|نوفمبر|נובמבר",
    "dec|dez|déc|dic|gru|дек|гру|ara|joulu|ديسمبر|דצמבר",
)
_MONTH = re.compile(
    "ב?(?:" + "|".join(f"(?P<m{n}>{names})" for n, names in enumerate(_MONTHS, 1)) + ")", re.I
)
_DAY_MONTH_YEAR = re.compile(
    r"(?<!\d)(\d{1,2})(?:\.|er|st|nd|rd|th|º)?[\s-]+(?:de\s+)?([^\W\d_]{3,12})\.?,?[\s-]+(?:de\s+)?(\d{4})(?!\d)"
)
_MONTH_DAY_YEAR = re.compile(r"\b([^\W\d_]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)")
_EASTERN = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]")
_DOTTED = re.compile(r"(?<![\d.])(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)")
_YEAR_MONTH_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)\s+([^\W\d_]{3,12})\.?\s+(\d{1,2})(?!\d)")
# 31.12.25: two digits in each part; otherwise it is a version number.
_DOTTED_SHORT = re.compile(r"(?<![\d.])([0-3]\d)\.([01]\d)\.(\d\d)(?![\d.]\d|\d)")
_ISO_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)([-/.])\s?(\d{1,2})\2\s?(\d{1,2})(?!\d)")
# The order of day and month is known only if the day is after the twelfth.
_SLASHED = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/((?:19|20)\d\d)(?!\d)")
# Fast tests: every form of a date has the first pattern, and every form except 31.12.25 has the second.
_FIGURES = re.compile(r"\d{4}|\d\d\.\d\d\.\d\d")
_YEAR_FIGURES = re.compile(r"\d{4}")


def date_in_line(line: str) -> str | None:
    """The first date in a line as ISO 8601; None if the line has none or is longer than a date line."""
    if len(line) > _LONGEST_DATE_LINE:
        return None
    if match := _EASTERN.search(line):
        return f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}"
    if match := _ISO_DAY.search(line):
        return f"{match[1]}-{int(match[3]):02}-{int(match[4]):02}"
    if match := _DOTTED.search(line):
        return f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}"
    if (match := _DAY_MONTH_YEAR.search(line)) and (month := _month_number(match[2])):
        return f"{match[3]}-{month:02}-{int(match[1]):02}"
    if (match := _MONTH_DAY_YEAR.search(line)) and (month := _month_number(match[1])):
        return f"{match[3]}-{month:02}-{int(match[2]):02}"
    if (match := _YEAR_MONTH_DAY.search(line)) and (month := _month_number(match[2])):
        return f"{match[1]}-{month:02}-{int(match[3]):02}"
    if match := _SLASHED.search(line):
        one, other = int(match[1]), int(match[2])
        if max(one, other) > 12:
            return f"{match[3]}-{min(one, other):02}-{max(one, other):02}"
    if match := _DOTTED_SHORT.search(line):
        return f"20{match[3]}-{match[2]}-{match[1]}"
    return None


def without_dates(line: str) -> str:
    """The line with a bar in place of each date."""
    if not _YEAR_FIGURES.search(line):
        return line
    for pattern in (_DAY_MONTH_YEAR, _MONTH_DAY_YEAR, _DOTTED, _ISO_DAY):
        line = pattern.sub(" | ", line)
    return line


def is_month(word: str) -> bool:
    """Whether the word is an English month's name, whole or as it is abbreviated."""
    return _ENGLISH_MONTH.fullmatch(word) is not None


_ENGLISH_MONTH = re.compile(
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.?",
    re.I,
)


def _month_number(word: str) -> int | None:
    match = _MONTH.match(word)
    return int(match.lastgroup[1:]) if match and match.lastgroup else None
