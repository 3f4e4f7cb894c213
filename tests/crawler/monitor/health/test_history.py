"""A site's history as rows of runs and as days."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crawler.monitor.health import Alert, Figure
from crawler.monitor.health.history import (
    is_lasting,
    last_crawls,
    longest_usual_pause,
    pauses,
    split_into_days,
    trailing,
)
from storage.schema import SiteRun
from tests.crawler.monitor.health.histories import MONDAY, like, run_at


def _hourly(count: int, hours: float = 1, stored: int = 1) -> list[SiteRun]:
    return [run_at(MONDAY + timedelta(hours=hours * number), stored) for number in range(count)]


def test_a_row_of_failing_runs_ends_with_the_last_run() -> None:
    runs = [like(run, stored=stored) for run, stored in zip(_hourly(5), (0, 1, 0, 0, 0), strict=True)]
    assert trailing(runs, lambda run: run.stored == 0) == runs[2:]
    assert trailing(runs, lambda run: run.stored > 0) == []
    assert trailing(runs, lambda run: True) == runs


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ((), False),
        ((0,), False),
        ((0, 1), False),
        ((0, 0.2, 0.4), False),  # three runs in a bad hour
        ((0, 0.5, 1), True),
        ((0, 19), False),
        ((0, 20), True),  # of a site that is crawled once a day
    ],
)
def test_failures_that_are_more_than_a_bad_hour(hours: tuple[float, ...], expected: bool) -> None:
    assert is_lasting([run_at(MONDAY + timedelta(hours=hour), 0) for hour in hours]) is expected


def test_a_row_of_runs_is_named_by_its_length_and_beginning() -> None:
    assert last_crawls(_hourly(4)) == "the last 4 crawls (since 2026-03-02 00:00)"


def test_a_pause_is_unusual_from_three_times_the_median_on() -> None:
    between = pauses([*_hourly(5), run_at(MONDAY + timedelta(hours=40), 1)])
    assert between == [timedelta(hours=1)] * 4 + [timedelta(hours=36)]
    assert longest_usual_pause(between, timedelta(minutes=5)) == timedelta(hours=3)
    assert longest_usual_pause(between, timedelta(hours=6)) == timedelta(hours=6)
    assert longest_usual_pause([], timedelta(hours=6)) == timedelta()


def test_days_are_counted_back_from_the_last_run_and_no_run_is_in_two() -> None:
    runs = _hourly(24 * 3)
    days = list(split_into_days(runs))
    assert [day.is_last for day in days] == [True, False, False]
    assert days[0].runs[-1] == runs[-1]
    assert [run for day in reversed(days) for run in day.runs] == runs[-sum(len(d.runs) for d in days) :]
    assert all(day.length == pytest.approx(23 / 24) for day in days)
    assert all(day.is_regular for day in days)


def test_a_daily_crawl_that_is_some_minutes_early_covers_a_day() -> None:
    runs = [run_at(MONDAY + timedelta(days=number, minutes=-10 * (number % 2)), 1) for number in range(8)]
    assert [len(day.runs) for day in split_into_days(runs)] == [1] * 7


def test_a_day_of_few_documents_is_longer() -> None:
    runs = _hourly(24 * 8, stored=0)
    runs = [like(run, stored=1) if number % 6 == 0 else run for number, run in enumerate(runs)]
    days = list(split_into_days(runs, lambda run: run.stored))
    assert len(days) == 2
    assert all(sum(run.stored for run in day.runs) == 15 for day in days)
    assert all(day.length > 3 for day in days)


def test_a_day_in_which_the_crawler_stood_still_is_not_regular() -> None:
    runs = _hourly(96)
    off = [run for run in runs if not timedelta(hours=30) < run.started_at - MONDAY < timedelta(hours=42)]
    assert [day.is_regular for day in split_into_days(off)] == [True, True, False, True]


def test_one_run_is_not_a_day() -> None:
    assert list(split_into_days(_hourly(1))) == []
    assert list(split_into_days([])) == []


def test_a_day_with_an_alert_does_not_show_what_is_usual() -> None:
    alert = Alert(Figure.WORDS, 400.0, 60.0, "short").as_json()
    runs = [like(run, alerts=[alert]) if n == 10 else run for n, run in enumerate(_hourly(49))]
    days = list(split_into_days(runs))
    assert [day.had_alert(Figure.WORDS) for day in days] == [False, True]
    assert not days[1].had_alert(Figure.STORED)
