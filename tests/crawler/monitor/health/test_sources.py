"""Sources that cannot be read, or name no article any more."""

from __future__ import annotations

from datetime import timedelta

from crawler.monitor.health import Figure, judge
from tests.crawler.monitor.health.histories import BREAK, busy, changed, first_told, like


def test_of_feeds_that_one_fails_is_told_in_a_day_and_a_failure_now_and_then_is_not() -> None:
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
