"""Counts agree with their nouns."""

from __future__ import annotations

import pytest

from pipeline.counts import counted


@pytest.mark.parametrize(
    ("number", "names", "text"),
    [
        (0, ("site",), "0 sites"),
        (1, ("site",), "1 site"),
        (2, ("copy", "copies"), "2 copies"),
        (1, ("copy", "copies"), "1 copy"),
        (12_345, ("line",), "12,345 lines"),
        (1, ("entry is", "entries are"), "1 entry is"),
    ],
)
def test_a_count_has_the_right_form_of_its_noun(number: int, names: tuple[str, ...], text: str) -> None:
    assert counted(number, *names) == text
