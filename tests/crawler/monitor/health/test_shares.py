"""Rejected pages, and articles without date or author."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crawler.monitor.health import Figure, judge
from crawler.monitor.health.shares import check_authors, check_dates, check_rejected
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
)


def test_more_rejected_pages_are_reported_with_the_reason() -> None:
    def change(run: SiteRun) -> SiteRun:
        count = run.stored + run.rejected
        return replace(
            run, stored=0, words=None, rejected=count, reasons={"consent wall": count} if count else {}
        )

    runs = changed(busy(26), BREAK, change)
    assert first_told(runs, BREAK, Figure.REJECTED) <= timedelta(hours=14)
    (alert, *_) = [alert for alert in judge(runs) if alert.figure is Figure.REJECTED]
    assert alert.now > 0.9 > 0.1 > alert.was
    assert "most of them for: consent wall" in alert.message


@pytest.mark.parametrize(
    ("column", "figure"),
    [("without_date", Figure.WITHOUT_DATE), ("without_author", Figure.WITHOUT_AUTHOR)],
)
def test_missing_metadata_are_reported(column: str, figure: Figure) -> None:
    runs = changed(busy(26), BREAK, lambda run: like(run, **{column: run.stored}))
    assert first_told(runs, BREAK, figure) <= timedelta(hours=22)
    daily_runs = changed(daily(28), BREAK, lambda run: like(run, **{column: run.stored}))
    assert first_told(daily_runs, BREAK, figure) <= timedelta(days=2)
    alert = next(alert for alert in judge(daily_runs) if alert.figure is figure)
    assert (alert.now, alert.was < 0.3) == (1.0, True)


def test_revisits_hide_no_break_and_removed_articles_are_none() -> None:
    visited = [like(run, unchanged=80, revisited=81, gone=1, rejected=run.rejected + 1) for run in daily(26)]
    assert judge(visited) == ()

    def change(run: SiteRun) -> SiteRun:
        return like(run, stored=0, words=None, rejected=run.stored, reasons={"no article": run.stored})

    assert [alert.figure for alert in judge(changed(visited, BREAK, change))] == [Figure.REJECTED]
    many = changed(visited, BREAK, lambda run: like(run, gone=60, rejected=60, reasons={"error page": 60}))
    assert judge(many) == ()


def test_forgotten_articles_do_not_count_as_rejected() -> None:
    def change(run: SiteRun) -> SiteRun:
        return like(run, stored=0, words=None, rejected=run.stored, reasons={"forgotten": run.stored})

    runs = changed(daily(26), BREAK, change)
    assert Figure.REJECTED not in {alert.figure for alert in judge(runs)}


def test_a_lasting_change_becomes_usual() -> None:
    runs = changed(daily(24 + 28), BREAK, lambda run: like(run, without_author=run.stored))
    said = over_time(runs, BREAK)
    days = [at for at, figures in said.items() if Figure.WITHOUT_AUTHOR in figures]
    assert timedelta(days=10) < max(days) - min(days) < timedelta(days=20)


def _daily(days: int = 20, stored: int = 20, **last: Any) -> list[SiteRun]:
    """A site with a run a day, one article in ten without date; the last run has different figures."""
    runs = [run_at(MONDAY + timedelta(days=day), stored) for day in range(days)]
    return [*runs[:-1], like(runs[-1], **last)]


def test_a_share_that_rises_is_reported_and_one_that_falls_is_not() -> None:
    alert = check_dates(_daily(without_date=16))
    assert alert is not None
    assert (alert.figure, alert.was, alert.now) == (Figure.WITHOUT_DATE, 0.1, 0.8)
    assert alert.message == "80% of its new articles have no date, 10% before"
    assert check_dates(_daily(without_date=0)) is None
    alert = check_authors(_daily(without_author=20))
    assert alert is not None
    assert alert.message == "100% of its new articles name no author, 20% before"


def test_a_rise_that_does_not_matter_is_not_reported() -> None:
    assert check_dates(_daily(stored=1000, without_date=350)) is None
    assert check_dates(_daily(stored=1000, without_date=450)) is not None


def test_shares_are_not_judged_before_a_week_is_known() -> None:
    assert check_dates(_daily(days=8, without_date=20)) is None
    assert check_dates(_daily(days=9, without_date=20)) is not None


def test_a_site_that_never_names_authors_raises_no_alert() -> None:
    assert check_authors([like(run, without_author=20) for run in _daily()]) is None


def test_the_most_frequent_reason_is_named() -> None:
    reasons = {"consent wall": 12, "no article": 5, "error page": 3}
    *before, last = _daily()
    alert = check_rejected([*before, like(last, stored=0, rejected=20, reasons=reasons)])
    assert alert is not None
    assert (alert.was, alert.now) == (0.048, 1.0)
    assert alert.message.endswith("; most of them for: consent wall")
