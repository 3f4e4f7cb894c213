"""The headline of copied text, under mastheads or without one."""

from datetime import UTC, datetime

import pytest

from pipeline.document import BlockKind, Extraction
from pipeline.extract.plain_text.extract import extract_text
from pipeline.extract.plain_text.headline import make_headline
from pipeline.extract.plain_text.paragraphs import Paragraph
from pipeline.settings import Settings

NOW = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)


def read(text: str, title: str | None = None) -> Extraction:
    return extract_text(text, "file:///copy.txt", NOW, Settings(), title=title)


def texts_of(extraction: Extraction) -> list[str]:
    return [block.text for block in extraction.blocks]


@pytest.mark.parametrize(
    ("head", "published"),
    [
        ("Monday, May 6, 2024\nThe Northport Evening Example\nBold and Local Since 1902\n", None),
        ("Home | World | Sports\n6 May 2024\n", None),
        ("www.example.com\n", None),
    ],
)
def test_the_headline_is_found_under_mastheads(head: str, published: datetime | None) -> None:
    story = (
        "The harbour council voted on Monday to let the old ferry sail for one more winter, its chair said."
    )
    extraction = read(f"{head}\nCouncil lets old ferry sail one more winter\n\n{story}\n")
    assert extraction.title == "Council lets old ferry sail one more winter"
    assert texts_of(extraction) == [story]
    assert extraction.published_at == published


def test_a_site_name_after_the_headline_goes_where_the_page_shows_it_alone() -> None:
    story = (
        "The harbour council voted on Monday to let the old ferry sail for one more winter, its chair said."
    )
    title = "Old ferry sails one more winter"
    text = f"Evening Example\n{title} - Evening Example\n{title}\n{story}\n"
    extraction = read(text)
    assert extraction.title == title
    assert texts_of(extraction) == [story]


def test_a_text_without_a_headline_gets_its_first_sentence() -> None:
    text = "The harbour council voted on Monday. " + "The chair then went home to feed the cat. " * 8
    extraction = read(text)
    assert extraction.title == "The harbour council voted on Monday."
    assert texts_of(extraction) == [text.strip()]


def test_a_long_first_sentence_is_cut_at_a_word() -> None:
    headline = make_headline([Paragraph(BlockKind.PARAGRAPH, "The council voted to keep the ferry " * 5)])
    assert headline.endswith("…")
    assert len(headline) <= 101
    assert make_headline([]) == ""
