"""`scrapy crawl`, which exits with 1 if the articles could not be stored."""

from __future__ import annotations

from typing import Any

from scrapy.commands import crawl
from scrapy.crawler import Crawler

from crawler.commands.status import exit_with_faults


class Command(crawl.Command):
    def _create_crawler(self, spidercls: Any) -> Crawler:
        return exit_with_faults(self, super()._create_crawler(spidercls))
