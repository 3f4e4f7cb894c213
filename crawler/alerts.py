"""Scrapy extension that judges the sites of a crawl at its end, and reports those that are unusual, or as
usual again.

What is found is logged, stored in `site_runs`, and part of the result of `crawler.crawl`. If it is new (an
alert that the crawl before did not have, or one that has ended), a command and a webhook also get it, where
the settings name them. Both get the same JSON. Neither can make a crawl fail, or keep it from ending.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable
from urllib.parse import urlsplit

from scrapy import Spider, signals
from scrapy.crawler import Crawler

from crawler.monitor import SiteAlerts, alert_lines, as_message, conclude_run
from crawler.notifications import Reach, check_url, command_environment, post, run_command, split_command
from crawler.store import StorePipeline
from storage.database import DatabaseError

logger = logging.getLogger(__name__)


class Alerts:
    """Extension that judges the sites when the spider is closed; `found` has those with alerts or recovered.

    Settings: COPYDESK_ALERT_COMMAND, COPYDESK_ALERT_WEBHOOK, COPYDESK_ALERT_SECONDS; in the environment also
    COPYDESK_COMMAND_ENVIRONMENT.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self.crawler = crawler
        self.command = split_command(settings.get("COPYDESK_ALERT_COMMAND") or "", "COPYDESK_ALERT_COMMAND")
        self.environment = command_environment(os.environ) if self.command else {}
        webhook = settings.get("COPYDESK_ALERT_WEBHOOK")
        self.webhook = check_url(webhook, "COPYDESK_ALERT_WEBHOOK") if webhook else None
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
        if command := self.command:
            recipients.append(
                (
                    f"command {command[0]}",
                    lambda: run_command(command, message, self.seconds, self.environment),
                )
            )
        if (webhook := self.webhook) is not None:
            # Only the host: many webhooks have a secret in their address.
            host = urlsplit(webhook).hostname
            # The operator chose the address, so it may be in the operator's own network.
            reach = Reach.anywhere(proxies=True)
            recipients.append(
                (f"webhook at {host}", lambda: post(webhook, message, {}, reach=reach, seconds=self.seconds))
            )
        for name, send in recipients:
            try:
                send()
            except Exception as error:
                logger.error("The alert %s failed: %s", name, error)
