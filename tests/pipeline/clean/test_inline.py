"""Clutter is cut off the start and end of a paragraph."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize(
    "note",
    [
        ", opens new tab",
        ", opens in a new tab",
        " (opens in new window)",
        "(öffnet im neuen Fenster)",
        " (s’ouvre dans une nouvelle fenêtre)",
        " (se abre en una nueva pestaña)",
        " (external link, opens in a new window)",
    ],
)
def test_what_screen_readers_say_of_a_link_is_cut_out(note: str) -> None:
    text = f"The report{note} by the harbour office{note} names eleven cracks in the hull of the ferry."
    kept, removed = clean(extraction(STORY[0], paragraph(text), STORY[1]), Settings())
    assert kept[1][1].text == text.replace(note, "")
    assert [(r.position, r.rule) for r in removed] == [(1, "structure.hidden")] * 2


@pytest.mark.parametrize(
    "text",
    [
        "The bar opens a new tab for every sailor, and the skipper opens a new window on Fridays.",
        "The link (which opens in a new tab) was broken, the clerk said (and so was the new window).",
        "Das Café öffnet im neuen Fensterbau (seit Mai), sagt der Wirt.",
    ],
)
def test_stories_about_windows_and_tabs_stay(text: str) -> None:
    kept, removed = clean(extraction(STORY[0], paragraph(text), STORY[1]), Settings())
    assert kept[1][1].text == text
    assert removed == ()
