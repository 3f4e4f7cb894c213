"""A crawler that makes no connection, for tests of one component."""

from __future__ import annotations

from typing import Any

from scrapy.core.downloader import Slot
from scrapy.crawler import Crawler
from scrapy.utils.test import get_crawler

from crawler.fetch.politeness.hosts import Politeness

POLITENESS = "crawler.fetch.politeness.Politeness"


def idle_crawler(**settings: Any) -> Crawler:
    """Return a crawler with a spider, an engine and the extension Politeness, but no download handlers."""
    crawler = get_crawler(
        settings_dict={
            "EXTENSIONS": {POLITENESS: 10},
            "DOWNLOAD_HANDLERS": dict.fromkeys(("data", "file", "ftp", "http", "https", "s3")),
            "COPYDESK_BACKOFF_SECONDS": 2.0,
            "COPYDESK_BACKOFF_MAX_SECONDS": 120.0,
            "COPYDESK_HOST_FAILURES": 3,
            **settings,
        }
    )
    crawler.spider = crawler._create_spider()
    crawler.engine = crawler._create_engine()
    return crawler


def politeness_of(crawler: Crawler) -> Politeness:
    politeness = crawler.get_extension(Politeness)
    assert politeness is not None
    return politeness


def add_slot(crawler: Crawler, host: str, concurrency: int = 1) -> Slot:
    """Return the downloader slot of a host, as its first request makes one."""
    assert crawler.engine is not None
    slot = crawler.engine.downloader.slots[host] = Slot(concurrency, 0.0)
    return slot
