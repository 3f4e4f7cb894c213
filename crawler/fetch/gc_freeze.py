"""Keeps the collector of garbage away from the program while a crawl goes on."""

from __future__ import annotations

import gc

from scrapy import signals
from scrapy.crawler import Crawler


class AtRest:
    """Extension: what is in memory when a crawl begins is not searched for garbage until it is over.

    That is the program above all. To search it stops every thread for a seventh of a second, the reactor's
    among them, and happens every few hundred pages.
    """

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> AtRest:
        extension = cls()
        crawler.signals.connect(extension.begin, signal=signals.engine_started)
        crawler.signals.connect(extension.end, signal=signals.engine_stopped)
        return extension

    def begin(self) -> None:
        gc.freeze()

    def end(self) -> None:
        gc.unfreeze()
