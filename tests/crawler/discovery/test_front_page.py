"""Statements of a front page, none of which is trusted."""

from __future__ import annotations

import pytest

from crawler.discovery.front_page import SourceCandidate, read_front_page
from crawler.discovery.sources import Download


def test_feeds_and_sitemaps_that_a_page_links_to() -> None:
    page = Download(
        url="https://gazette.example/en/",
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
    assert read_front_page(page).candidates == (
        SourceCandidate("https://gazette.example/news/main.rss", "feed", "link"),
        SourceCandidate("https://feeds.example/a?x=1&y=2", "feed", "link"),
        SourceCandidate("https://gazette.example/feed.json", "feed", "link"),
        SourceCandidate("https://gazette.example/map.xml", "sitemap", "link"),
    )


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
    page = Download(url="https://www.gazette.example/", body=f"<html><head>{head}</head></html>".encode())
    assert read_front_page(page).name == name


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
    page = Download(
        url="https://gazette.example/", body=f"<html lang='{lang}'><body>x</body></html>".encode()
    )
    assert read_front_page(page).language == language


@pytest.mark.parametrize("body", [b"", b"\0\xff\xfe", b"<", b"\x89PNG\r\n", b"<html>" * 20000, b"{}"])
def test_content_that_is_not_a_page(body: bytes) -> None:
    assert read_front_page(Download(url="https://gazette.example/", body=body)).candidates == ()
