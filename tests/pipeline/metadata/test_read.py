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
        ('<link rel="canonical" href="">', None),
        ('<link rel="canonical" href="http://[broken">', None),
        ("", None),
    ],
)
def test_canonical_url(head: str, url: str | None) -> None:
    assert read(head).canonical_url == url


def test_language_the_page_states() -> None:
    root = lxml.html.document_fromstring('<html lang="pt-BR"><body>x</body></html>')
    assert read_metadata(root, URL, FETCHED).html_language == "pt"
