"""Histories of a site's crawls, and the alerts over them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crawler.monitor.health import HISTORY, Figure, judge
from storage.schema import SiteRun

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)

Change = Callable[[SiteRun], SiteRun]


def run_at(at: datetime, stored: int, **figures: Any) -> SiteRun:
    """An ordinary crawl: two feeds of thirty articles, one page in twenty rejected."""
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
    """Crawled every half hour: some 60 articles on a working day, 15 on a Sunday, none between 1 and 6."""
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
    """Crawled once a day at about six; some 12 articles a day."""
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
    """The alerts after each run from then on, as each crawl would have judged."""
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
    """How long after the break the figure was first reported. Nothing may be reported before."""
    said = over_time(runs, since - timedelta(days=1))
    assert not any(figures for at, figures in said.items() if at < since)
    return min(at for at, figures in said.items() if figure in figures) - since


BREAK = MONDAY + timedelta(days=24, hours=9)  # a Thursday morning
