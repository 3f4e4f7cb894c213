"""A Scrapy extension for crawls whose sites have limits of time."""

from __future__ import annotations

import asyncio

from scrapy import signals
from scrapy.crawler import Crawler

from crawler.store import StorePipeline


class WorkersFirst:
    """Starts the crawl when its worker processes are ready: no site's time is spent on their start."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        crawler.signals.connect(self._spider_opened, signal=signals.spider_opened)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> WorkersFirst:
        return cls(crawler)

    async def _spider_opened(self) -> None:
        pipeline = self.crawler.get_item_pipeline(StorePipeline)
        assert pipeline is not None
        pool = await pipeline.workers()
        await asyncio.wrap_future(pool.run(divmod, 7, 2))
