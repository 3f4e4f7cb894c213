"""Reading what pages say of their articles."""

from __future__ import annotations

import lxml.html
import pytest

from pipeline.document import Access
from pipeline.metadata.read import read_metadata
from tests.pipeline.metadata.pages import FETCHED, URL, ld, read


@pytest.mark.parametrize(
    ("value", "access"),
    [(False, Access.PAYWALLED), ("False", Access.PAYWALLED), (True, Access.FREE), (None, Access.FREE)],
)
def test_access_is_what_the_page_says(value: object, access: Access) -> None:
    assert read(ld(**{"@type": "NewsArticle", "isAccessibleForFree": value})).access is access


@pytest.mark.parametrize(
    ("head", "url"),
    [
        (
            '<link rel="canonical" href="/news/harbour?id=1">',
            "https://www.lindenpost.example/news/harbour?id=1",
        ),
        ('<meta property="og:url" content="https://other.example/a">', "https://other.example/a"),
        ('<link rel="Canonical nofollow" href="//other.example/a">', "https://other.example/a"),
        ('<link rel="canonical" href="www.other.example/a">', "https://www.other.example/a"),
        (
            '<base href="/archive/"><base href="/not/"><link rel="canonical" href="harbour">',
            "https://www.lindenpost.example/archive/harbour",
        ),
        ('<base href="javascript:0"><link rel="canonical" href="/a">', "https://www.lindenpost.example/a"),
        ('<base href="https://www.lindenpost.example/">', None),
        (f'<link rel="canonical" href="https://{"ab." * 90}example/a">', None),
        ('<link rel="canonical" href="">', None),
        ('<link rel="canonical" href="http://[broken">', None),
        ("", None),
    ],
)
def test_canonical_url(head: str, url: str | None) -> None:
    assert read(head).canonical_url == url


SAVED = "file:///srv/harbour.html"
LD = '<script type="application/ld+json">{}</script>'


@pytest.mark.parametrize(
    ("head", "url"),
    [
        ('<link rel="canonical" href="//www.lindenpost.example/a">', "https://www.lindenpost.example/a"),
        ('<meta property="og:url" content="//www.lindenpost.example/a">', "https://www.lindenpost.example/a"),
        (
            '<base href="//www.lindenpost.example/news/"><link rel="canonical" href="a">',
            "https://www.lindenpost.example/news/a",
        ),
        (
            '<base href="https://www.lindenpost.example/"><link rel="canonical" href="/a">',
            "https://www.lindenpost.example/a",
        ),
        (LD.format('{"@type": "NewsArticle", "url": "https://l.example/a"}'), "https://l.example/a"),
        (
            LD.format('{"@type": "NewsArticle", "mainEntityOfPage": {"@id": "//l.example/a"}}'),
            "https://l.example/a",
        ),
        # Many pages have one base: it names their outlet, and none of them.
        ('<base href="https://www.lindenpost.example/news/app">', "https://www.lindenpost.example/"),
        ('<link rel="canonical" href="/a">', None),
        ("", None),
    ],
)
def test_what_a_saved_page_says_of_its_url(head: str, url: str | None) -> None:
    root = lxml.html.document_fromstring(f"<html><head>{head}</head><body>x</body></html>")
    assert read_metadata(root, SAVED, FETCHED).canonical_url == url


def test_language_the_page_states() -> None:
    root = lxml.html.document_fromstring('<html lang="pt-BR"><body>x</body></html>')
    assert read_metadata(root, URL, FETCHED).html_language == "pt"
