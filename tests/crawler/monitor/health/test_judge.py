"""Alerts report breaks, and nights and weekends raise none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crawler.monitor.health import Figure, judge
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


def test_normal_weeks_with_nights_and_weekends_raise_no_alert() -> None:
    for seed in (1, 2):
        runs = busy(30, seed)
        said = over_time(runs, MONDAY + timedelta(days=26, hours=12))  # over the fourth weekend
        assert union(said.values()) == set()
    for runs in (daily(40), daily(40, weekdays_only=True)):
        assert union(over_time(runs, MONDAY).values()) == set()


@pytest.mark.parametrize(
    ("figure", "within", "break_"),
    [
        (
            Figure.SOURCES,
            timedelta(hours=2),
            {"sources": 0, "sources_failed": 2, "discovered": 0, "stored": 0},
        ),
        (Figure.DISCOVERED, timedelta(hours=2), {"discovered": 0, "stored": 0, "rejected": 0}),
        (Figure.STORED, timedelta(hours=20), {"stored": 0, "rejected": 0, "words": None}),
        (Figure.WORDS, timedelta(hours=20), {"words": 60.0}),
        (Figure.WORDS, timedelta(hours=20), {"words": 3000.0}),
    ],
    ids=["unreachable", "feeds emptied", "feeds frozen", "texts cut", "comments swallowed"],
)
def test_a_break_is_reported_soon(figure: Figure, within: timedelta, break_: dict[str, Any]) -> None:
    def change(run: SiteRun) -> SiteRun:
        return like(run, **{**break_, "words": break_.get("words", run.words) if run.stored else None})

    runs = changed(busy(26), BREAK, change)
    assert first_told(runs, BREAK, figure) <= within


def test_a_new_site_is_not_judged_before_its_history_is_known() -> None:
    for length in range(1, 7):
        broken = changed(daily(length), MONDAY, lambda run: like(run, words=20.0, without_date=run.stored))
        assert judge(broken) == ()
    assert judge([]) == ()
    assert judge([run_at(MONDAY, 0, sources=0, sources_failed=2)]) == ()


def test_crawls_that_did_not_finish_do_not_count() -> None:
    runs = daily(26)
    stopped = [
        like(run, ended=how, stored=0, sources=0, sources_failed=2, words=None)
        for run, how in zip(daily(30)[26:], ("shutdown", None, "storage_error", None), strict=True)
    ]
    assert judge([*runs, *stopped]) == ()
