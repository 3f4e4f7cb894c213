"""`scrapy runspider` makes crawlers that give it their exit status."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Spider, signals

from crawler.commands.runspider import Command
from tests.crawler.fetch.crawlers import idle_crawler


@pytest.mark.parametrize(("reason", "status"), [("finished", 0), ("start_error", 1)])
def test_the_exit_status_says_whether_the_crawl_could_start(reason: str, status: int) -> None:
    crawler, command = idle_crawler(), Command()
    process: Any = SimpleNamespace(create_crawler=lambda _: crawler, _create_crawler=lambda _: crawler)
    command.crawler_process = process
    assert command._create_crawler(Spider) is crawler
    crawler.signals.send_catch_log(signals.spider_closed, spider=crawler.spider, reason=reason)
    assert command.exitcode == status
