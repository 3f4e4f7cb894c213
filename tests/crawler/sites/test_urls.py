"""URLs that a crawl of a site requests."""

from __future__ import annotations

import pytest

from crawler.sites.reader import parse_sites
from crawler.sites.urls import is_allowed_host, is_article_url, is_loopback_host

ENTRY = """
[sites.open]
homepage = "https://www.gazette.example/"
feeds = ["https://feeds.example/rss"]
[sites.strict]
homepage = "https://gazette.example/"
feeds = ["https://feeds.example/rss"]
article_urls = ['/\\d{4}/', '/story/']
skip_urls = ['/video/']
"""
SITES = parse_sites(ENTRY.encode(), "x")


@pytest.mark.parametrize(
    ("url", "in_open", "in_strict"),
    [
        ("https://www.gazette.example/2026/flood", True, True),
        ("https://gazette.example/story/flood", True, True),
        ("https://sport.gazette.example/2026/cup", True, True),
        ("https://gazette.example/about", True, False),
        ("https://gazette.example/2026/video/flood", True, False),
        ("https://gazette.example/?p=2026", True, False),
        ("https://gazette.example/", False, False),
        ("https://gazette.example/2026/flood.jpg", False, False),
        ("https://gazette.example/2026/report.PDF", False, False),
        ("https://feeds.example/2026/flood", False, False),
        ("https://othergazette.example/2026/flood", False, False),
        ("https://gazette.example.evil.example/2026/flood", False, False),
        ("https://gazette.example@evil.example/2026/", False, False),
        ("ftp://gazette.example/2026/flood", False, False),
        ("javascript:alert(2026)", False, False),
        ("http://[gazette.example/2026/", False, False),
        ("https://gazette.example/2026/" + "a/" * 1500, False, False),
    ],
)
def test_article_urls(url: str, in_open: bool, in_strict: bool) -> None:
    assert is_article_url(url, SITES["open"]) is in_open
    assert is_article_url(url, SITES["strict"]) is in_strict


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:8000/a", True),
        ("http://127.0.0.2:8000/a", False),
        ("http://0.0.1/a", False),
        ("http://a.example./x", True),
        ("http://A.Example/x", True),
        ("http://b.a.example/x", True),
        ("http://example/x", False),
    ],
)
def test_hosts_are_compared_by_whole_labels(url: str, allowed: bool) -> None:
    assert is_allowed_host(url, frozenset({"127.0.0.1", "a.example"})) is allowed


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("localhost", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("[::1]", True),
        ("10.0.0.1", False),
        ("a.example", False),
    ],
)
def test_loopback_hosts(host: str, is_loopback: bool) -> None:
    assert is_loopback_host(host) is is_loopback
