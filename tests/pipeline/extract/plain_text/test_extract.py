"""Articles from copied text."""

import re
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clean.boilerplate import clean
from pipeline.clean.wire import parse_wire
from pipeline.document import DocumentRejected, Extraction
from pipeline.extract.plain_text.extract import extract_text
from pipeline.settings import Settings

NOW = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)


def read(text: str, title: str | None = None) -> Extraction:
    return extract_text(text, "file:///copy.txt", NOW, Settings(), title=title)


def texts_of(extraction: Extraction) -> list[str]:
    return [block.text for block in extraction.blocks]


def story_of(text: str) -> list[str]:
    extraction = read(text)
    kept, _ = clean(extraction, Settings())
    return [block.text for _, block in parse_wire(kept, extraction.title).blocks]


BLOG = """May 5, 2024

Northport People

All The News Daily

Council’s ferry vote keeps the old boat sailing for one more winter

Council's ferry vote keeps the old boat sailing for one more winter

Register now to get free unlimited access to Example.com

  • The council wants one more winter from the boat
  • β€œWe are in a state of joy,” says the skipper.

NORTHPORT/Easthaven (Easthaven) (Reuters) – The harbour council voted on Monday to let the old ferry sail on.

Engineers had warned in May that the hull would not pass another inspection. Read more

See also\u00a0 Ten Walks Along The Canal That Nobody Takes

The vote was close, and the chair had to break the tie after a recess of twenty minutes.

Register now to get free unlimited access to Example.com

Reporting by Reuters offices. Written by Jane Doe; Editing by John Smith

Our criteria: Example Trust Principles.
"""


def test_a_copied_blog_page_gives_headline_and_story_alone() -> None:
    extraction = read(BLOG)
    assert extraction.title == "Council’s ferry vote keeps the old boat sailing for one more winter"
    assert extraction.published_at is None
    assert extraction.language == "en"
    assert [r.text for r in extraction.removed if r.rule == "copied.masthead"] == [
        "May 5, 2024",
        "Northport People",
        "All The News Daily",
    ]
    assert [r.rule for r in extraction.removed].count("copied.repeated-title") == 1
    assert story_of(BLOG) == [
        "The council wants one more winter from the boat",
        "“We are in a state of joy,” says the skipper.",
        "The harbour council voted on Monday to let the old ferry sail on.",
        "Engineers had warned in May that the hull would not pass another inspection.",
        "The vote was close, and the chair had to break the tie after a recess of twenty minutes.",
    ]


TABLOID = """Old ferry gets one more winter as council breaks tie after night of shouting

The harbour council voted on Monday to let the old ferry sail for one more winter, its chair told reporters.

The skipper of the old ferry waves to a crowd on the quay at Northport

The skipper of the old ferry waves to a crowd on the quay at Northport

A dog named 'Biscuit' waits for the old ferry at Northport's quay

A dog named ‘Biscuit’ waits for the old ferry at Northport’s quay

Why the hull leaks

Engineers had warned in May that the hull would not pass another inspection, the minutes of the meeting show.

Source link

Leave a Reply

Your email address will not be published.
"""


def test_doubled_captions_and_the_comment_form_go() -> None:
    assert story_of(TABLOID) == [
        "The harbour council voted on Monday to let the old ferry sail for one more winter, its chair told "
        "reporters.",
        "Why the hull leaks",
        "Engineers had warned in May that the hull would not pass another inspection, the minutes of the "
        "meeting show.",
    ]


TRANSLATED = """The sale of the ferry is a sign of weakness — Harbour master

The council will never recognise this or any other sale of the boat.

The harbour master commented on the decision to sell the old ferry. He said this at a meeting.

Read also: “Ferry” on sale: how the islands react to the intentions of the council

The boat has sailed since 1962, and nobody remembers a winter without it on the sound.

Related video

See special topic: Ferry sold for a song The council says that nobody knew. In Easthaven they say so too

Based on materials: Example News

Share This Post
"""


def test_a_standfirst_stays_in_the_story() -> None:
    extraction = read(TRANSLATED)
    assert extraction.title == "The sale of the ferry is a sign of weakness — Harbour master"
    assert story_of(TRANSLATED) == [
        "The council will never recognise this or any other sale of the boat.",
        "The harbour master commented on the decision to sell the old ferry. He said this at a meeting.",
        "The boat has sailed since 1962, and nobody remembers a winter without it on the sound.",
    ]


def test_one_giant_paragraph_is_kept_whole() -> None:
    sentence = "The ferry sailed at noon and came back at night with the mail and two goats. "
    extraction = read("Ferry sails again with goats on board\n\n" + sentence * 60)
    assert extraction.title == "Ferry sails again with goats on board"
    assert texts_of(extraction) == [(sentence * 60).strip()]


@pytest.mark.parametrize("text", ["", " \n\t\n", "•\n---\n***", "\x00\x01"])
def test_a_text_without_words_is_rejected(text: str) -> None:
    with pytest.raises(DocumentRejected):
        read(text)


@given(st.text(max_size=400))
def test_any_text_is_read_or_rejected(text: str) -> None:
    try:
        extraction = read(text)
    except DocumentRejected:
        return
    assert extraction.title
    assert extraction.blocks
    assert all(block.text.strip() for block in extraction.blocks)


@given(
    st.lists(
        st.sampled_from(["word", "Ferry.", "x", " ", "\n", "\n\n", "    ", "- ", "• ", "“q”"]), max_size=60
    )
)
def test_no_word_is_lost_between_headline_story_and_removed(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        extraction = read(text)
    except DocumentRejected:
        return
    kept = " ".join([extraction.title, *texts_of(extraction), *(r.text for r in extraction.removed)])
    assert Counter(re.findall(r"\w+", text)) <= Counter(re.findall(r"\w+", kept))
