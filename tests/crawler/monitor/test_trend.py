"""The last run of a site beside its history."""

from __future__ import annotations

from datetime import timedelta

from crawler.monitor.trend import FIGURES, trend
from tests.crawler.monitor.health.histories import MONDAY, like, run_at


def test_the_usual_values_are_medians_of_the_earlier_runs_that_finished() -> None:
    runs = [run_at(MONDAY + timedelta(hours=hour), stored) for hour, stored in enumerate((10, 20, 30, 0))]
    runs.insert(1, like(run_at(MONDAY, 999), ended="shutdown"))
    found = trend(runs)
    assert found.usual["stored"] == 20
    assert found.usual["without_author"] == 0.2
    assert (found.last, found.runs, found.site) == (runs[-1], 5, "gazette")


def test_a_value_that_no_run_has_is_none() -> None:
    found = trend([run_at(MONDAY, 0), run_at(MONDAY + timedelta(hours=1), 10)])
    assert (found.usual["words"], found.usual["without_date"]) == (None, None)
    assert trend([run_at(MONDAY, 10)]).usual == dict.fromkeys(FIGURES)


def test_articles_are_counted_by_day_up_to_the_last_run() -> None:
    runs = [run_at(MONDAY + timedelta(days=day, hours=hour), 2) for day in (0, 18, 20) for hour in (1, 23)]
    assert trend(runs, days=4).stored_by_day == (0, 4, 0, 4)


def test_a_clock_that_was_set_back_costs_the_articles_of_days_to_come() -> None:
    runs = [run_at(MONDAY + timedelta(days=day), 2) for day in (20, 1)]
    assert trend(runs, days=2).stored_by_day == (0, 2)


def test_alerts_are_those_of_the_last_run_that_was_judged() -> None:
    alert = {"figure": "words"}
    first, second, third = (run_at(MONDAY + timedelta(hours=hour), 1) for hour in range(3))
    runs = [like(first, alerts=[]), like(second, alerts=[alert]), like(third, alerts=None)]
    assert trend(runs).alerts == (alert,)
    assert trend([*runs[:2], like(third, alerts=[])]).alerts == ()
