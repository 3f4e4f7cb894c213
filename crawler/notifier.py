"""Scrapy extension that delivers what watchlists have to tell at the end of a crawl.

The store has matched them when it ended its run. A delivery can neither make a crawl fail, nor keep it from
ending: it may take a short time, and what is left waits for the next run.
"""

from __future__ import annotations

import asyncio
import logging

from scrapy import signals
from scrapy.crawler import Crawler

from crawler.notifications import DeliveryCounts, deliver_after_run
from crawler.store import StorePipeline
from storage.database import DatabaseError, open_database

logger = logging.getLogger(__name__)


class Notifier:
    """Extension that delivers when the spider is closed; its settings are in the environment."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        crawler.signals.connect(self._spider_closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Notifier:
        return cls(crawler)

    async def _spider_closed(self) -> None:
        store = self.crawler.get_item_pipeline(StorePipeline)
        if store is None or store.run_id is None or isinstance(store.failed, DatabaseError):
            return
        try:
            counts = await asyncio.to_thread(_deliver, store.database.url)
        except DatabaseError as error:
            logger.error("Notifications were not delivered: %s", error)
            return
        if counts.delivered or counts.failed or counts.dead:
            logger.info(
                "Notifications: %d delivered, %d failed, %d given up",
                counts.delivered,
                counts.failed,
                counts.dead,
            )


def _deliver(url: str) -> DeliveryCounts:
    engine = open_database(url, create=False)
    try:
        return deliver_after_run(engine)
    finally:
        engine.dispose()
