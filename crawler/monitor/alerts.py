"""Judges the sites of a crawl at its end, and reports those that are unusual, or as usual again.

What is found is logged, stored in `site_runs`, and part of the result of `crawler.crawl`. If it is new (an
alert that the crawl before did not have, or one that has ended), a command and a webhook also get it, where
the settings name them. Both get the same JSON, which contains nothing that a crawled page said. Neither can
make a crawl fail, or keep it from ending.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from scrapy import Spider, signals
from scrapy.crawler import Crawler

from crawler.monitor.health import HISTORY, Alert, judge
from crawler.monitor.notify import parse_command, parse_webhook, post, run_command
from crawler.store import StorePipeline
from storage.crawls import SiteRun, site_runs
from storage.database import DatabaseError, open_database, shown_url

logger = logging.getLogger(__name__)


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


class Alerts:
    """Extension that judges the sites when the spider is closed; `found` has those with alerts or recovered.

    Settings: COPYDESK_ALERT_COMMAND, COPYDESK_ALERT_WEBHOOK, COPYDESK_ALERT_SECONDS.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self.crawler = crawler
        self.command = parse_command(settings.get("COPYDESK_ALERT_COMMAND"))
        self.webhook = parse_webhook(settings.get("COPYDESK_ALERT_WEBHOOK"))
        self.seconds = settings.getfloat("COPYDESK_ALERT_SECONDS")
        self.found: tuple[SiteAlerts, ...] = ()
        crawler.signals.connect(self._spider_closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Alerts:
        return cls(crawler)

    async def _spider_closed(self, spider: Spider, reason: str) -> None:
        store = self.crawler.get_item_pipeline(StorePipeline)
        run_id = getattr(store, "run_id", None)
        if store is None or run_id is None or isinstance(store.failed, DatabaseError):
            return  # after an error of the database, a second wait would be useless
        try:
            database, self.found = await asyncio.to_thread(conclude_run, store.database.url, run_id, reason)
        except Exception as error:
            logger.error("The sites of run %d were not judged: %s", run_id, error)
            return
        for line, is_alert in alert_lines(self.found):
            logger.log(logging.WARNING if is_alert else logging.INFO, "%s", line)
        if any(site.new or site.recovered for site in self.found):
            message = as_message(self.found, database, run_id, spider.name)
            await asyncio.to_thread(self._send, json.dumps(message).encode())

    def _send(self, message: bytes) -> None:
        recipients: list[tuple[str, Callable[[], None]]] = []
        if (command := self.command) is not None:
            recipients.append((f"command {command[0]}", lambda: run_command(command, message, self.seconds)))
        if (webhook := self.webhook) is not None:
            # Only the host: many webhooks have a secret in their address.
            host = urlsplit(webhook).hostname
            recipients.append((f"webhook at {host}", lambda: post(webhook, message, self.seconds)))
        for name, send in recipients:
            try:
                send()
            except Exception as error:
                logger.error("The alert %s failed: %s", name, error)


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
        histories = site_runs.history(engine, since=since, command_of=run_id)
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
