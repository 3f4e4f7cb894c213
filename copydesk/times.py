"""Reads times as people write them: `2h`, `yesterday`, `monday`, `2026-03-01`. All are in UTC.

A time of day is a moment. A day is all of it: `since` takes its first moment, `until` the first one after it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

from copydesk.amounts import parse_age
from pipeline.errors import OperatorError

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MINUTES = re.compile(r"(\d{1,6})\s*min")
_AGE = re.compile(r"\d{1,9}(?:\.\d{1,9})?\s{0,9}[hdwy]")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FORMS = (
    "an age (30min, 2h, 3d, 1w), today, yesterday, a weekday, 2026-03-01 or 2026-03-01T10:00, in UTC"
    " unless it says its zone"
)

# For help texts.
TIME = "TIME"
TIME_HELP = "2h, yesterday, monday, 2026-03-01 (UTC)"


def parse_since(text: str, now: datetime | None = None) -> datetime:
    """The first moment of a time that a person wrote, aware, UTC. Raises OperatorError.

    now: aware; the present for None. A weekday is the last such day, which may be today.
    """
    return _span(text, now or datetime.now(UTC))[0]


def parse_until(text: str, now: datetime | None = None) -> datetime:
    """The moment before which things are meant: of a day, its end. Otherwise as `parse_since`."""
    return _span(text, now or datetime.now(UTC))[1]


def is_relative(text: str) -> bool:
    """Whether a time means something else later on: an age, `today`, a weekday."""
    word = " ".join(text.lower().split())
    named = ("now", "today", "yesterday", *_WEEKDAYS)
    return word in named or bool(_MINUTES.fullmatch(word) or _AGE.fullmatch(word))


def _span(text: str, now: datetime) -> tuple[datetime, datetime]:
    """The first moment of what is written, and the first one after it; the same for a moment."""
    word = " ".join(text.lower().split())
    day = _day(word, now)
    try:
        if day is not None:
            return day, day + timedelta(days=1)
        moment = _moment(word, text.strip(), now)
    except OverflowError as error:
        raise OperatorError(f"{text!r} is too long ago: write {_FORMS}") from error
    return moment, moment


def _day(word: str, now: datetime) -> datetime | None:
    """The start of a day that is named, or written as a date; None if the word is none."""
    today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    if word in ("today", "yesterday"):
        return today - timedelta(days=word == "yesterday")
    if word in _WEEKDAYS:
        return today - timedelta(days=(today.weekday() - _WEEKDAYS.index(word)) % 7)
    if _DAY.fullmatch(word):
        try:
            return datetime.fromisoformat(word).replace(tzinfo=UTC)
        except ValueError as error:
            raise OperatorError(f"there is no day {word}") from error
    return None


def _moment(word: str, text: str, now: datetime) -> datetime:
    if word == "now":
        return now
    if minutes := _MINUTES.fullmatch(word):
        return now - timedelta(minutes=int(minutes[1]))
    if _AGE.fullmatch(word):
        return now - parse_age(word)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise OperatorError(f"{text!r} is no time: write {_FORMS}") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
