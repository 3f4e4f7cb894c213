"""Documents that hang or kill workers in tests, as their body says. Worker processes import this module."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import signal
import time
from datetime import UTC, datetime
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
from pipeline.document import Document, MediaType, Origin, Outcome, Reason, Rejection, Stage
from pipeline.settings import Settings

SLOW_SECONDS = 1.5


def document(body: str, number: int = 0) -> Document:
    location = f"doc-{number}"
    return Document(
        location,
        f"https://outlet.example/{location}",
        body.encode(),
        MediaType.TEXT,
        datetime(2024, 5, 1, tzinfo=UTC),
        Origin.FILE,
    )


def process(document: Document, settings: Settings) -> Outcome:
    """Does what the body says, then returns a rejection with the body and the id of the process."""
    order, _, argument = document.body[:200].decode().partition(" ")
    if order == "sleep":
        time.sleep(float(argument))
    elif order == "hang":
        re.match(r"(a+)+$", "a" * 64 + "b")  # holds the interpreter's lock the whole time
    elif order == "exit":
        os._exit(int(argument))
    elif order == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif order == "crash":
        ctypes.string_at(0)
    elif order == "raise":
        raise ValueError(argument)
    elif order == "quit":
        raise SystemExit(3)
    elif order == "bomb":
        filled = [bytearray(50_000_000) for _ in range(100)]
        return _end(document, str(len(filled)))
    elif order == "unsendable":
        return lambda: None  # type: ignore[return-value]
    elif order == "length":
        return _end(document, str(len(document.body)))
    elif order == "large":
        return _end(document, "x" * int(argument))
    elif order == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
    return _end(document, str(os.getpid()))


class Unsendable(Exception):
    """An exception that cannot be made again from its arguments."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one)


def call(order: str) -> object:
    """Does what the order says, as `process` does for a document; returns the order."""
    if order == "raise unsendable":
        raise Unsendable("made in the worker", "of two arguments")
    found = process(document(order), Settings())
    return found if order == "unsendable" else order


def memory_peak() -> int:
    """The peak memory of the process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


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


def _end(document: Document, detail: str) -> Outcome:
    return Rejection(
        document.location, document.url, Stage.EXTRACT, Reason.NO_ARTICLE, detail, document.fetched_at, "test"
    )
