"""Lets Scrapy's commands exit with 1 after a crawl that could not store its articles."""

from __future__ import annotations

from scrapy import signals
from scrapy.commands import ScrapyCommand
from scrapy.crawler import Crawler


def exit_with_faults(command: ScrapyCommand, crawler: Crawler) -> Crawler:
    """Let the command exit with 1 if the crawl could not start, or could not store; returns the crawler."""

    def closed(reason: str) -> None:
        from crawler.store import StorePipeline

        store = crawler.get_item_pipeline(StorePipeline)
        if reason == "start_error" or (store is not None and store.failed is not None):
            command.exitcode = 1

    crawler.signals.connect(closed, signal=signals.spider_closed, weak=False)
    return crawler
