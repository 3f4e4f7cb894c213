"""Checks whether a site's new articles stopped, or became fewer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from itertools import accumulate
from statistics import median

from crawler.monitor.health.alert import Alert, Figure
from crawler.monitor.health.estimates import quantile
from crawler.monitor.health.history import (
    MIN_RUNS,
    last_crawls,
    longest_usual_pause,
    pauses,
    split_into_days,
    trailing,
)
from storage.crawls import SiteRun

# Days before the last one: two weekends before the one that it may be.
_MIN_DAYS = 17
# Articles a day, as a part of those on slow days.
_FEWER = 0.4
# Articles that would have come in the meantime. Fewer may be chance, or a slow site's weekend.
_MIN_MISSED = 12


def check_silence(runs: Sequence[SiteRun]) -> Alert | None:
    """There is no new article for longer than ever.

    A silence begins with the first run that stores nothing, and lasts as long as the site was crawled: times
    in which the crawler did not run do not count.
    """
    clock = _crawled_time(runs)
    silences: list[timedelta] = []
    silent_since: timedelta | None = None
    for run, now in zip(runs, clock, strict=True):
        if run.stored:
            if silent_since is not None:
                silences.append(now - silent_since)
            silent_since = None
        elif silent_since is None:
            silent_since = now
    silent_runs = trailing(runs, lambda run: run.stored == 0)
    productive = [run for run in runs if run.stored]
    if silent_since is None or len(silent_runs) < 3 or len(productive) < MIN_RUNS:
        return None
    # After two weekends the second longest silence is usual, because the longest may have been a fault.
    knows_weekends = silent_since >= timedelta(days=14)
    longest = sorted([*silences, timedelta(), timedelta()], reverse=True)
    usual = longest[1 if knows_weekends else 0]
    limit = max(2 * usual, timedelta(hours=12) if knows_weekends else timedelta(days=4))
    duration = clock[-1] - silent_since
    a_day = sum(run.stored for run in productive) / max(1.0, silent_since / timedelta(days=1))
    if duration <= limit or a_day * (duration / timedelta(days=1)) < _MIN_MISSED:
        return None
    return Alert(
        Figure.STORED,
        round(a_day, 2),
        0.0,
        f"no new article in {last_crawls(silent_runs)}, {a_day:,.1f} a day before, and hardly ever none for"
        f" more than {_duration(usual)}",
    )


def check_fewer_articles(runs: Sequence[SiteRun]) -> Alert | None:
    """There are fewer articles a day than on the slowest days."""
    days = [day for day in split_into_days(runs) if day.is_regular]
    if not days or len(days) <= _MIN_DAYS or not days[0].is_last:
        return None
    now, *before = days
    rates = [sum(run.stored for run in day.runs) / day.length for day in before]
    usual = [rate for rate, day in zip(rates, before, strict=True) if not day.had_alert(Figure.STORED)]
    if len(usual) < _MIN_DAYS:
        return None
    slow = quantile(usual, 0.1)
    expected, stored = slow * now.length, sum(run.stored for run in now.runs)
    if stored >= min(_FEWER * expected, expected - 3 * math.sqrt(expected)):
        return None
    was = median(rates)
    rate = stored / now.length
    return Alert(
        Figure.STORED,
        round(was, 2),
        round(rate, 2),
        f"{rate:,.1f} new articles a day, {was:,.1f} before and {slow:,.1f} on slow days",
    )


def _crawled_time(runs: Sequence[SiteRun]) -> list[timedelta]:
    """For each run, the time since the first; an unusually long pause counts as a long usual one."""
    if not runs:
        return []
    between = pauses(runs)
    longest = longest_usual_pause(between, timedelta(hours=1))
    return list(accumulate((min(pause, longest) for pause in between), initial=timedelta()))


def _duration(time: timedelta) -> str:
    hours = time / timedelta(hours=1)
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.1f} days"
