"""Formats a crawl's log: items by their location, and no control characters.

URLs, headers and error messages contain what servers sent. A line end in them would start a line that looks
like one of Copydesk's own, and a terminal that shows the log would obey an escape sequence.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from scrapy import logformatter, signals
from scrapy.crawler import Crawler

from pipeline.document import Document, Rejection

# Alembic logs each of its plugins when it is imported, and each time it reads a schema's version.
logging.getLogger("alembic").setLevel(logging.WARNING)

# Controls except tab and line feed, other line ends, changes of text direction, and lone surrogates.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def one_line(text: str) -> str:
    """Return the text as one printable line of at most 300 characters."""
    return "".join(c if c.isprintable() else " " for c in text)[:300].strip()


def safe_for_log(text: str) -> str:
    """Return the text with control characters as escapes, and with lines after the first indented."""
    escaped = _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
    return escaped.replace("\n", "\n    ")


def _make_record_safe(record: logging.LogRecord) -> bool:
    """A filter for log handlers that changes records and keeps all of them."""
    try:
        message = record.getMessage()
    except Exception:  # the handler reports a message that does not match its arguments
        return True
    if (safe := safe_for_log(message)) != message:
        record.msg, record.args = safe, None
    if record.exc_info and not record.exc_text:
        record.exc_text = safe_for_log(logging.Formatter().formatException(record.exc_info))
    return True


def _make_handlers_safe() -> None:
    for handler in logging.root.handlers:
        handler.addFilter(_make_record_safe)


class TerseFormatter(logformatter.LogFormatter):
    """Scrapy's messages, with the location of a document or rejection in place of its content.

    It also makes the process's log handlers escape control characters in every message, wherever it comes
    from. Setting: LOG_FORMATTER names the class.
    """

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> TerseFormatter:
        # Scrapy replaces its handler after it made the formatter, and before the engine starts.
        crawler.signals.connect(_make_handlers_safe, signal=signals.engine_started)
        return cls()

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
    return item.location if isinstance(item, Document | Rejection) else str(item)[:200]
