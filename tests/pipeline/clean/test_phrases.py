"""Headings with what follows them, and lines that a rule names."""

from __future__ import annotations

from pipeline.document import Block, BlockKind
from tests.pipeline.clean.pages import STORY, kept_texts, paragraph


def test_links_under_a_heading_go_with_it_and_the_story_after_them_stays() -> None:
    heading = Block(BlockKind.HEADING, "More stories")
    links = [Block(BlockKind.LIST_ITEM, f"Walk {n} along the canal", link_density=1.0) for n in "abc"]
    assert kept_texts(*STORY[:4], heading, *links, *STORY[4:]) == [block.text for block in STORY]


def test_a_heading_that_introduces_story_paragraphs_stays() -> None:
    heading = Block(BlockKind.HEADING, "More from the council meeting")
    assert heading.text in kept_texts(*STORY[:3], heading, *STORY[3:])


def test_readers_comments_go_with_their_heading() -> None:
    comments = (
        Block(BlockKind.HEADING, "Related articles"),
        Block(BlockKind.LIST_ITEM, "Walk along the canal"),
        Block(BlockKind.HEADING, "3 Comments"),
        paragraph("I was on that ferry and it leaked from end to end, whatever the minutes say."),
        paragraph("Nonsense, it has never leaked in the forty years that I have travelled on it."),
    )
    assert kept_texts(*STORY, *comments) == [block.text for block in STORY]


def test_a_subheading_that_could_stand_over_comments_does_not_cut_the_story_short() -> None:
    heading = Block(BlockKind.HEADING, "What do you think?")
    assert kept_texts(*STORY[:4], heading, *STORY[4:])[-4:] == [block.text for block in STORY[4:]]


def test_a_calendar_keeps_its_dates() -> None:
    dates = [paragraph(f"May {day}, 2024") for day in range(1, 6)]
    assert kept_texts(*dates, *STORY)[:5] == [block.text for block in dates]
    assert kept_texts(dates[0], *STORY) == [block.text for block in STORY]
