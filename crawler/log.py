"""What Scrapy writes into the log of an item: its address, not its bytes."""

from __future__ import annotations

import logging
from typing import Any

from scrapy import logformatter

from pipeline.document import Document, Rejection

# Alembic tells of each of its plugins when it is imported, and of each look at a schema's version.
logging.getLogger("alembic").setLevel(logging.WARNING)


class TerseFormatter(logformatter.LogFormatter):
    """Scrapy's messages, with a document or rejection named by its location (setting LOG_FORMATTER)."""

    def scraped(self, item: Any, response: Any, spider: Any) -> Any:
        return {"level": logging.DEBUG, "msg": "Stored %(location)s", "args": {"location": _name(item)}}

    def dropped(self, item: Any, exception: BaseException, response: Any, spider: Any) -> Any:
        return {
            "level": logging.DEBUG,
            "msg": "Rejected %(location)s: %(exception)s",
            "args": {"location": _name(item), "exception": exception},
        }

    def item_error(self, item: Any, exception: BaseException, response: Any, spider: Any) -> Any:
        return {
            "level": logging.ERROR,
            "msg": "Error processing %(location)s",
            "args": {"location": _name(item)},
        }


def _name(item: Any) -> str:
    """One line, whatever a server put into an address."""
    location = item.location if isinstance(item, Document | Rejection) else str(item)[:200]
    return location.encode("unicode_escape").decode("ascii")
