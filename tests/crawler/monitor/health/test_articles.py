"""Sites that have no new articles, or fewer."""

from __future__ import annotations

import random
from datetime import timedelta

from crawler.monitor.health import Figure, judge
from crawler.monitor.trend import trend
from tests.crawler.monitor.health.histories import (
    BREAK,
    MONDAY,
    busy,
    changed,
    daily,
    first_told,
    like,
    over_time,
    union,
)


def test_a_first_weekend_and_a_long_one_raise_no_alert() -> None:
    first = busy(8)
    quiet = changed(
        first, MONDAY + timedelta(days=5), lambda run: like(run, stored=0, words=None, rejected=0)
    )
    assert union(over_time(quiet, MONDAY + timedelta(days=4)).values()) == set()
    # Friday to Tuesday, of a site that publishes on working days.
    holiday = daily(26, weekdays_only=True)
    holiday = changed(holiday, MONDAY + timedelta(days=25), lambda run: like(run, stored=0, words=None))
    assert judge(holiday) == ()


def test_far_fewer_articles_are_told_and_a_slow_decline_is_not() -> None:
    chance = random.Random(3)
    fewer = changed(
        busy(28), BREAK, lambda run: like(run, stored=run.stored if chance.random() < 0.08 else 0)
    )
    assert first_told(fewer, BREAK, Figure.STORED) <= timedelta(hours=48)

    slow = daily(60)
    declining = [like(run, stored=max(3, round(run.stored * (1 - n / 80)))) for n, run in enumerate(slow)]
    assert union(over_time(declining, MONDAY).values()) == set()
    found = trend(declining)
    assert found.usual["stored"] is not None
    assert found.last.stored < found.usual["stored"]
    assert found.stored_by_day[-1] < found.stored_by_day[0]


def test_a_crawler_that_stood_still_is_not_the_sites_fault() -> None:
    runs = busy(28)
    off = [run for run in runs if not BREAK <= run.started_at < BREAK + timedelta(hours=40)]
    assert union(over_time(off, BREAK).values()) == set()
