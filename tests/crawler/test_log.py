"""The log of a crawl."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from crawler.log import TerseFormatter, one_line, safe_for_log
from tests.storage.news import rejection


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain é 新聞", "plain é 新聞"),
        ("two\nlines", "two\n    lines"),
        ("a\r\x1b[2J\x9b1m\x07\x7f", r"a\r\x1b[2J\x9b1m\x07\x7f"),
        ("\u202eturned\u2028", r"\u202eturned\u2028"),
        ("\ud800", r"\ud800"),
    ],
)
def test_log_messages_are_safe(text: str, safe: str) -> None:
    assert safe_for_log(text) == safe


def test_a_detail_is_one_line_of_bounded_length() -> None:
    assert one_line(" a\nb\x1b[2J\u2028c ") == "a b [2J c"
    assert len(one_line("x" * 10_000)) == 300


def test_an_item_is_logged_by_its_location() -> None:
    formatter: Any = TerseFormatter()
    item = rejection("https://gazette.example/1", datetime(2026, 3, 1, tzinfo=UTC))
    for entry in (
        formatter.scraped(item, None, None),
        formatter.dropped(item, ValueError("no article"), None, None),
        formatter.item_error(item, ValueError("x"), None, None),
    ):
        message = entry["msg"] % entry["args"]
        assert "https://gazette.example/1" in message
        assert "only a list of links" not in message
    assert formatter.scraped({"x": "y" * 1000}, None, None)["args"]["location"] == "{'x': '" + "y" * 193
