"""Runs of combining marks are limited, and nothing else is."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from pipeline.text import MOST_MARKS, make_search_words, stream_safe

MARKS = "\u0301\u0323\u0345\u064b\u0e38"


def test_a_long_run_of_marks_is_cut() -> None:
    for mark in MARKS:
        assert stream_safe(f"Ferry a{mark * 500}b sails") == f"Ferry a{mark * MOST_MARKS}b sails"


def test_what_languages_write_stays() -> None:
    for text in ("plain", "e\u0301te\u0301", "ที่นี่ไม่มีรถ" * 40, "שָׁלוֹם" * 20, "…" * 100, "!?" * 60):
        assert stream_safe(text) == text


@given(st.text(st.sampled_from("a \n!" + MARKS), max_size=200))
def test_no_run_is_longer_and_no_other_character_is_lost(text: str) -> None:
    found = stream_safe(text)
    runs = "".join("m" if unicodedata.combining(char) else " " for char in found).split()
    assert max(map(len, runs), default=0) <= MOST_MARKS
    assert [c for c in found if not unicodedata.combining(c)] == [
        c for c in text if not unicodedata.combining(c)
    ]
    assert stream_safe(found) == found


def test_search_words_of_very_many_marks_are_made() -> None:
    assert make_search_words("Ferry", "a" + "\u0301\u0323" * 200_000) == make_search_words("Ferry", "a")
