"""Sitemaps: well-formed, sloppy and hostile."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.discovery.sitemaps import MAX_SITEMAP_ENTRIES, parse_sitemap, sitemaps_in_robots
from tests.crawler.discovery.test_feeds import BOMB, LAUGHS

BASE = "https://gazette.example/news.xml"

NEWS_SITEMAP = b"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc> https://gazette.example/1 </loc><news:news><news:publication><news:name>Gazette</news:name>
<news:language>en</news:language></news:publication><news:publication_date>2026-03-02T10:00:00+01:00</news:publication_date>
<news:title>Ferry &amp; harbour</news:title></news:news></url>
<url><loc>/2</loc><lastmod>2026-03-01</lastmod>
<image:image><image:loc>https://gazette.example/2.jpg</image:loc></image:image></url>
<url><lastmod>2026-03-01</lastmod></url>
</urlset>"""


def test_a_news_sitemap() -> None:
    sitemap = parse_sitemap(NEWS_SITEMAP, "https://gazette.example/news.xml")
    assert not sitemap.is_index
    first, second = sitemap.entries
    assert first.url == "https://gazette.example/1"
    assert first.at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert (first.claims.title, first.claims.language) == ("Ferry & harbour", "en")
    assert second.url == "https://gazette.example/2"
    assert second.at == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_sitemap_index() -> None:
    body = b"<sitemapindex><sitemap><loc>https://gazette.example/1.xml.gz</loc></sitemap></sitemapindex>"
    sitemap = parse_sitemap(body, BASE)
    assert sitemap.is_index
    assert [entry.url for entry in sitemap.entries] == ["https://gazette.example/1.xml.gz"]


def test_a_truncated_sitemap_gives_its_complete_entries() -> None:
    assert len(parse_sitemap(NEWS_SITEMAP[:-250], BASE).entries) >= 1


def test_a_text_sitemap() -> None:
    body = b"\xef\xbb\xbfhttps://gazette.example/1\r\n\r\nnot a url\r\nhttps://gazette.example/2\r\n"
    assert [e.url for e in parse_sitemap(body, BASE).entries] == [
        "https://gazette.example/1",
        "https://gazette.example/2",
    ]


@pytest.mark.parametrize(
    "body", [b"", b"nothing here", b"<html><body>Not found</body></html>", b"<", b"\0\0\0"]
)
def test_content_that_is_not_a_sitemap(body: bytes) -> None:
    with pytest.raises(ValueError, match="no sitemap"):
        parse_sitemap(body, BASE)


def test_sitemaps_in_robots() -> None:
    body = b"User-agent: *\nSitemap: /s.xml\nSITEMAP : https://gazette.example/n.xml.gz\nsitemap: /s.xml\n"
    assert sitemaps_in_robots(body, "https://gazette.example/robots.txt") == (
        "https://gazette.example/s.xml",
        "https://gazette.example/n.xml.gz",
    )


@pytest.mark.parametrize(
    ("loc", "url"),
    [
        ("https://gazette.example/?a=1&amp;b=2&c=3", "https://gazette.example/?a=1&b=2&c=3"),
        ("<![CDATA[https://gazette.example/?a=1&b=2]]>", "https://gazette.example/?a=1&b=2"),
    ],
)
def test_bare_ampersands_in_addresses_are_kept(loc: str, url: str) -> None:
    body = f"<urlset><url><loc>{loc}</loc></url></urlset>".encode()
    assert [entry.url for entry in parse_sitemap(body, BASE).entries] == [url]


def test_a_sitemap_in_another_charset() -> None:
    text = (
        '<?xml version="1.0" encoding="utf-16"?><urlset><url><loc>/1</loc><title>Паром</title></url></urlset>'
    )
    (entry,) = parse_sitemap(text.encode("utf-16"), BASE).entries
    assert (entry.url, entry.claims.title) == ("https://gazette.example/1", "Паром")


@pytest.mark.parametrize(
    "piece",
    [
        b"<url><loc>/1</loc></url>",
        b"<url>",
        b"<url><a>",
        b"<",
        b"<n",
        b"<n ",
        b"&",
        b"<url><loc>",
        b"<![CDATA[",
    ],
)
def test_huge_sitemaps_are_cut(piece: bytes) -> None:
    body = b"<urlset xmlns='https://x/'>" + piece * (3_000_000 // len(piece)) + b">"
    assert len(parse_sitemap(body, BASE).entries) in (0, 1, MAX_SITEMAP_ENTRIES)


def test_a_sitemap_with_open_tags_is_read_up_to_them() -> None:
    body = NEWS_SITEMAP.replace(b"<url><lastmod>", b"<n" * 50 + b"<url><lastmod>")
    assert [entry.url for entry in parse_sitemap(body, BASE).entries] == [
        "https://gazette.example/1",
        "https://gazette.example/2",
    ]


@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_entity_bombs_are_refused(charset: str) -> None:
    with pytest.raises(ValueError, match="XML entities"):
        parse_sitemap((BOMB % LAUGHS).decode().encode(charset), BASE)


def test_external_entities_are_refused() -> None:
    body = b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><urlset><url><loc>&x;</loc></url></urlset>'
    with pytest.raises(ValueError, match="XML entities"):
        parse_sitemap(body, BASE)


@given(st.binary(max_size=300), st.integers(0, 600))
def test_damaged_bytes_give_entries_or_value_error(noise: bytes, at: int) -> None:
    with suppress(ValueError):  # no other exception is raised
        parse_sitemap(NEWS_SITEMAP[:at] + noise + NEWS_SITEMAP[at:], BASE)
