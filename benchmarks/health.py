"""Measures how often `crawler.monitor` raises alerts for healthy sites, and how soon for broken ones.

    python -m benchmarks.health --sites 60 --days 45

The sites are invented. They differ in how much they publish (3 a week to 300 a day), when (day and night,
weekends), how often they are crawled, how long their articles are, and how many have no date or author, or
are rejected. Healthy sites are judged every six hours from the second week on, broken ones every hour after
the break.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from crawler.monitor.health import HISTORY, judge
from storage.schema import SiteRun

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday

FAULTS = ("none", "frozen", "halved", "cut", "no date", "turned away", "unreachable", "empty feed")


def runs_of(chance: random.Random, days: int, fault: str, broken_from: datetime) -> Iterator[SiteRun]:
    """A site's runs over so many days; the fault begins at that time."""
    a_day = math.exp(chance.uniform(math.log(0.5), math.log(300)))
    weekend, night = chance.choice([1.0, 0.6, 0.3, 0.0]), chance.choice([0.0, 0.1, 0.5])
    every = timedelta(minutes=chance.choice([30, 60, 180, 360, 1440]))
    length, spread = chance.uniform(150, 900), chance.uniform(0.4, 0.8)
    no_date, no_author, bad = (chance.choice([0.0, 0.02, 0.1, 0.4]) for _ in range(3))
    at, number = START + timedelta(minutes=chance.randrange(1440)), 0
    while at < START + timedelta(days=days):
        number += 1
        is_broken = fault != "none" and at >= broken_from
        rate = a_day * every / timedelta(days=1)
        rate *= weekend if at.weekday() >= 5 else 1.0
        if every < timedelta(hours=12):
            rate *= night if at.hour < 7 else 24 / 17
        if is_broken and fault in ("frozen", "unreachable", "empty feed"):
            rate = 0.0
        if is_broken and fault == "halved":
            rate *= 0.2
        new = _poisson(chance, rate)
        rejected = sum(
            chance.random() < (0.9 if is_broken and fault == "turned away" else bad) for _ in range(new)
        )
        words = [length * math.exp(chance.gauss(0, spread)) for _ in range(new - rejected)]
        if is_broken and fault == "cut":
            words = [min(60.0, w) for w in words]
        undated = 0.95 if is_broken and fault == "no date" else no_date
        reached = not (is_broken and fault == "unreachable") and chance.random() > 0.01
        values: dict[str, Any] = dict.fromkeys(SiteRun.__dataclass_fields__, 0)
        values |= {
            "run_id": number,
            "site": "gazette",
            "started_at": at,
            "ended": "finished",
            "discovered": 0 if not reached or (is_broken and fault == "empty feed") else 30 + new,
            "stored": len(words) * reached,
            "rejected": rejected * reached,
            "reasons": {"no article": rejected} if rejected and reached else {},
            "words": median(words) if words and reached else None,
            "without_date": sum(chance.random() < undated for _ in words) * reached,
            "without_author": sum(chance.random() < no_author for _ in words) * reached,
            "sources": int(reached),
            "sources_failed": int(not reached),
            "alerts": None,
        }
        yield SiteRun(**values)
        at += every + timedelta(seconds=chance.randrange(-60, 60))


def _poisson(chance: random.Random, mean: float) -> int:
    count, left = 0, chance.expovariate(1)
    while left < mean:
        count += 1
        left += chance.expovariate(1)
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", type=int, default=60)
    parser.add_argument("--days", type=int, default=45)
    asked = parser.parse_args()
    broken_from = START + timedelta(days=asked.days - 10)
    for fault in FAULTS:
        alerts: Counter[str] = Counter()
        hours: list[float] = []
        sites_alerted = judged = 0
        for number in range(asked.sites):
            begin = broken_from if fault != "none" else START + timedelta(days=8)
            last, first_alert = begin, None
            seen: list[SiteRun] = []
            for run in runs_of(random.Random(number), asked.days, fault, broken_from):
                seen.append(run)
                if run.started_at < last + timedelta(hours=6 if fault == "none" else 1):
                    continue
                last = run.started_at
                seen = [r for r in seen if r.started_at > run.started_at - HISTORY]
                judged += 1
                found = judge(seen)
                seen[-1] = replace(run, alerts=[alert.as_json() for alert in found])
                alerts.update(alert.figure for alert in found)
                if found and first_alert is None:
                    first_alert = run.started_at
                    if fault != "none":
                        break
            if first_alert is not None:
                sites_alerted += 1
                hours.append((first_alert - begin) / timedelta(hours=1))
        soon = f"; first after {median(hours):.0f} h (median), {max(hours):.0f} h at most" if hours else ""
        alerted = "".join(f"; {figure} {count}" for figure, count in alerts.most_common())
        print(
            f"{fault}: {sites_alerted} of {asked.sites} sites, {judged} judgements{soon}{alerted}", flush=True
        )


if __name__ == "__main__":
    main()
