"""A site's `schedule`: an interval (`every 30 min`) or a cron line (`*/30 6-23 * * mon-fri`), in numbers.

cronsim reads cron lines as Debian's cron does: Sunday is 0 and 7, and where both a day of the month and a
weekday are given, a day needs to match only one of them. The triggers of `copydesk schedule`, systemd timers
and crontabs are all made of the numbers that are read here, so they agree. (APScheduler 3 reads cron lines as
well, but it counts weekdays from Monday and wants both days to match.)

Times are the machine's local time, as they are to cron and systemd. When the clock is put forward, a time
that is left out comes an hour later by that clock. When it is put back, a time of that hour comes twice,
which costs a crawl that finds nothing new.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

from pipeline.counts import counted

LONGEST_INTERVAL = timedelta(days=365)

_INTERVAL = re.compile(r"every ([1-9]\d{0,5})\s?(m|min|h|d)", re.ASCII)
_UNITS = {
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
# The longest step of each field of a cron line.
_LONGEST_STEPS = (59, 23, 30, 11, 7)
_STEP = re.compile(r"/(\d{1,9})")
# What crons read differently, or not at all: 5/15, 5-5/15, L, LW, 1L, MON#2.
_EXTENSION = re.compile(r"(?:^|,)(\w+)(?:-\1)?/|#|(?:^|,|\d)lw?(?:,|$)")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WEEKDAY_RANGE = re.compile(
    rf"\b({'|'.join(_WEEKDAYS)}|[0-7])-({'|'.join(_WEEKDAYS)}|[0-7])(?:/(\d{{1,9}}))?"
)


@dataclass(frozen=True, slots=True)
class Interval:
    """every: the time from the start of one crawl to the start of the next, in whole minutes."""

    every: timedelta


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line as ascending numbers; weekdays count from 0, Sunday.

    either: a day needs to match only one of `days` and `weekdays`; otherwise both.
    line: the line as every cron reads it: weekdays and months as numbers, stars as they were.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either: bool
    line: str


def parse_schedule(schedule: str) -> Interval | Cron:
    """Read a schedule. Raises ValueError, which says why, if it is invalid or has no time at all."""
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
        raise ValueError(f"{counted(len(fields), 'field')}, a cron line has five")
    for field, longest in zip(fields, _LONGEST_STEPS, strict=True):
        if _EXTENSION.search(field):
            raise ValueError(f"{field!r} is not read alike by every cron")
        if any(int(step) > longest for step in _STEP.findall(field)):
            raise ValueError(f"{field!r} has a step longer than {longest}")
    minute, hour, day, month, weekday = fields
    try:
        # The date is where cronsim would begin to look for the next time; only its numbers are used here.
        read = CronSim(
            f"{minute} {hour} {day} {month} {_WEEKDAY_RANGE.sub(_list_of_weekdays, weekday)}",
            datetime(2000, 1, 1, tzinfo=UTC),
        )
    except CronSimError as error:
        raise ValueError(str(error).lower()) from error
    months = _ascending(read.months)
    weekdays = _ascending(number % 7 for number in read.weekdays if isinstance(number, int))
    named = (
        month if month[0] == "*" else _listed(months),
        weekday if weekday[0] == "*" else _listed(weekdays),
    )
    return Cron(
        minutes=_ascending(read.minutes),
        hours=_ascending(read.hours),
        days=_ascending(read.days),
        months=months,
        weekdays=weekdays,
        either=not read.day_and,
        line=" ".join((minute, hour, day, *named)),
    )


def _list_of_weekdays(found: re.Match[str]) -> str:
    """A range of weekdays as a list: cronsim refuses one that passes over the end of the week (`fri-mon`)."""
    first, last = (_WEEKDAYS.index(day) if day in _WEEKDAYS else int(day) for day in (found[1], found[2]))
    end = last + 1 if first <= last else last + 8
    return _listed(day % 7 for day in range(first, end, int(found[3] or 1)))


def _ascending(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(numbers)))


def _listed(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))
