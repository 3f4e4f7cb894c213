"""Extraction on pages written for the tests."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.document import BlockKind, DocumentRejected, Reason
from pipeline.extract import extract_html
from pipeline.settings import Settings

FETCHED = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SETTINGS = Settings()

STORY = [
    "The harbour of Port Linden will stay closed until Friday, the port authority said on Tuesday.",
    "Divers found a second anchor chain across the fairway, and nobody has claimed it so far.",
    "Two ferries were sent to Old Quay, where passengers waited for up to five hours in the rain.",
    '"We have never had two chains in one week," harbour master Ida Brandt told reporters.',
]


def page(body: str, head: str = "") -> str:
    title = "<title>Harbour closed - The Linden Post</title>"
    return f"<!doctype html><html lang=en><head>{title}{head}</head><body>{body}</body></html>"


def paragraphs(*texts: str) -> str:
    return "".join(f"<p>{text}</p>" for text in texts)


def texts(html: str, url: str = "https://lindenpost.example/harbour") -> list[str]:
    return [block.text for block in extract_html(html, url, FETCHED, SETTINGS).blocks]


def test_a_story_comes_back_whole_and_in_order() -> None:
    assert texts(page(f"<article><h1>Harbour closed</h1>{paragraphs(*STORY)}</article>"))[-4:] == STORY


def test_a_story_of_two_sentences_is_an_article() -> None:
    brief = "A tram hit a van in Mill Street on Monday. Nobody was hurt."
    assert texts(page(f"<article><h1>Tram hits van</h1><p>{brief}</p></article>"))[-1:] == [brief]


def test_blocks_carry_evidence() -> None:
    story = f'<p class="lead">{STORY[0]}</p>{paragraphs(*STORY[1:])}'
    blocks = extract_html(page(f"<main><article>{story}</article></main>"), "", FETCHED, SETTINGS).blocks
    assert blocks[0].kind is BlockKind.PARAGRAPH
    assert "lead" in blocks[0].tokens
    assert blocks[0].tags[:2] == ("p", "article")
    assert blocks[0].link_density == 0.0


@pytest.mark.parametrize("html", ["", "   \n ", "<html></html>", "<!-- nothing -->", "<p></p>"])
def test_an_empty_page_is_rejected(html: str) -> None:
    with pytest.raises(DocumentRejected) as caught:
        extract_html(html, "", FETCHED, SETTINGS)
    assert caught.value.reason is Reason.EMPTY


def test_deeply_nested_tags_do_not_crash() -> None:
    html = page(paragraphs(*STORY) + "<div>" * 50_000 + paragraphs(*STORY))
    assert STORY[0] in texts(html)
