"""Keeps a site from being crawled twice at once: by hand, by cron and by the scheduler."""

from __future__ import annotations

import asyncio
import logging
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler

from storage.site_locks import SiteLocks

logger = logging.getLogger(__name__)


class SiteLock:
    """Scrapy extension that spiders ask for a site before they ask the site for anything.

    It holds what it took until the spider is closed, and so until the last batch is stored.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.locks: SiteLocks | None = None
        crawler.signals.connect(self._spider_closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def take(self, site: str) -> bool:
        """Lock the site for this crawl. False where another process is crawling it: it is to be left out.

        That is logged and counted (`site/SITE/locked`). Raises DatabaseError as `SiteLocks.take` does.
        """
        if await asyncio.to_thread(self._take, site):
            return True
        logger.warning("Site %s: not crawled: another process is crawling it", site)
        assert self.crawler.stats is not None
        self.crawler.stats.inc_value(f"site/{site}/locked")
        return False

    def _take(self, site: str) -> bool:
        if self.locks is None:
            self.locks = SiteLocks(self.crawler.settings["COPYDESK_DB"])
        return self.locks.take(site)

    async def _spider_closed(self) -> None:
        if self.locks is not None:
            await asyncio.to_thread(self.locks.close)
            self.locks = None
