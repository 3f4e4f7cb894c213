"""Scrapy extensions under which pages and feeds hold up or kill the worker that reads them."""

from __future__ import annotations

import os
import signal
import time
from functools import partial

from scrapy import Spider, signals
from scrapy.crawler import Crawler

from crawler.discovery import Download, Listing, SourceKind, read_source
from crawler.fetch.politeness.budget import BudgetMiddleware
from crawler.sites import Site
from crawler.spiders import news
from crawler.store import item_pipeline
from crawler.workers import WorkerPool
from crawler.workers.worker import process_document
from pipeline.document import Document, Outcome
from pipeline.settings import Settings

SLOW_SECONDS = 1.5


class DeadlyFeed:
    """A Scrapy extension: /deadly.xml kills the process that reads it, /broken.xml raises an exception."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> DeadlyFeed:
        setattr(news, "read_source", read_deadly_source)  # noqa: B010 (mypy takes it for a name of its own)
        return cls()


def read_deadly_source(download: Download, kind: SourceKind, site: Site, limit: int) -> Listing:
    if download.url.endswith("/deadly.xml"):
        os.kill(os.getpid(), signal.SIGKILL)
    if download.url.endswith("/broken.xml"):
        raise KeyError("links")
    return read_source(download, kind, site, limit)


class DeadlyPages:
    """A Scrapy extension: a page with the word DEADLY kills the worker that reads it."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> DeadlyPages:
        setattr(item_pipeline, "WorkerPool", partial(WorkerPool, process=process_deadly_page))  # noqa: B010
        return cls()


def process_deadly_page(document: Document, settings: Settings) -> Outcome:
    if b"DEADLY" in document.body:
        os.kill(os.getpid(), signal.SIGKILL)
    return process_document(document, settings)


class SlowPages:
    """A Scrapy extension: a page with the word SLOW holds the worker that reads it for a while.

    It logs at the end what each site was charged.
    """

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> SlowPages:
        setattr(item_pipeline, "WorkerPool", partial(WorkerPool, process=process_slow_page))  # noqa: B010

        def log_charges(spider: Spider) -> None:
            accounts = getattr(crawler.get_downloader_middleware(BudgetMiddleware), "accounts", {})
            for site, account in accounts.items():
                spider.logger.info("site %s was charged %.3f s", site, account.worker_seconds)

        crawler.signals.connect(log_charges, signal=signals.spider_closed, weak=False)
        return cls()


def process_slow_page(document: Document, settings: Settings) -> Outcome:
    if b"SLOW" in document.body:
        time.sleep(SLOW_SECONDS)
    return process_document(document, settings)
