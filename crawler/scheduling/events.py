"""The log of the scheduler: each event is one line, its name and then `key=value`.

A value that holds more than one word is in quotes.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from datetime import UTC, datetime

# All events are logged by the package's logger.
logger = logging.getLogger("crawler.scheduling")

_WORD = re.compile(r"[^\s\"'=\\]+")


def log_event(name: str, level: int = logging.INFO, **values: object) -> None:
    """Log an event; values that are None are left out."""
    logger.log(level, "%s", event_line(name, **values))


def event_line(name: str, **values: object) -> str:
    """Return `name key=value …` in one line that can be read and searched, whatever the values hold."""
    pairs = (f"{key}={_formatted(value)}" for key, value in values.items() if value is not None)
    return " ".join((name, *pairs))


def log_events_to_stderr() -> None:
    """Write the events to standard error, with the time in UTC, or in the format of journald if it reads."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JournalFormatter() if _is_journal() else _Formatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logger.setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def _formatted(value: object) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(value))
    return text if _WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _is_journal() -> bool:
    """True if standard error goes to journald, see systemd.exec(5), JOURNAL_STREAM."""
    stat = os.fstat(2)
    return os.environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"


class _Formatter(logging.Formatter):
    converter = time.gmtime  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")


class _JournalFormatter(logging.Formatter):
    """Without the time, which journald adds, and with the priority in front, see sd-daemon(3)."""

    def format(self, record: logging.LogRecord) -> str:
        priority = 6 if record.levelno < logging.WARNING else 4 if record.levelno < logging.ERROR else 3
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())
