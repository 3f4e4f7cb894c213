"""Keeps a site from being crawled twice at once: by hand, by cron and by the scheduler."""

from __future__ import annotations

import asyncio
import logging
from typing import Self

from scrapy import Request, signals
from scrapy.crawler import Crawler

from crawler.fetch.politeness import SITE, PutOff
from storage.crawls import SiteLocks

logger = logging.getLogger(__name__)


class SiteLock:
    """Scrapy extension that spiders ask for a site before they ask the site for anything.

    It holds what it took until the spider is closed, and so until the last batch is stored.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.locks: SiteLocks | None = None
        self.taken: dict[str, bool] = {}
        self.taking = asyncio.Lock()
        crawler.signals.connect(self._spider_closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def take(self, site: str) -> bool:
        """Lock the site for this crawl. False where another process was crawling it: it is to be left out.

        That is logged and counted (`site/SITE/locked`) once. Raises DatabaseError as `SiteLocks.take` does.
        """
        async with self.taking:
            if site not in self.taken:
                self.taken[site] = await asyncio.to_thread(self._take, site)
                if not self.taken[site]:
                    logger.warning("Site %s: not crawled: another process is crawling it", site)
                    assert self.crawler.stats is not None
                    self.crawler.stats.inc_value(f"site/{site}/locked")
        return self.taken[site]

    def _take(self, site: str) -> bool:
        if self.locks is None:
            self.locks = SiteLocks(self.crawler.settings["COPYDESK_DB"])
        return self.locks.take(site)

    async def _spider_closed(self) -> None:
        if self.locks is not None:
            await asyncio.to_thread(self.locks.close)
            self.locks = None


class SiteLockMiddleware:
    """Downloader middleware: puts off requests to sites that another process is crawling.

    The spiders leave those out from the start. This is for requests that come another way: out of the queue
    of a JOBDIR, or from a spider of one's own that names the site (`copydesk_site`).
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        site = request.meta.get(SITE)
        lock = self.crawler.get_extension(SiteLock)
        if site is not None and lock is not None and not await lock.take(site):
            raise PutOff(f"another process is crawling {site}")
