"""Keeps a site from being crawled by two processes at once: by hand, by cron and by the scheduler.

Settings: COPYDESK_DB, in which the locks are.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Self

from scrapy import Request, signals
from scrapy.crawler import Crawler

from crawler.fetch.errors import PutOff
from crawler.fetch.request_meta import SITE
from storage.crawls import SiteLocks

logger = logging.getLogger(__name__)


class SiteLock:
    """Extension with which a spider locks a site before its first request to it.

    The locks are held until the spider is closed, that is until the last batch is stored.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.locks: SiteLocks | None = None
        # Whether this crawl has the lock, by site.
        self.taken: dict[str, bool] = {}
        self.taking = asyncio.Lock()
        crawler.signals.connect(self._spider_closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def take(self, site: str) -> bool:
        """Lock the site for this crawl. False if another process crawls it: then this crawl leaves it out.

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
    """Downloader middleware that raises PutOff for requests to sites that another process crawls.

    Copydesk's spiders leave those sites out from the start. This is for other requests: from the queue of a
    JOBDIR, or from another spider that names the site (`copydesk_site`).
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
