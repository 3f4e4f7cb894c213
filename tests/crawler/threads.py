"""An extension that notes in which thread heavy parts of a crawl run: `thread/NAME/reactor` or `…/other`."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from scrapy.crawler import Crawler

# Functions whose work grows with an answer, and the modules that call them by name.
HEAVY = (
    "crawler.spiders.selection.by_canonical_url",
    "crawler.spiders.selection.new_articles",
    "crawler.spiders.selection.without",
    "crawler.fetch.politeness.RobotsTxt",
    "storage.writer.write_batch",
    "storage.reader.known_urls",
)


class Threads:
    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Threads:
        for path in HEAVY:
            place, _, name = path.rpartition(".")
            module = importlib.import_module(place)
            found = getattr(module, name)
            # For a class, its constructor.
            at, called = (found, "__init__") if isinstance(found, type) else (module, name)
            setattr(at, called, _noting(getattr(at, called), name, crawler))
        return cls()


def _noting(function: Callable[..., Any], name: str, crawler: Crawler) -> Callable[..., Any]:
    @wraps(function)
    def run(*arguments: Any, **named: Any) -> Any:
        is_reactor = threading.current_thread() is threading.main_thread()
        if b"" not in arguments:  # Scrapy tries its parser of robots.txt on nothing
            crawler.stats.inc_value(f"thread/{name}/{'reactor' if is_reactor else 'other'}")
        return function(*arguments, **named)

    return run
