"""Sources that cannot be read, or no longer list articles."""

from __future__ import annotations

from datetime import timedelta

from crawler.monitor.health import Figure, judge
from crawler.monitor.health.sources import check_discovered, check_sources, could_read
from storage.schema import SiteRun
from tests.crawler.monitor.health.histories import BREAK, MONDAY, busy, changed, first_told, like, run_at


def test_a_feed_that_fails_for_a_day_is_reported_and_single_failures_are_not() -> None:
    now_and_then = [
        like(run, sources=1, sources_failed=1) if n % 20 == 0 else run for n, run in enumerate(busy(26))
    ]
    assert judge(now_and_then) == ()
    runs = changed(now_and_then, BREAK, lambda run: like(run, sources=1, not_modified=0, sources_failed=1))
    assert first_told(runs, BREAK, Figure.SOURCES) <= timedelta(hours=24)


def test_a_bad_hour_is_no_alert() -> None:
    down = {"sources": 0, "not_modified": 0, "sources_failed": 2, "discovered": 0, "stored": 0, "words": None}
    runs = [run for run in busy(26) if run.started_at < BREAK + timedelta(minutes=55)]
    assert judge(changed(runs, BREAK, lambda run: like(run, **down))) == ()


def _half_hourly(count: int, **figures: int) -> list[SiteRun]:
    return [run_at(MONDAY + timedelta(minutes=30 * number), 1, **figures) for number in range(count)]


def _then(runs: list[SiteRun], count: int, **figures: int) -> list[SiteRun]:
    """The history, with different figures in its last runs."""
    return [*runs[:-count], *(like(run, **figures) for run in runs[-count:])]


def test_sources_that_all_fail_are_reported_after_three_runs_with_the_time_of_the_first() -> None:
    down = {"sources": 0, "sources_failed": 2}
    assert check_sources(_then(_half_hourly(20), 2, **down)) is None
    alert = check_sources(_then(_half_hourly(20), 3, **down))
    assert alert is not None
    assert (alert.figure, alert.was, alert.now) == (Figure.SOURCES, 0.0, 1.0)
    assert alert.message.endswith("could be read in the last 3 crawls (since 2026-03-02 08:30)")


def test_an_unchanged_source_counts_as_read() -> None:
    assert check_sources(_then(_half_hourly(20), 5, sources=0, not_modified=2)) is None


def test_a_site_that_could_never_be_read_has_no_history_to_compare_with() -> None:
    assert check_sources(_half_hourly(20, sources=0, sources_failed=2)) is None


def test_sources_that_no_longer_list_articles_are_reported() -> None:
    assert check_discovered(_then(_half_hourly(20), 2, discovered=0)) is None
    alert = check_discovered(_then(_half_hourly(20), 3, discovered=0))
    assert alert is not None
    assert (alert.figure, alert.was, alert.now) == (Figure.DISCOVERED, 60, 0.0)
    assert alert.message.endswith("since 2026-03-02 08:30), 60 a run before")


def test_sources_that_are_often_empty_or_unchanged_raise_no_alert() -> None:
    often = [like(run, discovered=0) if n % 10 == 0 else run for n, run in enumerate(_half_hourly(40))]
    assert check_discovered(_then(often, 3, discovered=0)) is None
    unchanged = _then(_half_hourly(20), 5, discovered=0, not_modified=1, sources=1)
    assert check_discovered(unchanged) is None


def test_a_run_without_sources_of_its_own_could_find_articles() -> None:
    run = run_at(MONDAY, 0)
    assert could_read(like(run, sources=0))  # a spider that is not Copydesk's
    assert could_read(like(run, sources=0, not_modified=2))
    assert could_read(like(run, sources=1, sources_failed=1))
    assert not could_read(like(run, sources=0, sources_failed=2))
