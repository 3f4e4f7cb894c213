"""Lines that go for what they are: captions, links, the headline again, repetition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.clean.boilerplate import clean
from pipeline.document import Block, BlockKind
from pipeline.settings import Settings
from tests.pipeline.clean.pages import STORY, extraction, kept_texts, paragraph


def test_captions_go_by_kind_and_table_captions_stay() -> None:
    caption = Block(BlockKind.CAPTION, "The old ferry at the quay", tags=("figcaption", "figure"))
    heading = Block(BlockKind.CAPTION, "Sailings a week, by month", tags=("caption", "table"))
    kept, removed = clean(extraction(STORY[0], caption, heading, STORY[1]), Settings())
    assert [position for position, _ in kept] == [0, 2, 3]
    assert [(r.position, r.rule) for r in removed] == [(1, "structure.caption")]


def test_the_headline_repeated_above_its_story_goes() -> None:
    assert kept_texts(paragraph("Old ferry gets ONE more winter"), *STORY) == [b.text for b in STORY]


def test_lines_that_stand_twice_in_a_row_are_captions_unless_they_are_sentences() -> None:
    caption = "The skipper's dog waits on the quay at Northport"
    curly = caption.replace("'", "’")
    sentence = "The skipper said that he had never seen so many people on the quay."
    page = (
        STORY[0],
        *map(paragraph, (caption, curly)),
        STORY[1],
        *map(paragraph, (sentence, sentence)),
        STORY[2],
    )
    assert kept_texts(*page) == [STORY[0].text, STORY[1].text, sentence, STORY[2].text]


def test_letters_that_look_like_quotes_are_parts_of_words() -> None:
    modifier, quote = (paragraph(f"The skipper{mark}s dog waits on the quay at Northport") for mark in "ʼ’")
    assert kept_texts(STORY[0], modifier, quote, STORY[1])[1:3] == [modifier.text, quote.text]
    assert kept_texts(STORY[0], modifier, modifier, STORY[1]) == [STORY[0].text, STORY[1].text]


@pytest.mark.parametrize("end", [".", "!", '."', ".')", "。", ',"', '?"', "!)]"])
def test_a_linked_sentence_is_told_by_its_end(end: str) -> None:
    sentence = paragraph(f"The council published the letter on Monday{end}", link_density=1.0)
    assert sentence.text in kept_texts(*STORY[:4], sentence, *STORY[4:])


@pytest.mark.parametrize("end", ["", "...", "..", ".!", "?", '"', ",", "…", "?')", ";"])
def test_a_linked_teaser_is_told_by_its_end(end: str) -> None:
    teaser = paragraph(f"The council published the letter on Monday{end}", link_density=1.0)
    assert teaser.text not in kept_texts(*STORY[:4], teaser, *STORY[4:])


def test_short_labels_and_table_rows_may_repeat() -> None:
    labels = [paragraph("Good value"), paragraph("Good value")]
    rows = [Block(BlockKind.TABLE_ROW, "Northport Easthaven 9:15 11:40 daily")] * 2
    assert len(kept_texts(*STORY, *labels, *rows)) == len(STORY) + 4


def test_a_line_strewn_through_the_page_goes_everywhere() -> None:
    promotion = paragraph("Every reader of this paper owns a small part of it")
    page = [block for story in STORY[:4] for block in (story, promotion)]
    assert kept_texts(*page) == [block.text for block in STORY[:4]]


def test_a_paragraph_that_is_nothing_but_a_link_goes() -> None:
    teaser = paragraph("Ten walks along the old canal", link_density=1.0)
    sentence = paragraph("The council published the letter on Monday.", link_density=1.0)
    doubled = Block(BlockKind.HEADING, "Who owns the quay now Who owns the quay now", link_density=0.5)
    assert kept_texts(*STORY[:4], teaser, sentence, doubled, *STORY[4:]) == [
        *(block.text for block in STORY[:4]),
        sentence.text,
        *(block.text for block in STORY[4:]),
    ]


@pytest.mark.parametrize(
    "note",
    [
        "Ada Rell is a professor of ferries at the University of Northport.",
        "Our columnist Ada Rell is the author of three novels.",
        "Die Autorin Ada Rell ist Professorin in Northport.",
        "Ada Rell’s latest book is about ferries.",
    ],
)
def test_a_note_on_the_author_under_the_story_goes(note: str) -> None:
    page = (*STORY, paragraph(note), paragraph("The editors answer letters."))
    kept, removed = clean(replace(extraction(*page), authors=("Ada Rell", "Courier")), Settings())
    assert note not in [block.text for _, block in kept]
    assert [(r.rule, r.text) for r in removed] == [("structure.author", note)]


@pytest.mark.parametrize(
    "line",
    [
        "Ada Rell reported from Northport.",
        'The skipper said: "Ada Rell is wrong about the hull."',
        "The skipper, who had not slept for two nights in the storm, said that Ada Rell is wrong.",
        "Ada Rellstab is the new treasurer.",
    ],
)
def test_what_only_names_the_author_stays(line: str) -> None:
    page = replace(extraction(*STORY, paragraph(line)), authors=("Ada Rell",))
    kept, _ = clean(page, Settings())
    assert kept[-1][1].text == line


def test_a_note_on_the_author_above_the_story_stays() -> None:
    note = paragraph("Ada Rell is on holiday. This is her column of 1998.")
    page = replace(extraction(note, *STORY), authors=("Ada Rell",))
    kept, _ = clean(page, Settings())
    assert kept[0][1] == note


@pytest.mark.parametrize(
    "line",
    [
        "Ada Rell",
        "ADA RELL",
        "Ada Rell and Jon Vike",
        "Jon Vike, Ada Rell",
        "Ada Rell, Transport correspondent",
        "Ada Rell | 9. März 2026",
    ],
)
def test_the_names_of_the_authors_above_the_story_go(line: str) -> None:
    page = replace(extraction(paragraph(line), *STORY), authors=("Ada Rell", "Jon Vike"))
    kept, removed = clean(page, Settings())
    assert [block for _, block in kept] == [*STORY]
    assert [(r.rule, r.text) for r in removed] == [("structure.author", line)]


@pytest.mark.parametrize(
    "line",
    [
        "Ada Rell, who has sailed on the ferry since she was a child of six years",
        "Ada Rell was there.",
        "Ada Rellstab",
        "Ada Rell meets the skipper",
        "Mia Holm",
        "Ada Rell, Reuters",
    ],
)
def test_other_lines_with_names_above_the_story_stay(line: str) -> None:
    page = replace(extraction(paragraph(line), *STORY), authors=("Ada Rell", "Reuters"))
    kept, _ = clean(page, Settings())
    assert kept[0][1].text == line


def test_the_name_of_the_author_in_the_story_stays() -> None:
    page = replace(extraction(STORY[0], paragraph("Ada Rell"), *STORY[1:]), authors=("Ada Rell",))
    kept, _ = clean(page, Settings())
    assert kept[1][1].text == "Ada Rell"


_KICKERS = {
    "section": paragraph("Local news"),
    "section in a heading": Block(BlockKind.HEADING, "LOCAL NEWS"),
    "keyword": paragraph("Ferries"),
    "link": paragraph("Our islands", link_density=1.0),
    "name of its element": Block(
        BlockKind.PARAGRAPH, "Kommunalwahl", tokens=frozenset({"artikel-dachzeile"})
    ),
}


@pytest.mark.parametrize("kicker", _KICKERS.values(), ids=_KICKERS)
def test_the_kicker_above_the_story_goes(kicker: Block) -> None:
    page = replace(extraction(kicker, *STORY), section="Local news", keywords=("Quays", "Ferries"))
    kept, removed = clean(page, Settings())
    assert [block for _, block in kept] == [*STORY]
    assert [(r.rule, r.text) for r in removed] == [("structure.kicker", kicker.text)]


_NO_KICKERS = {
    "other words": paragraph("A long winter"),
    "a heading on a keyword": Block(BlockKind.HEADING, "Ferries"),
    "a sentence": paragraph("Local news."),
    "a longer link": paragraph("Our islands at night", link_density=0.9),
    "a sentence in such an element": Block(
        BlockKind.PARAGRAPH, "The ferry sails on.", tokens=frozenset({"kicker"})
    ),
    "more words in such an element": Block(
        BlockKind.PARAGRAPH, "What the council said of ferries", tokens=frozenset({"kicker"})
    ),
    "a row of a table": Block(BlockKind.TABLE_ROW, "Ferries", link_density=1.0),
}


@pytest.mark.parametrize("line", _NO_KICKERS.values(), ids=_NO_KICKERS)
def test_other_short_lines_above_the_story_stay(line: Block) -> None:
    page = replace(extraction(line, *STORY), section="Local news", keywords=("Quays", "Ferries"))
    kept, _ = clean(page, Settings())
    assert kept[0][1] == line


def test_a_label_in_the_story_stays() -> None:
    page = replace(extraction(STORY[0], _KICKERS["section"], *STORY[1:]), section="Local news")
    kept, _ = clean(page, Settings())
    assert kept[1][1].text == "Local news"
