"""A crawl without a database, in which requests are as polite and as guarded as in any other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrapy import Spider
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings

from crawler import settings as own

_POLITENESS = "crawler.fetch.politeness.Politeness"


def settings_without_database(
    changes: Mapping[str, Any] | None, *, pipelines: Mapping[str, int] | None = None
) -> Settings:
    """The settings of a crawl, with these item pipelines alone. changes: override crawler.settings."""
    project = Settings()
    project.setmodule("crawler.settings", priority="project")
    project.update(
        {
            "ITEM_PIPELINES": {**dict.fromkeys(own.ITEM_PIPELINES), **(pipelines or {})},
            "EXTENSIONS": {**dict.fromkeys(own.EXTENSIONS), _POLITENESS: own.EXTENSIONS[_POLITENESS]},
            "RETRY_TIMES": 1,
            "LOG_LEVEL": "ERROR",
            "LOG_VERSIONS": [],
            "STATS_DUMP": False,
            **(changes or {}),
        },
        priority="cmdline",
    )
    return project


def crawl_to_end(project: Settings, spider: type[Spider], **arguments: Any) -> Crawler:
    """Run the spider; only once in a process, like every crawl.

    Raises what its start raises, and KeyboardInterrupt if a second signal ended it.
    """
    process = AsyncCrawlerProcess(project)
    crawler = process.create_crawler(spider)
    task = process.crawl(crawler, **arguments)
    process.start()
    if not task.done():
        raise KeyboardInterrupt  # stopped without waiting for anything
    task.result()
    return crawler


def require_finished(crawler: Crawler) -> None:
    """Raise KeyboardInterrupt if a signal ended the crawl."""
    if crawler.stats is None or crawler.stats.get_value("finish_reason") != "finished":
        raise KeyboardInterrupt
