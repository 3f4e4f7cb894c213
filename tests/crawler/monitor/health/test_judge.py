"""What operators expect of alerts: told of what breaks, and left alone on nights and weekends."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawler.monitor.health import HISTORY, Alert, Figure, judge
from crawler.monitor.trend import trend
from storage.schema import SiteRun

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)

Change = Callable[[SiteRun], SiteRun]


def run_at(at: datetime, stored: int, **figures: Any) -> SiteRun:
    """A crawl like any other: two feeds of thirty articles, one page in twenty turned away."""
    rejected = round(stored / 20)
    return SiteRun(
        **{
            "run_id": int((at - MONDAY) / timedelta(minutes=1)),
            "site": "gazette",
            "started_at": at,
            "ended": "finished",
            "discovered": 60,
            "fetched": stored + rejected,
            "not_modified": 0,
            "revisited": 0,
            "gone": 0,
            "stored": stored,
            "revised": 0,
            "updated": 0,
            "unchanged": 0,
            "rejected": rejected,
            "reasons": {"no article": rejected} if rejected else {},
            "words": 400.0 if stored else None,
            "without_date": round(stored / 10),
            "without_author": round(stored / 5),
            "bytes": 50_000 * stored,
            "seconds": 2.0 * stored,
            "sources": 2,
            "sources_failed": 0,
            "put_off": 0,
            **figures,
        }
    )


def like(run: SiteRun, **figures: Any) -> SiteRun:
    return replace(run, **figures)


def busy(days: float, seed: int = 1) -> list[SiteRun]:
    """Asked every half hour; some 60 articles on a working day, 15 on a Sunday, none between 1 and 6."""
    chance = random.Random(seed)
    runs = []
    for number in range(int(days * 48)):
        at = MONDAY + timedelta(minutes=30 * number, seconds=chance.randrange(60))
        asleep = 1 <= at.hour < 6
        some = chance.choice([0, 1, 1, 2, 3] if at.weekday() < 5 else [0, 0, 0, 0, 1, 1])
        words = 400.0 * chance.uniform(0.7, 1.4)
        quiet = {"not_modified": 2, "sources": 0, "discovered": 0} if asleep else {}
        runs.append(
            run_at(at, 0 if asleep else some, **({} if asleep or not some else {"words": words}), **quiet)
        )
    return runs


def daily(days: int, weekdays_only: bool = False) -> list[SiteRun]:
    """Asked once a day, at six or nearly; some 12 articles a day."""
    chance = random.Random(2)
    runs = []
    for number in range(days):
        at = MONDAY + timedelta(days=number, hours=6, seconds=chance.randrange(-90, 90))
        stored = 0 if weekdays_only and at.weekday() >= 5 else chance.randrange(9, 16)
        runs.append(run_at(at, stored))
    return runs


def changed(runs: list[SiteRun], since: datetime, change: Change) -> list[SiteRun]:
    return [change(run) if run.started_at >= since else run for run in runs]


def over_time(runs: list[SiteRun], since: datetime) -> dict[datetime, set[Figure]]:
    """What is said after each of the runs from then on, as each crawl would have judged."""
    found = {}
    told: list[SiteRun] = []
    for run in runs:
        told = [r for r in told if r.started_at > run.started_at - HISTORY]
        alerts = judge([*told, run]) if run.started_at >= since else ()
        told.append(like(run, alerts=[alert.as_json() for alert in alerts]))
        if run.started_at >= since:
            found[run.started_at] = {alert.figure for alert in alerts}
    return found


def union(said: Iterable[set[Figure]]) -> set[Figure]:
    return {figure for figures in said for figure in figures}


def first_told(runs: list[SiteRun], since: datetime, figure: Figure) -> timedelta:
    """How long after the break the figure was first told; nothing may be told before."""
    said = over_time(runs, since - timedelta(days=1))
    assert not any(figures for at, figures in said.items() if at < since)
    return min(at for at, figures in said.items() if figure in figures) - since


BREAK = MONDAY + timedelta(days=24, hours=9)  # a Thursday morning


def test_normal_weeks_with_nights_and_weekends_raise_no_alert() -> None:
    for seed in (1, 2):
        runs = busy(30, seed)
        said = over_time(runs, MONDAY + timedelta(days=26, hours=12))  # over the fourth weekend
        assert union(said.values()) == set()
    for runs in (daily(40), daily(40, weekdays_only=True)):
        assert union(over_time(runs, MONDAY).values()) == set()


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
def test_a_break_is_told_soon(figure: Figure, within: timedelta, break_: dict[str, Any]) -> None:
    def change(run: SiteRun) -> SiteRun:
        return like(run, **{**break_, "words": break_.get("words", run.words) if run.stored else None})

    runs = changed(busy(26), BREAK, change)
    assert first_told(runs, BREAK, figure) <= within


def test_pages_that_are_turned_away_are_told_with_the_reason() -> None:
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
def test_metadata_that_vanish_are_told(column: str, figure: Figure) -> None:
    runs = changed(busy(26), BREAK, lambda run: like(run, **{column: run.stored}))
    assert first_told(runs, BREAK, figure) <= timedelta(hours=22)
    daily_runs = changed(daily(28), BREAK, lambda run: like(run, **{column: run.stored}))
    assert first_told(daily_runs, BREAK, figure) <= timedelta(days=2)
    alert = next(alert for alert in judge(daily_runs) if alert.figure is figure)
    assert (alert.now, alert.was < 0.3) == (1.0, True)


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


def test_after_a_recovery_the_alerts_end() -> None:
    cut = changed(busy(28), BREAK, lambda run: like(run, words=60.0 if run.stored else None))
    mended = BREAK + timedelta(days=1)
    runs = [
        like(run, words=original.words) if run.started_at >= mended else run
        for run, original in zip(cut, busy(28), strict=True)
    ]
    assert Figure.WORDS in {alert.figure for alert in judge([r for r in runs if r.started_at < mended])}
    assert judge(runs) == ()


def test_what_stays_becomes_the_sites_own_way() -> None:
    runs = changed(daily(24 + 28), BREAK, lambda run: like(run, without_author=run.stored))
    said = over_time(runs, BREAK)
    days = [at for at, figures in said.items() if Figure.WITHOUT_AUTHOR in figures]
    assert timedelta(days=10) < max(days) - min(days) < timedelta(days=20)


def test_a_new_site_is_not_judged_before_its_history_is_known() -> None:
    for length in range(1, 7):
        broken = changed(daily(length), MONDAY, lambda run: like(run, words=20.0, without_date=run.stored))
        assert judge(broken) == ()
    assert judge([]) == ()
    assert judge([run_at(MONDAY, 0, sources=0, sources_failed=2)]) == ()


def test_crawls_that_did_not_finish_count_for_nothing() -> None:
    runs = daily(26)
    stopped = [
        like(run, ended=how, stored=0, sources=0, sources_failed=2, words=None)
        for run, how in zip(daily(30)[26:], ("shutdown", None, "storage_error", None), strict=True)
    ]
    assert judge([*runs, *stopped]) == ()


def test_a_crawler_that_stood_still_is_not_the_sites_fault() -> None:
    runs = busy(28)
    off = [run for run in runs if not BREAK <= run.started_at < BREAK + timedelta(hours=40)]
    assert union(over_time(off, BREAK).values()) == set()


def test_known_articles_that_are_asked_for_again_hide_nothing_and_what_is_gone_is_no_break() -> None:
    visited = [like(run, unchanged=80, revisited=81, gone=1, rejected=run.rejected + 1) for run in daily(26)]
    assert judge(visited) == ()

    def change(run: SiteRun) -> SiteRun:
        return like(run, stored=0, words=None, rejected=run.stored, reasons={"no article": run.stored})

    assert [alert.figure for alert in judge(changed(visited, BREAK, change))] == [Figure.REJECTED]
    many = changed(visited, BREAK, lambda run: like(run, gone=60, rejected=60, reasons={"error page": 60}))
    assert judge(many) == ()


def test_what_an_operator_had_taken_out_is_no_rejection_of_the_sites() -> None:
    def change(run: SiteRun) -> SiteRun:
        return like(run, stored=0, words=None, rejected=run.stored, reasons={"forgotten": run.stored})

    runs = changed(daily(26), BREAK, change)
    assert Figure.REJECTED not in {alert.figure for alert in judge(runs)}


def test_an_alert_says_from_what_to_what() -> None:
    runs = changed(daily(27), BREAK, lambda run: like(run, words=61.0))
    (alert,) = judge(runs)
    assert alert == Alert(Figure.WORDS, 400.0, 61.0, "its new articles have 61 words (median), 400 before")
    assert alert.as_json() == {
        "figure": "words",
        "was": 400.0,
        "now": 61.0,
        "message": "its new articles have 61 words (median), 400 before",
    }
