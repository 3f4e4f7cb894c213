"""What a site's `schedule` says: an interval (`every 30 min`) or a cron line (`*/30 6-23 * * mon-fri`).

Cron lines mean here what they mean to cron: Sunday is 0 and 7, and where both a day of the month and a
weekday are given, either will do. They are read once, into numbers, of which the triggers of `copydesk
schedule`, a systemd timer and a crontab are made; so all three agree. (APScheduler 3 reads cron lines as
well, but it counts weekdays from Monday and wants both days.)

Times are the machine's local time, as they are to cron and systemd. Where the clock is put forward, a time
that is left out comes an hour later by that clock; where it is put back, a time of that hour comes twice,
which costs a crawl that finds nothing new.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

LONGEST_INTERVAL = timedelta(days=365)

_INTERVAL = re.compile(r"every ([1-9]\d{0,5})\s?(m|min|h|d)", re.ASCII)
_UNITS = {
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_PART = re.compile(
    r"(?:\*|(?P<first>[a-z]{3}|\d{1,4})(?:-(?P<last>[a-z]{3}|\d{1,4}))?)(?:/(?P<step>\d{1,4}))?",
    re.ASCII,
)
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# A year that has a 29 February.
_LONG_YEAR = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """every: the time from the start of one crawl to the start of the next, in whole minutes."""

    every: timedelta


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line as numbers in order; weekdays from 0, Sunday.

    either: a day of the month or a weekday will do; else both must hold.
    line: the line as every cron reads it: weekdays and months in numbers, and stars where they stood.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either: bool
    line: str


def parse(schedule: str) -> Interval | Cron:
    """Read a schedule. Raises ValueError, which says why, for what is none or never comes."""
    found = _INTERVAL.fullmatch(schedule)
    if not found:
        return _cron(schedule)
    every = int(found[1]) * _UNITS[found[2]]
    if every > LONGEST_INTERVAL:
        raise ValueError(f"longer than {LONGEST_INTERVAL.days} days")
    return Interval(every)


def _cron(line: str) -> Cron:
    fields = line.lower().split()
    if len(fields) != 5:
        raise ValueError(f"{len(fields)} fields, a cron line has five")
    minute, hour, day, month, weekday = fields
    minutes, hours = _numbers("minute", minute, 0, 59), _numbers("hour", hour, 0, 23)
    days, months = _numbers("day", day, 1, 31), _numbers("month", month, 1, 12, _MONTHS)
    weekdays = _weekdays(weekday)
    # Cron looks at the first character alone: `*/2` is a star to it.
    either = "*" not in (day[0], weekday[0])
    if not either and days[0] > max(monthrange(_LONG_YEAR, month)[1] for month in months):
        raise ValueError("that time never comes")
    named = (
        month if month[0] == "*" else _listed(months),
        weekday if weekday[0] == "*" else _listed(weekdays),
    )
    return Cron(minutes, hours, days, months, weekdays, either, " ".join((minute, hour, day, *named)))


def _weekdays(field: str) -> tuple[int, ...]:
    """7 is Sunday as well, and a range may pass over the end of the week: `fri-mon`."""
    chosen: set[int] = set()
    for part in field.split(","):
        first, last, step = _part("weekday", part, 0, 7, _WEEKDAYS)
        if part.startswith("*"):
            last = 6
        chosen.update(day % 7 for day in range(first, (last if last >= first else last + 7) + 1, step))
    return tuple(sorted(chosen))


def _numbers(name: str, field: str, least: int, most: int, names: Sequence[str] = ()) -> tuple[int, ...]:
    chosen: set[int] = set()
    for part in field.split(","):
        first, last, step = _part(name, part, least, most, names)
        if first > last:
            raise ValueError(f"{name} {part!r}: the first is higher than the last")
        chosen.update(range(first, last + 1, step))
    return tuple(sorted(chosen))


def _part(name: str, part: str, least: int, most: int, names: Sequence[str]) -> tuple[int, int, int]:
    """First, last and step of a field's part: `*`, `*/15`, `8`, `8-18`, `8-18/2`."""
    found = _PART.fullmatch(part)
    if not found or (found["step"] and found["first"] and not found["last"]):
        raise ValueError(f"{name} {part!r}")
    first = _number(found["first"], least, names) if found["first"] else least
    last = _number(found["last"], least, names) if found["last"] else first if found["first"] else most
    step = int(found["step"] or 1)
    if not step:
        raise ValueError(f"{name} {part!r}: the step must be higher than 0")
    for number in (first, last):
        if not least <= number <= most:
            raise ValueError(f"{name} {part!r}: must be from {least} to {most}")
    if step > most - least:
        raise ValueError(f"{name} {part!r}: a step longer than from {least} to {most}")
    return first, last, step


def _number(text: str, least: int, names: Sequence[str]) -> int:
    if text.isdecimal():
        return int(text)
    if text not in names:
        raise ValueError(f"{text!r}")
    return least + names.index(text)


def _listed(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))
