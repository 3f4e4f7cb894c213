"""Addresses and dates as sources write them, and XML that is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.discovery.entries import absolute, refuse_entities, w3c_date


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("/story/1", "https://gazette.example/story/1"),
        ("story/1", "https://gazette.example/en/story/1"),
        ("\n https://herald.example/1\t", "https://herald.example/1"),
        ("//cdn.example/1", "https://cdn.example/1"),
        ("http://[bad/1", "http://[bad/1"),
    ],
)
def test_links_are_relative_to_their_source(link: str, expected: str) -> None:
    assert absolute("https://gazette.example/en/feed", link) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        (" 2026-03-01T10:00Z\n", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01T10:00:30.5+02:00", datetime(2026, 3, 1, 8, 0, 30, 500_000, tzinfo=UTC)),
        ("2026-03-01T10:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("0001-01-01T00:00+05:00", None),
        ("yesterday", None),
        ("2026-13-01", None),
        ("", None),
    ],
)
def test_dates_are_read_into_utc(text: str, expected: datetime | None) -> None:
    assert w3c_date(text) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("declaration", ['<!ENTITY a "b">', '<! entity a "b">'])
def test_xml_that_declares_entities_is_refused_in_whatever_encoding(declaration: str, encoding: str) -> None:
    with pytest.raises(ValueError, match="declares XML entities"):
        refuse_entities(f"<?xml version='1.0'?><!DOCTYPE r [{declaration}]><r>&a;</r>".encode(encoding))


def test_xml_that_speaks_of_entities_is_not_refused() -> None:
    refuse_entities(b"<rss><title>A legal entity &amp; its owners</title><!-- ENTITY --></rss>")
