"""The exit status of Scrapy's commands."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy import signals
from scrapy.commands import ScrapyCommand

from crawler.commands.status import exit_with_faults
from crawler.store import StorePipeline
from tests.crawler.fetch.crawlers import idle_crawler


class _Command(ScrapyCommand):
    def short_desc(self) -> str:
        return "does nothing"

    def run(self, args: Any, opts: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("reason", "failed", "status"),
    [
        ("finished", None, 0),
        ("shutdown", None, 0),
        ("start_error", None, 1),
        ("finished", OSError("the disk is full"), 1),
    ],
)
def test_a_crawl_that_did_not_start_or_could_not_store_exits_with_1(
    reason: str, failed: Exception | None, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    crawler = idle_crawler()
    store: Any = StorePipeline.__new__(StorePipeline)
    store.failed = failed
    monkeypatch.setattr(crawler, "get_item_pipeline", lambda _: store)
    command = _Command()
    assert exit_with_faults(command, crawler) is crawler
    crawler.signals.send_catch_log(signals.spider_closed, spider=crawler.spider, reason=reason)
    assert command.exitcode == status


def test_a_crawl_whose_sources_all_failed_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    for further, status in (({}, 1), ({"site/b/not_modified": 1}, 0), ({"site/b/sources": 1}, 0)):
        crawler = idle_crawler()
        assert crawler.stats is not None
        monkeypatch.setattr(crawler, "get_item_pipeline", lambda _: None)
        crawler.stats.set_stats({"site/a/sources_failed": 2, "item_scraped_count": 3, **further})
        command = _Command()
        exit_with_faults(command, crawler)
        crawler.signals.send_catch_log(signals.spider_closed, spider=crawler.spider, reason="finished")
        assert command.exitcode == status


def test_a_crawl_without_a_database_exits_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    crawler = idle_crawler()
    monkeypatch.setattr(crawler, "get_item_pipeline", lambda _: None)
    command = _Command()
    exit_with_faults(command, crawler)
    crawler.signals.send_catch_log(signals.spider_closed, spider=crawler.spider, reason="finished")
    assert command.exitcode == 0
