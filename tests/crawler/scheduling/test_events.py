"""The log of the scheduler."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from crawler.scheduling.events import _JournalFormatter, event_line, log_event

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_an_event_is_one_line_whatever_its_values_hold() -> None:
    assert event_line(
        "crawl-said", site="gazette", line='ERROR: "x"\n\x1b[31m\x85 ü', none=None, at=NOON
    ) == (r'crawl-said site=gazette line="ERROR: \"x\"\\n\\x1b[31m\\x85 ü" at=2026-03-01T12:00:00Z')


def test_an_event_is_logged_by_one_logger_with_its_level(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "crawler.scheduling"):
        log_event("started", sites=2)
        log_event("crawl-failed", logging.ERROR, site="gazette")
    assert [(record.name, record.levelname, record.message) for record in caplog.records] == [
        ("crawler.scheduling", "INFO", "started sites=2"),
        ("crawler.scheduling", "ERROR", "crawl-failed site=gazette"),
    ]


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.INFO, 6), (logging.WARNING, 4), (logging.ERROR, 3), (logging.CRITICAL, 3)],
)
def test_journald_gets_the_priority_of_each_line(level: int, priority: int) -> None:
    record = logging.LogRecord("x", level, "", 0, "one\ntwo", None, None)
    assert _JournalFormatter().format(record) == f"<{priority}>one\n<{priority}>two"
