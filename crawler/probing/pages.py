"""Fetches single pages for `copydesk extract URL` and `copydesk ingest URL`, as `scrapy crawl urls` does."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from crawler.fetched import failure_to_rejection
from crawler.probing.crawling import crawl_to_end, require_finished, settings_without_database
from crawler.spiders.urls import UrlsSpider
from pipeline.document import Document, Rejection

Take = Callable[[Document | Rejection], None]


class PagesSpider(UrlsSpider):
    """The spider of lists, for URLs that a program names; each gives exactly one document or rejection.

    take: is called with each of them.
    """

    name = "pages"

    def __init__(self, urls: Sequence[str] = (), take: Take | None = None, **arguments: Any) -> None:
        super().__init__("-", **arguments)
        self.lines = io.StringIO("\n".join(urls))
        self.take = take

    def failed(self, failure: Any) -> Iterator[Rejection]:
        """Make a rejection of whatever failed: nothing else says why there is no page."""
        yield failure_to_rejection(failure)


class TakePipeline:
    """Item pipeline that hands what was fetched to the program that asked for it."""

    def __init__(self, spider: PagesSpider) -> None:
        self.spider = spider

    @classmethod
    def from_crawler(cls, crawler: Any) -> TakePipeline:
        return cls(crawler.spider)

    def process_item(self, item: Document | Rejection) -> Document | Rejection:
        assert self.spider.take is not None
        self.spider.take(item)
        return item


def fetch_pages(urls: Sequence[str], take: Take, *, settings: Mapping[str, Any] | None = None) -> None:
    """Fetch the URLs by the rules of a crawl, without a database; only once in a process.

    robots.txt, delays, user agent, limits of size and time, the guard against private addresses and other
    hosts: all are those of `scrapy crawl urls`. take: is called with each document or rejection as it comes.
    settings: override crawler.settings. Raises OperatorError for a missing contact address, and
    KeyboardInterrupt if a signal ended it.
    """
    project = settings_without_database(
        settings, pipelines={f"{TakePipeline.__module__}.{TakePipeline.__name__}": 500}
    )
    require_finished(crawl_to_end(project, PagesSpider, urls=urls, take=take))
