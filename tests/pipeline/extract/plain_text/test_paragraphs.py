"""Paragraphs of copied text."""

from datetime import UTC, datetime

from pipeline.document import BlockKind, Extraction
from pipeline.extract.plain_text.extract import extract_text
from pipeline.extract.plain_text.paragraphs import _joined, paragraphs_of
from pipeline.settings import Settings

NOW = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)


def read(text: str, title: str | None = None) -> Extraction:
    return extract_text(text, "file:///copy.txt", NOW, Settings(), title=title)


def texts_of(extraction: Extraction) -> list[str]:
    return [block.text for block in extraction.blocks]


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


def test_a_divided_word_keeps_its_hyphen_and_wide_scripts_get_no_space() -> None:
    assert _joined("The state-", "owned boat") == "The state-owned boat"
    assert _joined("The state", "owned boat") == "The state owned boat"
    assert _joined("船は来年も", "運航される") == "船は来年も運航される"


def test_links_are_counted() -> None:
    (linked, plain) = paragraphs_of("[All of it](https://x.example)\nNone of it [sic] here")
    assert (linked.text, linked.link_density) == ("All of it", 1.0)
    assert (plain.text, plain.link_density) == ("None of it [sic] here", 0.0)


def test_headings_have_levels_and_rules_are_no_paragraphs() -> None:
    found = paragraphs_of("# One\n### Three ###\n* * *\n-----\nText")
    assert [(p.text, p.level) for p in found] == [("One", 1), ("Three", 3), ("Text", 0)]
