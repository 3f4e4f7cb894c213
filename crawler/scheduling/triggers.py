"""Computes when a site is crawled: the times of its schedule, jitter, and back-off after failures."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from crawler.sites import Cron, Interval

# A site waits so long after its first failure in a row, then twice as long each time.
_FIRST_BACK_OFF = timedelta(minutes=10)
_LONGEST_BACK_OFF = timedelta(hours=6)

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def trigger(timing: Interval | Cron, zone: tzinfo, jitter: float) -> Any:
    """Return APScheduler's trigger; jitter: most seconds after the exact time."""
    if isinstance(timing, Interval):
        return _JitterTrigger(timing.every, None, min(jitter, timing.every.total_seconds() / 10))
    common = {
        "minute": _cron_field(timing.minutes, 60),
        "hour": _cron_field(timing.hours, 24),
        "month": _cron_field(timing.months, 12),
        "timezone": zone,
    }
    day = {"day": _cron_field(timing.days, 31)}
    weekday = {"day_of_week": ",".join(_WEEKDAYS[number] for number in timing.weekdays)}
    if timing.either:
        either = OrTrigger([CronTrigger(**common, **day), CronTrigger(**common, **weekday)])
        return _JitterTrigger(None, either, jitter)
    return _JitterTrigger(None, CronTrigger(**common, **day, **weekday), jitter)


def first_time(
    timing: Interval | Cron, last: datetime | None, now: datetime, zone: tzinfo, jitter: float
) -> datetime:
    """Return when a site is crawled first that was last crawled at `last` (None: never).

    A missed time is made up for once, soon. A site that was never crawled is crawled soon if it has an
    interval, and at its next time if it has a cron line. Soon is a random moment of the next `jitter`
    seconds, so that not all sites start at once.
    """
    soon = now + timedelta(seconds=random.uniform(0, jitter))
    times = trigger(timing, zone, jitter)
    if last is None:
        return soon if isinstance(timing, Interval) else _next_time(times, None, now)
    due = _next_time(times, min(last, now), now)
    return soon if due <= now else due


def back_off(failures: int) -> timedelta:
    """Return how long a site waits after so many failures in a row."""
    return min(_FIRST_BACK_OFF * (1 << min(failures - 1, 10)), _LONGEST_BACK_OFF)


class _JitterTrigger(BaseTrigger):  # type: ignore[misc]
    """An interval, or APScheduler's times, plus up to `jitter` seconds; in UTC.

    APScheduler would add its own jitter in local time. In the hour that a change of the clock repeats, the
    result is in the hour's first round again, and the trigger never leaves it.
    """

    __slots__ = ("every", "jitter", "times")

    def __init__(self, every: timedelta | None, times: Any, jitter: float) -> None:
        self.every = every
        self.times = times
        self.jitter = jitter

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        if self.every is not None:
            exact = (previous or now).astimezone(UTC) + self.every
        else:
            found = self.times.get_next_fire_time(previous, now)
            if found is None:
                return None
            exact = found.astimezone(UTC)
        return exact + timedelta(seconds=random.uniform(0, self.jitter))


def _next_time(times: Any, previous: datetime | None, now: datetime) -> datetime:
    """A trigger's next time; `parse_schedule` makes sure that there is one."""
    found = times.get_next_fire_time(previous, now)
    assert isinstance(found, datetime)
    return found


def _cron_field(numbers: tuple[int, ...], of: int) -> str:
    return "*" if len(numbers) == of else ",".join(map(str, numbers))
