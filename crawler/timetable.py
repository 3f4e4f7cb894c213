"""What a site's `schedule` says: an interval (`every 30 min`) or a cron line (`*/30 6-23 * * mon-fri`).

Cron lines mean here what they mean to cron, because `copydesk schedule --print-cron` hands them on to it:
Sunday is 0 and 7, and where both a day of the month and a weekday are given, either will do. APScheduler 3
counts weekdays from Monday and wants both.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

_INTERVAL = re.compile(r"every ([1-9]\d{0,5})\s?(m|min|h|d)")
_UNITS = {
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
LONGEST_INTERVAL = timedelta(days=365)

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PART = re.compile(
    r"(?:\*|(?P<first>[a-z]{3}|\d{1,4})(?:-(?P<last>[a-z]{3}|\d{1,4}))?)(?:/(?P<step>\d{1,4}))?"
)


def interval(schedule: str) -> timedelta | None:
    """Return the time between two crawls; None for a schedule that is no interval.

    Raises ValueError for an interval that is too long.
    """
    found = _INTERVAL.fullmatch(schedule)
    if not found:
        return None
    time = int(found[1]) * _UNITS[found[2]]
    if time > LONGEST_INTERVAL:
        raise ValueError(f"longer than {LONGEST_INTERVAL.days} days")
    return time


def cron_trigger(line: str, timezone: tzinfo = UTC) -> Any:
    """Return APScheduler's trigger for a cron line of five fields.

    Raises ValueError, which says why, for a line that is none and for one whose time never comes.
    """
    from apscheduler.triggers.combining import OrTrigger
    from apscheduler.triggers.cron import CronTrigger

    fields = line.lower().split()
    if len(fields) != 5:
        raise ValueError(f"{len(fields)} fields, a cron line has five")
    for name, field in zip(("minute", "hour", "day", "month", "weekday"), fields, strict=True):
        for part in field.split(","):
            found = _PART.fullmatch(part)
            if not found or (found["step"] and found["first"] and not found["last"]):
                raise ValueError(f"{name} {part!r}")
    minute, hour, day, month, weekday = fields
    month = re.sub(r"[a-z]+", lambda name: str(1 + _number(name[0], _MONTHS)), month)
    names = _weekdays(weekday)
    days = [(day, names)] if "*" in (day[0], weekday[0]) else [(day, "*"), ("*", names)]
    try:
        triggers = [
            CronTrigger.from_crontab(f"{minute} {hour} {one} {month} {other}", timezone=timezone)
            for one, other in days
        ]
    except ValueError as error:
        raise ValueError(str(error).removeprefix("Error validating expression ")) from error
    trigger = triggers[0] if len(triggers) == 1 else OrTrigger(triggers)
    if trigger.get_next_fire_time(None, datetime.now(timezone)) is None:
        raise ValueError("that time never comes")
    return trigger


def _weekdays(field: str) -> str:
    """Cron's weekdays as APScheduler's, by name: in names the two agree."""
    chosen: set[int] = set()
    for part in field.split(","):
        found = _PART.fullmatch(part)
        assert found is not None
        first = _number(found["first"], _WEEKDAYS) if found["first"] else 0
        last = _number(found["last"], _WEEKDAYS) if found["last"] else first if found["first"] else 6
        step = int(found["step"] or 1)
        if max(first, last) > 7 or not step:
            raise ValueError(f"weekday {part!r}")
        # `fri-sun` is 5-0
        chosen.update(day % 7 for day in range(first, (last if last >= first else last + 7) + 1, step))
    return "*" if len(chosen) == 7 else ",".join(_WEEKDAYS[day] for day in sorted(chosen))


def _number(text: str, names: tuple[str, ...]) -> int:
    if text.isdigit():
        return int(text)
    if text not in names:
        raise ValueError(f"{text!r}")
    return names.index(text)
