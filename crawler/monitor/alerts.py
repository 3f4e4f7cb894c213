"""Tells who runs the crawls when a site breaks, and when it is well again.

At the end of a crawl each of its sites is judged (`crawler.monitor.health`). What was found stands in the
log, in the view `site_runs` and in the result of `crawler.crawl`; news of it, an alert that the crawl before
did not have or one that is over, also goes to a command and a webhook where the settings name them. Both get
the same JSON, whose words are ours and whose names are the operator's: nothing that a crawled page said is
in it. Neither can fail a crawl, or keep it from ending.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shlex
import signal
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from scrapy import Spider, signals
from scrapy.crawler import Crawler

from crawler.monitor.health import HISTORY, Alert, judge
from crawler.store import StorePipeline
from pipeline.errors import OperatorError
from storage.crawls import SiteRun, site_runs
from storage.database import DatabaseError, open_database, shown_url

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SiteAlerts:
    """What was found of one site.

    new: figures of the alerts that its crawl before did not have. recovered: of those that only that one had.
    """

    site: str
    alerts: tuple[Alert, ...]
    new: tuple[str, ...]
    recovered: tuple[str, ...]


class Alerts:
    """Extension that judges the sites of a crawl when it is over; `found` has those with news or alerts."""

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
            return  # the last: nobody is helped by waiting for that database a second time
        try:
            database, self.found = await asyncio.to_thread(conclude, store.database.url, run_id, reason)
        except Exception as error:
            logger.error("The sites of run %d were not judged: %s", run_id, error)
            return
        log(self.found)
        if any(site.new or site.recovered for site in self.found):
            message = as_message(self.found, database, run_id, spider.name)
            await asyncio.to_thread(self._deliver, json.dumps(message).encode())

    def _deliver(self, message: bytes) -> None:
        ways: list[tuple[str, Callable[[], None]]] = []
        if (command := self.command) is not None:
            ways.append((f"command {command[0]}", lambda: run_command(command, message, self.seconds)))
        if (webhook := self.webhook) is not None:
            # Not the whole address: many have a secret in it.
            host = urlsplit(webhook).hostname
            ways.append((f"webhook at {host}", lambda: post(webhook, message, self.seconds)))
        for name, deliver in ways:
            try:
                deliver()
            except Exception as error:
                logger.error("The alert %s failed: %s", name, error)


def conclude(url: str, run_id: int, reason: str) -> tuple[str, tuple[SiteAlerts, ...]]:
    """Records how the run ended, judges its sites if it finished, and records that too.

    Returns the database as messages name it, and the sites with alerts or recovered ones.
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
        concluded = (compared(site, found, histories[site]) for site, found in alerts.items())
        return shown_url(engine), tuple(site for site in concluded if site.alerts or site.recovered)
    finally:
        engine.dispose()


def compared(site: str, alerts: tuple[Alert, ...], runs: Sequence[SiteRun]) -> SiteAlerts:
    """The alerts of the last of these runs beside those of the one that was judged before it."""
    judged = [run.alerts for run in runs[:-1] if run.alerts is not None]
    before = [str(alert["figure"]) for alert in judged[-1]] if judged else []
    now = [alert.figure.value for alert in alerts]
    return SiteAlerts(
        site,
        alerts,
        new=tuple(figure for figure in now if figure not in before),
        recovered=tuple(figure for figure in before if figure not in now),
    )


def log(found: Sequence[SiteAlerts]) -> None:
    """A line an alert, and one a recovery."""
    for line, is_bad in lines(found):
        logger.log(logging.WARNING if is_bad else logging.INFO, "%s", line)


def lines(found: Sequence[SiteAlerts]) -> list[tuple[str, bool]]:
    """What was found as lines for people, each with whether it is bad news."""
    said = []
    for site in found:
        for alert in site.alerts:
            since = "" if alert.figure.value in site.new else " (as in the crawl before)"
            said.append((f"Site {site.site}: {alert.figure}: {alert.message}{since}", True))
        said += [(f"Site {site.site}: {figure}: as it used to be again", False) for figure in site.recovered]
    return said


def as_message(found: Sequence[SiteAlerts], database: str, run_id: int, spider: str) -> dict[str, Any]:
    """What a command and a webhook are given. `text` is all of it for people, as chat services show it."""
    return {
        "text": "\n".join(line for line, _ in lines(found)),
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


def parse_command(text: str | None) -> list[str] | None:
    """The words of a command, as a shell would split them; none is used. Raises OperatorError."""
    try:
        words = shlex.split(text or "")
    except ValueError as error:
        raise OperatorError(
            f"COPYDESK_ALERT_COMMAND: {text!r} cannot be split into words ({error}); close the quotation"
        ) from error
    return words or None


def parse_webhook(text: str | None) -> str | None:
    """The address, if there is one. Raises OperatorError."""
    if not text:
        return None
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise OperatorError("COPYDESK_ALERT_WEBHOOK: no http(s) URL; write a whole one, https://HOST/PATH")
    return text


def run_command(command: Sequence[str], message: bytes, seconds: float) -> None:
    """Runs it with the message on its standard input; what it writes on its standard error is seen.

    Raises OSError where it cannot be run, ChildProcessError where it fails, and TimeoutError after so many
    seconds, when it is killed with all that it started.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        process.communicate(message, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise TimeoutError(f"not done after {seconds:.0f} s, and killed") from error
    if process.returncode:
        raise ChildProcessError(f"exit status {process.returncode}")


def post(url: str, message: bytes, seconds: float) -> None:
    """Posts the message; raises OSError where it is not taken, TimeoutError after so many seconds in all."""
    failed: list[Exception] = []

    def send() -> None:
        request = urllib.request.Request(url, message, {"Content-Type": "application/json"}, method="POST")
        try:
            # A redirect would turn the POST into a GET, without the message.
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=seconds):
                pass
        except Exception as error:
            failed.append(error)

    # The time limit of a socket is for each answer of it: a server that drips could go on for ever.
    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"no answer within {seconds:.0f} s")
    if failed:
        raise failed[0]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None
