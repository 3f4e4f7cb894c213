"""Judges the sites of a crawl at its end: which are unusual, and which are as usual again.

What is found is stored in `site_runs`. `as_message` is what others get of it; it contains nothing that a
crawled page said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crawler.monitor.health import HISTORY, Alert, judge
from storage.crawls import SiteRun, site_runs
from storage.database import open_database, shown_url


@dataclass(frozen=True, slots=True)
class SiteAlerts:
    """The alerts of one site.

    new: figures of the alerts that the crawl before did not have. recovered: figures of alerts that only the
    crawl before had.
    """

    site: str
    alerts: tuple[Alert, ...]
    new: tuple[str, ...]
    recovered: tuple[str, ...]


def conclude_run(url: str, run_id: int, reason: str) -> tuple[str, tuple[SiteAlerts, ...]]:
    """Store how the run ended; if it finished, judge its sites, and store their alerts.

    Returns the database's URL as messages show it, and the sites with alerts or recovered figures.
    """
    engine = open_database(url, create=False)
    try:
        site_runs.end(engine, run_id, reason)
        if reason != "finished":
            return shown_url(engine), ()
        since = datetime.now(UTC) - HISTORY
        histories = site_runs.history(engine, since=since, job_of=run_id)
        alerts = {site: judge(runs) for site, runs in sorted(histories.items())}
        as_json = {site: [alert.as_json() for alert in found] for site, found in alerts.items()}
        site_runs.put_alerts(engine, run_id, as_json)
        compared = (compare_with_last(site, found, histories[site]) for site, found in alerts.items())
        return shown_url(engine), tuple(site for site in compared if site.alerts or site.recovered)
    finally:
        engine.dispose()


def compare_with_last(site: str, alerts: tuple[Alert, ...], runs: Sequence[SiteRun]) -> SiteAlerts:
    """Compare the alerts of the last of these runs with those of the run that was judged before it."""
    judged = [run.alerts for run in runs[:-1] if run.alerts is not None]
    before = [str(alert["figure"]) for alert in judged[-1]] if judged else []
    now = [alert.figure.value for alert in alerts]
    return SiteAlerts(
        site,
        alerts,
        new=tuple(figure for figure in now if figure not in before),
        recovered=tuple(figure for figure in before if figure not in now),
    )


def alert_lines(found: Sequence[SiteAlerts]) -> list[tuple[str, bool]]:
    """A line for each alert and each recovered figure; with True for an alert."""
    lines = []
    for site in found:
        for alert in site.alerts:
            since = "" if alert.figure.value in site.new else " (as in the crawl before)"
            lines.append((f"Site {site.site}: {alert.figure}: {alert.message}{since}", True))
        lines += [(f"Site {site.site}: {figure}: as usual again", False) for figure in site.recovered]
    return lines


def as_message(found: Sequence[SiteAlerts], database: str, run_id: int, spider: str) -> dict[str, Any]:
    """The JSON for a command and a webhook. `text` has everything for people, as chat services show it."""
    return {
        "text": "\n".join(line for line, _ in alert_lines(found)),
        "database": database,
        "run": run_id,
        "spider": spider,
        "sites": [
            {
                "site": site.site,
                "alerts": [
                    {**alert.as_json(), "new": alert.figure.value in site.new} for alert in site.alerts
                ],
                "recovered": list(site.recovered),
            }
            for site in found
        ],
    }
