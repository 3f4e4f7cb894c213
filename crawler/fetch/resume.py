"""What a crawl with a JOBDIR needs to go on after it was stopped, in order or by a kill.

Scrapy keeps the requests that are still to be made in files, and writes down how many there are when it
closes them. Of a crawl that was killed that is not true, and reading on ends in an error or leaves requests
out. So they are thrown away then: what had been done stands in the database, and the rest is found again.

Of a crawl that was stopped in order they are good, but its feeds are read again as well, and another crawl
may have stored some of the articles meanwhile.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

from scrapy import Request, Spider
from scrapy.core.scheduler import Scheduler
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.utils.job import job_dir
from twisted.internet.defer import Deferred

logger = logging.getLogger(__name__)

# Request.meta keys. SESSION: which process made the request. ARTICLE: it is for one that was not stored.
SESSION = "copydesk_session"
ARTICLE = "copydesk_article"

_UNDERWAY = "underway"


class AskedBefore(IgnoreRequest):
    """Raised for a request that another one has made needless; the spider's errback receives it."""


class ResumableScheduler(Scheduler):
    """Scrapy's scheduler, which trusts the queue in a JOBDIR only if it was closed."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ResumableScheduler:
        folder = job_dir(crawler.settings)
        if folder and Path(folder, _UNDERWAY).exists():
            logger.warning(
                "%s is of a crawl that was killed: its queue is dropped, what was not stored is found again",
                folder,
            )
            shutil.rmtree(Path(folder, "requests.queue"), ignore_errors=True)
            # Or what was asked for, and never stored, would be filtered for good.
            Path(folder, "requests.seen").unlink(missing_ok=True)
        made: ResumableScheduler = super().from_crawler(crawler)
        made.underway = Path(folder, _UNDERWAY) if folder else None
        return made

    underway: Path | None = None

    def open(self, spider: Spider) -> Deferred[None] | None:
        opened: Deferred[None] | None = super().open(spider)
        if self.underway is not None:
            self.underway.touch()
        return opened

    def close(self, reason: str) -> Deferred[None] | None:
        closed: Deferred[None] | None = super().close(reason)
        if self.underway is not None:
            self.underway.unlink(missing_ok=True)
        return closed


class ResumeMiddleware:
    """Downloader middleware, where there is a JOBDIR: asks for nothing twice, and for nothing stored by now.

    Of requests that say their SESSION, whose spider says which of another's are still wanted (`is_wanted`).
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.asked: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ResumeMiddleware:
        if not job_dir(crawler.settings):
            raise NotConfigured
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        meta = request.meta
        if SESSION not in meta or meta.get("redirect_times") or meta.get("retry_times"):
            return
        if request.url in self.asked:
            raise AskedBefore("asked for in this crawl")
        self.asked.add(request.url)
        spider: Any = self.crawler.spider
        if meta[SESSION] != spider.session and not await spider.is_wanted(request):
            raise AskedBefore("stored, or not of these sites any more")
