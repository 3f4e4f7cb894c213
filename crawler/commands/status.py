"""Lets Scrapy's commands exit with 1 after a crawl that failed as a whole."""

from __future__ import annotations

from scrapy import signals
from scrapy.commands import ScrapyCommand
from scrapy.crawler import Crawler


def exit_with_faults(command: ScrapyCommand, crawler: Crawler) -> Crawler:
    """Let the command exit with 1 if the crawl could not start, store, or read any source.

    Returns the crawler.
    """

    def closed(reason: str) -> None:
        from crawler.store import StorePipeline, no_source_was_read

        store = crawler.get_item_pipeline(StorePipeline)
        could_not_store = store is not None and store.failed is not None
        could_not_read = reason == "finished" and no_source_was_read(crawler.stats.get_stats())
        if reason == "start_error" or could_not_store or could_not_read:
            command.exitcode = 1

    crawler.signals.connect(closed, signal=signals.spider_closed, weak=False)
    return crawler
