"""Sites that have no new articles, or fewer."""

from __future__ import annotations

import random
from datetime import timedelta

from crawler.monitor.health import Figure, judge
from crawler.monitor.health.articles import check_fewer_articles, check_silence
from crawler.monitor.trend import trend
from storage.schema import SiteRun
from tests.crawler.monitor.health.histories import (
    BREAK,
    MONDAY,
    busy,
    changed,
    daily,
    first_told,
    like,
    over_time,
    run_at,
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


def test_far_fewer_articles_are_reported_and_a_slow_decline_is_not() -> None:
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


def test_a_pause_of_the_crawler_raises_no_alert() -> None:
    runs = busy(28)
    off = [run for run in runs if not BREAK <= run.started_at < BREAK + timedelta(hours=40)]
    assert union(over_time(off, BREAK).values()) == set()


def _hourly(days: float, stored: int = 1, silent_hours: int = 0) -> list[SiteRun]:
    """A site with that many articles an hour by day, none from 0 to 6, and none at all in the last hours."""
    count = round(24 * days)
    times = [MONDAY + timedelta(hours=number) for number in range(count)]
    runs = [run_at(at, stored if at.hour >= 6 else 0) for at in times]
    return [like(run, stored=0) if n >= count - silent_hours else run for n, run in enumerate(runs)]


def test_a_silence_is_reported_when_it_is_longer_than_the_nights() -> None:
    assert check_silence(_hourly(20, stored=2, silent_hours=12)) is None
    alert = check_silence(_hourly(20, stored=2, silent_hours=16))
    assert alert is not None
    assert (alert.figure, alert.now) == (Figure.STORED, 0.0)
    assert alert.message.startswith("no new article in the last 16 crawls (since 2026-03-21 08:00)")
    assert alert.message.endswith("hardly ever none for more than 6 h")


def test_one_long_silence_in_a_month_does_not_hide_the_next() -> None:
    outage = range(5 * 24, 7 * 24)
    runs = [
        like(run, stored=0) if n in outage else run
        for n, run in enumerate(_hourly(20, stored=2, silent_hours=20))
    ]
    alert = check_silence(runs)
    assert alert is not None
    assert alert.message.endswith("hardly ever none for more than 6 h")


def test_in_the_first_two_weeks_a_silence_may_last_four_days() -> None:
    assert check_silence(_hourly(10, silent_hours=90)) is None
    assert check_silence(_hourly(12, silent_hours=110)) is not None


def test_the_silence_of_a_site_with_few_articles_may_be_chance() -> None:
    weekly = [like(run, stored=int(n % 168 == 0)) for n, run in enumerate(_hourly(28))]
    assert check_silence(weekly) is None


def test_days_with_far_fewer_articles_are_reported_with_those_on_slow_days() -> None:
    runs = _hourly(26, stored=4)
    assert check_fewer_articles(runs) is None
    fewer = [like(run, stored=min(run.stored, 1)) if n >= 25 * 24 else run for n, run in enumerate(runs)]
    alert = check_fewer_articles(fewer)
    assert alert is not None
    assert alert.figure is Figure.STORED
    assert alert.now < 0.4 * alert.was
    assert alert.message.endswith("on slow days")


def test_fewer_articles_are_not_judged_before_two_weekends_are_known() -> None:
    runs = _hourly(15, stored=4)
    assert check_fewer_articles([*runs[:-20], *(like(run, stored=0) for run in runs[-20:])]) is None
