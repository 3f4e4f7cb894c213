import re
from collections import Counter
from datetime import UTC, datetime

import ftfy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clean.boilerplate import clean
from pipeline.clean.wire import parse_wire
from pipeline.document import BlockKind, DocumentRejected, Extraction
from pipeline.extract.plain_text import extract_text, repair_text
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


WIRE = """Ferries sailed throughout the week in
the harbour zone, easing the shortage since early
January and improving prospects for the coming winter,
although normal sailings have not been restored,
it said in its weekly review.
    The delay means the state-
owned boat will be late this year.
    Tickets sold in the week ended May 22 were 155,221
against 131,000 at the same stage last year.
"""


def test_hard_wrapped_lines_become_paragraphs() -> None:
    extraction = read(WIRE, title="HARBOUR FERRY REVIEW")
    assert extraction.title == "HARBOUR FERRY REVIEW"
    assert texts_of(extraction) == [
        "Ferries sailed throughout the week in the harbour zone, easing the shortage since early January and "
        "improving prospects for the coming winter, although normal sailings have not been restored, it said "
        "in its weekly review.",
        "The delay means the state-owned boat will be late this year.",
        "Tickets sold in the week ended May 22 were 155,221 against 131,000 at the same stage last year.",
    ]


def test_wrapped_paragraphs_parted_by_empty_lines_and_bullets() -> None:
    text = (
        "Ferry keeps sailing through the winter\n\n"
        "The harbour council voted on Monday to let the\nold ferry sail for one more winter, its\n"
        "chair said.\n\n"
        "* a first point that runs over the end of\n  the line\n* a second point\n\n"
        "Nobody on the quay believed it, and the skipper\nlaughed.\n"
    )
    extraction = read(text)
    assert extraction.title == "Ferry keeps sailing through the winter"
    assert texts_of(extraction) == [
        "The harbour council voted on Monday to let the old ferry sail for one more winter, its chair said.",
        "a first point that runs over the end of the line",
        "a second point",
        "Nobody on the quay believed it, and the skipper laughed.",
    ]


def test_a_line_a_paragraph_is_not_joined() -> None:
    lines = [
        "Old ferry gets one more winter",
        "The harbour council voted on Monday.",
        "Engineers had warned in May that the hull was thin.",
        "“Nobody believed it,” the skipper said.",
        "Fares will not rise.",
    ]
    extraction = read("\n".join(lines))
    assert [extraction.title, *texts_of(extraction)] == lines


def test_wrapped_names_and_figures_are_joined_as_well() -> None:
    text = (
        "Northport Ferry Inc soared 21-1/2\nto 75 in over-the-counter trading, responding to an\n"
        "announcement that the firm will be acquired by\nEasthaven Lines Inc.\n"
        "    According to a letter of intent by both companies,\n"
        "Easthaven will offer 2.5 shares for each of\n"
        "Northport's 4.3 mln outstanding shares.\n Reuter\n\x03"
    )
    assert texts_of(read(text, title="FERRY SHARES SOAR"))[:2] == [
        "Northport Ferry Inc soared 21-1/2 to 75 in over-the-counter trading, responding to an announcement "
        "that the firm will be acquired by Easthaven Lines Inc.",
        "According to a letter of intent by both companies, Easthaven will offer 2.5 shares for each of "
        "Northport's 4.3 mln outstanding shares.",
    ]


def test_short_lines_are_no_wrapped_prose() -> None:
    lines = ["flour", "butter and salt", "two eggs", "sugar from the islands"]
    assert (
        texts_of(read("Cake for the ferry crew\n\n" + "\n".join(lines), title="Cake for the ferry crew"))
        == lines
    )


def test_columns_keep_their_lines() -> None:
    text = "Ferry results\n\nThe line gave its figures for the first\nquarter on Monday.\n"
    text += "Sailings      34   vs   29\nGoats          2   vs    1\n"
    assert texts_of(read(text))[-2:] == ["Sailings 34 vs 29", "Goats 2 vs 1"]


def test_markdown_marks_are_read_and_taken_off() -> None:
    extraction = read(
        "Home > News > Harbour\n\n# Old ferry gets one more winter\n\n"
        "*By Jane Doe*\n\nThe **harbour council** voted on [Monday](https://example.com/monday) to let the "
        "ferry sail.\n\n"
        "![Ferry at the quay](https://example.com/ferry.jpg)\n\n## Why the hull leaks\n\n"
        "> Nobody believed it.\n\n- first\n- second\n\n---\n\n[Ten walks along the canal](/walks)\n"
    )
    assert extraction.title == "Old ferry gets one more winter"
    assert [(block.kind, block.text) for block in extraction.blocks] == [
        (BlockKind.PARAGRAPH, "By Jane Doe"),
        (BlockKind.PARAGRAPH, "The harbour council voted on Monday to let the ferry sail."),
        (BlockKind.CAPTION, "Ferry at the quay"),
        (BlockKind.HEADING, "Why the hull leaks"),
        (BlockKind.QUOTE, "Nobody believed it."),
        (BlockKind.LIST_ITEM, "first"),
        (BlockKind.LIST_ITEM, "second"),
        (BlockKind.PARAGRAPH, "Ten walks along the canal"),
    ]
    assert extraction.blocks[-1].link_density == 1.0


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


@pytest.mark.parametrize(
    ("line", "published", "authors"),
    [
        ("Staff Writer | 2024-02-21", datetime(2024, 2, 21, tzinfo=UTC), ()),
        ("Published: March 3, 2024 10:15 GMT", datetime(2024, 3, 3, 10, 15, tzinfo=UTC), ()),
        ("Updated 2024-03-03T10:15:00Z", datetime(2024, 3, 3, 10, 15, tzinfo=UTC), ()),
        ("Published: 2031-01-01", None, ()),
        ("By Jane Doe and John Smith", None, ("Jane Doe", "John Smith")),
    ],
)
def test_dates_and_names_beside_the_headline(
    line: str, published: datetime | None, authors: tuple[str, ...]
) -> None:
    story = (
        "The harbour council voted on Monday to let the old ferry sail for one more winter, its chair said."
    )
    extraction = read(f"Council lets old ferry sail one more winter\n{line}\n\n{story}\n")
    assert extraction.title == "Council lets old ferry sail one more winter"
    assert (extraction.published_at, extraction.authors) == (published, authors)
    assert extraction.published_source == ("text" if published else None)


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


@pytest.mark.parametrize("page", ["cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1257"])
@pytest.mark.parametrize("text", ["“It’s the old boat,” she said — and sailed…"])
def test_quotes_read_in_a_wrong_code_page_are_restored(page: str, text: str) -> None:
    wrong = "".join(_as_read(byte, page) for byte in text.encode())
    assert repair_text(wrong) == text


def _as_read(byte: int, page: str) -> str:
    for encoding in (page, "cp1252", "latin-1"):
        try:
            return bytes([byte]).decode(encoding)
        except UnicodeDecodeError:
            continue
    raise AssertionError(byte)


# Pieces that ftfy mends, alone or next to one another, and pieces that it leaves alone.
SCRAPS = [
    "é".encode().decode("cp1252"),
    "Â ",
    "à ",
    "&amp;",
    "&lt;",
    "<b>",
    "\r\n",
    "\r",
    "\x03",
    "\x1b[1m",
    "\x85",
]
SCRAPS += ["\u2028", "e\u0301", "\ufeff", "€", "œ", "“", "a", "the ", "\n", " ", "ß", "Привет", "\ufffd"]


@given(st.lists(st.sampled_from(SCRAPS), max_size=12).map("".join))
def test_a_text_is_mended_as_ftfy_mends_it_whole(text: str) -> None:
    fixes = ftfy.TextFixerConfig(uncurl_quotes=False, fix_latin_ligatures=False, fix_character_width=False)
    assert repair_text(text) == ftfy.fix_text(text, fixes)


@pytest.mark.parametrize("text", ["β-carotene costs 5 €.", "Η Αθήνα", "“quoted” ‘text’", "naïve café", "ﬁne"])
def test_sound_text_is_left_as_it_is(text: str) -> None:
    assert repair_text(text) == text


@pytest.mark.parametrize("text", ["", " \n\t\n", "•\n---\n***", "\x00\x01"])
def test_a_text_without_words_is_turned_away(text: str) -> None:
    with pytest.raises(DocumentRejected):
        read(text)


@given(st.text(max_size=400))
def test_any_text_is_read_or_turned_away(text: str) -> None:
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
