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
