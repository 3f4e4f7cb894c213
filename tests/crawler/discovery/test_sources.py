"""Entries of each kind of source, in order and within the limits."""

from __future__ import annotations

import gzip
import pickle
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.discovery.sources import (
    MAX_SECTIONS,
    MAX_SITEMAPS,
    Download,
    SourceKind,
    read_source,
    recognise_source,
    unpack,
)
from crawler.sites import Site
from tests.crawler.discovery.test_feeds import ATOM, RSS
from tests.crawler.discovery.test_sitemaps import NEWS_SITEMAP

HOME = "https://gazette.example/"
LIMIT = 1_000_000
SITE = Site(key="g", name="Gazette", homepage=HOME, max_age_days=7)


def download(body: bytes, path: str = "x", content_type: str = "") -> Download:
    return Download(body, HOME + path, content_type)


@pytest.mark.parametrize(
    ("body", "kind", "urls"),
    [
        (RSS, "feed", [f"{HOME}a?utm_source=rss", f"{HOME}b", f"{HOME}c"]),
        (gzip.compress(ATOM), "feed", ["https://blatt.example/1"]),
        (b"<urlset><url><loc>/1</loc></url></urlset>", "sitemap", [f"{HOME}1"]),
        (
            b'<a href="/2026/03/ferry-runs-again-today">Ferry runs</a>',
            "section",
            [f"{HOME}2026/03/ferry-runs-again-today"],
        ),
    ],
)
def test_articles_that_a_source_lists(body: bytes, kind: SourceKind, urls: list[str]) -> None:
    listing = read_source(download(body), kind, SITE, LIMIT)
    assert [entry.url for entry in listing.entries] == urls
    assert listing.further == ()
    assert pickle.loads(pickle.dumps(listing)) == listing


def test_entries_of_a_sitemap_come_newest_first_without_old_ones() -> None:
    now = datetime.now(UTC)
    days = {"/old": 30, "/older": 2, "/new": 1}
    dated = [
        f"<url><loc>{path}</loc><lastmod>{now - timedelta(days=n):%F}</lastmod></url>"
        for path, n in days.items()
    ]
    body = f"<urlset><url><loc>/undated</loc></url>{''.join(dated)}</urlset>".encode()
    listing = read_source(download(body), "sitemap", SITE, LIMIT)
    assert [entry.url for entry in listing.entries] == [f"{HOME}new", f"{HOME}older", f"{HOME}undated"]


def test_further_sources_are_limited() -> None:
    many = "".join(f"<sitemap><loc>/{n}.xml</loc></sitemap>" for n in range(100))
    listing = read_source(download(f"<sitemapindex>{many}</sitemapindex>".encode()), "sitemap", SITE, LIMIT)
    assert listing.entries == ()
    assert listing.further == tuple((f"{HOME}{n}.xml", "sitemap") for n in range(MAX_SITEMAPS))
    robots = "".join(f"Sitemap: /{n}.xml\n" for n in range(100))
    listing = read_source(download(robots.encode(), "robots.txt"), "sitemap", SITE, LIMIT)
    assert listing.further == tuple((f"{HOME}{n}.xml", "sitemap") for n in range(MAX_SITEMAPS))
    names = [f"{one}{two}" for one in "abcdefgh" for two in "abcdefgh"]
    page = "".join(f'<a href="/{name}">Local news</a>' for name in names)
    listing = read_source(download(page.encode()), "section", SITE, LIMIT)
    assert listing.further == tuple((f"{HOME}{name}", "section") for name in names[:MAX_SECTIONS])


@pytest.mark.parametrize(
    ("body", "expected", "kind"),
    [
        (RSS, "sitemap", "feed"),
        (ATOM, None, "feed"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": []}', "sitemap", "feed"),
        (gzip.compress(NEWS_SITEMAP), "feed", "sitemap"),
        (b"https://gazette.example/1\n", "sitemap", "sitemap"),
    ],
)
def test_a_source_is_recognised_by_its_content(
    body: bytes, expected: Literal["feed", "sitemap"] | None, kind: str
) -> None:
    assert recognise_source(download(body), expected, LIMIT)[0] == kind


def test_a_page_is_neither_feed_nor_sitemap() -> None:
    for expected in ("feed", "sitemap", None):
        with pytest.raises(ValueError, match=r"^(no RSS|no sitemap|neither a feed nor a sitemap)"):
            recognise_source(download(b"<html><p>Not found</p></html>"), expected, LIMIT)


def test_compressed_sources_are_decompressed() -> None:
    packed = gzip.compress(NEWS_SITEMAP)
    assert unpack(NEWS_SITEMAP, 10_000) == NEWS_SITEMAP
    assert unpack(packed, 10_000) == NEWS_SITEMAP
    assert unpack(packed + gzip.compress(b"more"), 10_000) == NEWS_SITEMAP + b"more"
    assert NEWS_SITEMAP.startswith(unpack(packed[:-40], 10_000))


def test_decompression_stops_at_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    with pytest.raises(ValueError, match="more than 1000000 bytes after decompression"):
        unpack(bomb, 1_000_000)
    with pytest.raises(ValueError, match="more than 100"):
        unpack(b"x" * 101, 100)
    with pytest.raises(ValueError, match="broken gzip"):
        unpack(b"\x1f\x8bnot gzip at all", 1000)


@given(st.binary(max_size=300), st.integers(0, 600))
def test_damaged_gzip_is_read_within_the_limit(noise: bytes, at: int) -> None:
    packed = gzip.compress(NEWS_SITEMAP)
    with suppress(ValueError):  # no other exception is raised
        assert len(unpack(packed[:at] + noise + packed[at:], 10_000)) <= 10_000
