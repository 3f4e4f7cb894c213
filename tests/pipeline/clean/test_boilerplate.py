"""What is kept and what is removed adds up to the page."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pipeline.clean.boilerplate import clean
from pipeline.clean.rules import phrase_rules
from pipeline.settings import Settings
from tests.pipeline.clean.pages import STORY, extraction, paragraph


def test_the_story_is_left_alone() -> None:
    kept, removed = clean(extraction(*STORY), Settings())
    assert kept == tuple(enumerate(STORY))
    assert removed == ()


LINES = st.sampled_from(
    [rule.removes for rule in phrase_rules()]
    + [rule.keeps for rule in phrase_rules()]
    + [b.text for b in STORY]
)


@given(st.lists(LINES, max_size=12))
def test_every_word_is_kept_or_listed_as_removed(lines: list[str]) -> None:
    kept, removed = clean(extraction(*map(paragraph, lines), language=None), Settings())
    assert [position for position, _ in kept] == sorted({position for position, _ in kept})
    for position, line in enumerate(lines):
        pieces = [block.text for at, block in kept if at == position]
        pieces += [r.text for r in removed if r.position == position]
        assert Counter("".join(pieces).replace(" ", "")) == Counter("".join(line.split()))
