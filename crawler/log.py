"""What a crawl writes into its log: of an item its address, not its bytes; and nothing to steer a terminal.

Addresses, headers and messages of errors hold what servers sent. A line end in them would begin a line that
looks like one of our own, and an escape sequence would be obeyed by the terminal that shows the log.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from scrapy import logformatter, signals
from scrapy.crawler import Crawler

from pipeline.document import Document, Rejection

# Alembic tells of each of its plugins when it is imported, and of each look at a schema's version.
logging.getLogger("alembic").setLevel(logging.WARNING)

# Controls but tab and line feed, other line ends, what turns the direction of text, and lone surrogates.
_UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def one_line(text: str) -> str:
    """One printable line: an error message quotes what a server sent."""
    return "".join(c if c.isprintable() else " " for c in text)[:300].strip()


def fit_for_log(text: str) -> str:
    """The text with controls written as escapes, and with lines after the first indented."""
    escaped = _UNFIT.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
    return escaped.replace("\n", "\n    ")


def _fit_record(record: logging.LogRecord) -> bool:
    """A filter of a log handler: changes the record, keeps every one."""
    try:
        message = record.getMessage()
    except Exception:  # the handler tells of a message that does not fit its arguments
        return True
    if (fit := fit_for_log(message)) != message:
        record.msg, record.args = fit, None
    if record.exc_info and not record.exc_text:
        record.exc_text = fit_for_log(logging.Formatter().formatException(record.exc_info))
    return True


def _keep_log_fit() -> None:
    for handler in logging.root.handlers:
        handler.addFilter(_fit_record)


class TerseFormatter(logformatter.LogFormatter):
    """Scrapy's messages, with a document or rejection named by its location (setting LOG_FORMATTER).

    Makes the process's log handlers write every message fit for a log, whoever it comes from.
    """

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> TerseFormatter:
        # Scrapy makes its handler anew between the formatter and the engine.
        crawler.signals.connect(_keep_log_fit, signal=signals.engine_started)
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
