"""Opening a page: its tree, its blocks, what it states."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.document import DocumentRejected, Reason
from pipeline.extract.open_page import OpenPage, open_page
from pipeline.settings import Settings
from tests.pipeline.extract.pages import FETCHED_AT, PAGE, STORY


def opened(html: str, settings: Settings | None = None) -> OpenPage:
    return open_page(html, "https://courier.example/1", FETCHED_AT, settings or Settings())


def test_a_page_has_a_tree_blocks_and_what_it_states() -> None:
    page = opened(PAGE)
    assert page.root.tag == "html"
    assert set(STORY) <= {block.text for block in page.page.blocks}
    assert page.about.title == "Board votes to dredge eastern channel"


def test_a_date_below_the_headline_is_found() -> None:
    html = PAGE.replace("</h1>", "</h1><p>3 March 2026</p>")
    assert opened(html).about.published_at == datetime(2026, 3, 3, tzinfo=UTC)


def test_a_page_that_is_too_large_is_rejected() -> None:
    with pytest.raises(DocumentRejected) as caught:
        opened(PAGE, Settings(max_body_bytes=len(PAGE) - 1))
    assert caught.value.reason is Reason.TOO_LARGE


def test_a_page_that_shows_nothing_is_rejected() -> None:
    with pytest.raises(DocumentRejected) as caught:
        opened("<html><body><script>1</script></body></html>")
    assert caught.value.reason is Reason.EMPTY
