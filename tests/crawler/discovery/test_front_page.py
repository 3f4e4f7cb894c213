"""What a front page and the names of hosts say, of which nothing is trusted."""

from __future__ import annotations

import pytest
from scrapy.http import HtmlResponse

from crawler.discovery.front_page import Candidate, key_of, read_front, related


def test_feeds_and_sitemaps_that_a_page_links_to() -> None:
    page = HtmlResponse(
        "https://gazette.example/en/",
        body=b"""<html><head><base href="/news/">
        <link rel="alternate" type="application/rss+xml; charset=utf-8" href=" main.rss#top ">
        <link rel="ALTERNATE nofollow" type="Application/Atom+XML" href="//feeds.example/a?x=1&amp;y=2">
        <link rel="alternate" type="application/feed+json" href="/feed.json">
        <link rel="sitemap" type="application/xml" href="/map.xml">
        <link rel="alternate" hreflang="de" href="/de/">
        <link rel="alternate" type="application/json+oembed" href="/oembed">
        <link rel="stylesheet" type="application/rss+xml" href="/style.css">
        <link rel="alternate" type="application/rss+xml">
        <link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
        </head></html>""",
    )
    assert read_front(page).candidates == (
        Candidate("https://gazette.example/news/main.rss", "feed", "link"),
        Candidate("https://feeds.example/a?x=1&y=2", "feed", "link"),
        Candidate("https://gazette.example/feed.json", "feed", "link"),
        Candidate("https://gazette.example/map.xml", "sitemap", "link"),
    )


@pytest.mark.parametrize(
    ("host", "other", "is_related"),
    [
        ("bbc.com", "www.bbc.co.uk", True),
        ("rss.cnn.com", "edition.cnn.com", True),
        ("gazette.blogspot.com", "herald.blogspot.com", False),
        ("co.uk", "gazette.co.uk", False),
        ("bbc.com", "notbbc.com", False),
        ("127.0.0.1", "127.0.0.1", False),
        ("[::1]", "::1", False),
        ("localhost", "localhost", False),
        ("", "", False),
    ],
)
def test_which_hosts_are_one_outlets(host: str, other: str, is_related: bool) -> None:
    assert related(host, other) is is_related


@pytest.mark.parametrize(
    ("homepage", "key"),
    [
        ("https://www.gazette.co.uk/news", "gazette"),
        ("https://edition.the-herald.example/", "the-herald"),
        ("https://xn--zeitung-mnchen-osb.example/", "xn--zeitung-mnchen-osb"),
        ("http://127.0.0.1:8080/", "127-0-0-1-8080"),
        ("http://[::1]/", "1"),
        ("http://localhost:8080/", "localhost-8080"),
        ("http://intranet/", "intranet"),
    ],
)
def test_a_key_is_made_of_the_host(homepage: str, key: str) -> None:
    assert key_of(homepage) == key


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("<title>The Gazette</title>", "The Gazette"),
        ("<title>Home | The Gazette</title>", "The Gazette"),
        ("<title>Gazette – Nachrichten aus aller Welt</title>", "Gazette"),
        ("<title>Breaking news, world news and video - The Example Gazette</title>", "The Example Gazette"),
        ("<title>Latest - Something else</title>", "Latest"),
        ("<title>\n  Two \t lines\n of it </title>", "Two lines of it"),
        ('<meta name=application-name content="Gazette Online"><title>x</title>', "Gazette Online"),
        ('<meta property="og:site_name" content=" "><title>Gazette</title>', "Gazette"),
        ('<meta property="og:site_name" content="' + "x" * 500 + '">', "x" * 80),
        ("<title></title>", None),
        ("", None),
    ],
)
def test_the_name_of_the_outlet(head: str, name: str | None) -> None:
    page = HtmlResponse("https://www.gazette.example/", body=f"<html><head>{head}</head></html>".encode())
    assert read_front(page).name == name


@pytest.mark.parametrize(
    ("lang", "language"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("pt-BR", "pt-BR"),
        ("de_AT", "de-AT"),
        ("English", None),
        ("x-default", None),
        ("", None),
    ],
)
def test_the_language_of_the_page(lang: str, language: str | None) -> None:
    page = HtmlResponse(
        "https://gazette.example/", body=f"<html lang='{lang}'><body>x</body></html>".encode()
    )
    assert read_front(page).language == language


@pytest.mark.parametrize("body", [b"", b"\0\xff\xfe", b"<", b"\x89PNG\r\n", b"<html>" * 20000, b"{}"])
def test_a_page_that_is_none(body: bytes) -> None:
    assert read_front(HtmlResponse("https://gazette.example/", body=body)).candidates == ()
