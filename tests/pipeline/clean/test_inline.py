"""Clutter is cut off the start and end of a paragraph."""

from __future__ import annotations

from pipeline.clean.boilerplate import clean
from pipeline.settings import Settings
from tests.pipeline.clean.pages import STORY, extraction, paragraph


def test_several_tails_are_cut_off_one_paragraph() -> None:
    text = STORY[1].text + " Read more. (Advertisement)"
    kept, removed = clean(extraction(STORY[0], paragraph(text), STORY[2]), Settings())
    assert [block.text for _, block in kept] == [block.text for block in STORY[:3]]
    assert [(r.position, r.text) for r in removed] == [(1, "(Advertisement)"), (1, "Read more.")]


CALL = "Read about how the council was divided in the article The ferry that nobody wanted."


def test_a_call_to_read_elsewhere_is_cut_off() -> None:
    kept, removed = clean(extraction(STORY[0], paragraph(f"{STORY[1].text} {CALL}")), Settings())
    assert [block.text for _, block in kept] == [block.text for block in STORY[:2]]
    assert [r.text for r in removed] == [CALL]


def test_what_somebody_says_is_not_cut_off() -> None:
    for text in (f"“{STORY[1].text} {CALL}”", f"She said: „{STORY[1].text} {CALL}“"):
        kept, removed = clean(extraction(STORY[0], paragraph(text)), Settings())
        assert [block.text for _, block in kept] == [STORY[0].text, text]
        assert removed == ()
    # A short call is none of a speaker's words: the quotation goes on in the next paragraph.
    kept, _ = clean(extraction(STORY[0], paragraph(f"“{STORY[1].text} Read more")), Settings())
    assert kept[1][1].text == f"“{STORY[1].text}"
