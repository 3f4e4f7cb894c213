"""The last run of a site beside its history, for `copydesk stats --sites`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from storage.crawls import SiteRun


@dataclass(frozen=True, slots=True)
class Trend:
    """The last run of a site beside its history.

    usual: median of each of FIGURES over the earlier runs that finished; None if no run has a value.
    stored_by_day: new articles of each of the last days, the oldest day first. alerts: those of the last run
    that was judged.
    """

    site: str
    last: SiteRun
    runs: int
    usual: Mapping[str, float | None]
    stored_by_day: tuple[int, ...]
    alerts: tuple[Mapping[str, Any], ...]


# What a trend compares, and its value in a run. Shares are of the articles that were stored or revised.
FIGURES: Mapping[str, Callable[[SiteRun], float | None]] = {
    "discovered": lambda run: run.discovered,
    "fetched": lambda run: run.fetched,
    "stored": lambda run: run.stored,
    "rejected": lambda run: run.rejected,
    "words": lambda run: run.words,
    "without_date": lambda run: run.without_date / run.texts if run.texts else None,
    "without_author": lambda run: run.without_author / run.texts if run.texts else None,
    "bytes": lambda run: run.bytes,
    "seconds": lambda run: run.seconds,
}


def trend(runs: Sequence[SiteRun], days: int = 14) -> Trend:
    """Return the trend of one site. runs: at least one, the oldest first."""
    last, before = runs[-1], [run for run in runs[:-1] if run.ended == "finished"]
    usual = {}
    for name, value in FIGURES.items():
        values = [found for run in before if (found := value(run)) is not None]
        usual[name] = float(median(values)) if values else None
    today = last.started_at.date()
    by_day = [0] * days
    for run in runs:
        # A clock that was set back lets a later run begin before the ones before it.
        if 0 <= (age := (today - run.started_at.date()).days) < days:
            by_day[days - 1 - age] += run.stored
    judged = [run.alerts for run in runs if run.alerts is not None]
    return Trend(last.site, last, len(runs), usual, tuple(by_day), tuple(judged[-1]) if judged else ())
