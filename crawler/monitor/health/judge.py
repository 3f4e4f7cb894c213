"""The checks of a site, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from crawler.monitor.health.alert import Alert
from crawler.monitor.health.articles import check_fewer_articles, check_silence
from crawler.monitor.health.lengths import check_words
from crawler.monitor.health.shares import check_authors, check_dates, check_rejected
from crawler.monitor.health.sources import check_discovered, check_sources, could_read
from storage.crawls import SiteRun

# How much of a site's history is read: four weekends.
HISTORY = timedelta(days=28)


def judge(runs: Sequence[SiteRun]) -> tuple[Alert, ...]:
    """Return the alerts of a site as of its last run.

    runs: of one site, the oldest first, none older than HISTORY; those that did not finish are ignored.
    """
    finished = [run for run in runs if run.ended == "finished"]
    if not finished:
        return ()
    alerts = _alerts(finished, check_sources, check_discovered, check_rejected)
    if not alerts:  # otherwise they are the reason for fewer articles: one cause, one alert
        alerts = _alerts([run for run in finished if could_read(run)], check_silence, check_fewer_articles)[
            :1
        ]
    return (*alerts, *_alerts(finished, check_words, check_dates, check_authors))


def _alerts(runs: Sequence[SiteRun], *checks: Callable[[Sequence[SiteRun]], Alert | None]) -> list[Alert]:
    return [alert for check in checks if (alert := check(runs))]
