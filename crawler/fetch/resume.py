"""Continues a crawl that has a JOBDIR after it was stopped or killed.

Scrapy keeps the pending requests in files, and writes their number when it closes them. After a kill that
number is wrong, and reading the files ends in an error or loses requests. So they are dropped then: what was
done is in the database, and the rest is found again.

After an orderly stop the files are good. But the feeds are read again as well, and another crawl may have
stored some of the articles since, so requests from the files are checked before they are made.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

from scrapy import Request, Spider
from scrapy.core.scheduler import Scheduler
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.utils.job import job_dir
from twisted.internet.defer import Deferred

from crawler.fetch.errors import RequestNotNeeded
from crawler.fetch.request_meta import SESSION

logger = logging.getLogger(__name__)

# A file in the JOBDIR that exists while a crawl uses it. The name stays: older JOBDIRs have it.
_IN_USE = "underway"


class ResumableScheduler(Scheduler):
    """Scrapy's scheduler, which drops the queue of a JOBDIR if the crawl before was killed.

    Settings: SCHEDULER names the class; JOBDIR, SCHEDULER_PRIORITY_QUEUE and others of Scrapy's scheduler.
    """

    in_use: Path | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ResumableScheduler:
        folder = job_dir(crawler.settings)
        if folder and Path(folder, _IN_USE).exists():
            logger.warning(
                "%s is of a crawl that was killed: its queue is dropped, what was not stored is found again",
                folder,
            )
            shutil.rmtree(Path(folder, "requests.queue"), ignore_errors=True)
            # Otherwise requests whose article was never stored would stay filtered.
            Path(folder, "requests.seen").unlink(missing_ok=True)
        made: ResumableScheduler = super().from_crawler(crawler)
        made.in_use = Path(folder, _IN_USE) if folder else None
        return made

    def open(self, spider: Spider) -> Deferred[None] | None:
        opened: Deferred[None] | None = super().open(spider)
        if self.in_use is not None:
            self.in_use.touch()
        return opened

    def close(self, reason: str) -> Deferred[None] | None:
        closed: Deferred[None] | None = super().close(reason)
        if self.in_use is not None:
            self.in_use.unlink(missing_ok=True)
        return closed


class ResumeMiddleware:
    """Downloader middleware that makes no request twice, and none that is not needed any more.

    It checks requests that name their process (`copydesk_session`); the spider's `is_wanted` decides about
    those of an earlier process. Setting: JOBDIR (without one the middleware is off).
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.requested: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ResumeMiddleware:
        if not job_dir(crawler.settings):
            raise NotConfigured
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        meta = request.meta
        if SESSION not in meta or meta.get("redirect_times") or meta.get("retry_times"):
            return
        if request.url in self.requested:
            raise RequestNotNeeded("already requested in this crawl")
        self.requested.add(request.url)
        spider: Any = self.crawler.spider
        if meta[SESSION] != spider.session and not await spider.is_wanted(request):
            raise RequestNotNeeded("already stored, or not of these sites any more")
