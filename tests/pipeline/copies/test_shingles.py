"""How the tokens of a text are cut into shingles, and which of these winnowing selects."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.copies.shingles import Hashes, shingles, window_for, winnow
from pipeline.copies.tokens import spelling, tokens


def shingles_of(text: str) -> list[int]:
    hashes: list[int] = shingles(spelling(tokens(text)), 3, 5).tolist()
    return hashes


def test_shingles_are_runs_of_words() -> None:
    abcd = tokens("alpha beta gamma delta")
    assert shingles(abcd, 3, 5).tolist() == [
        *shingles_of("alpha beta gamma"),
        *shingles_of("beta gamma delta"),
    ]
    assert shingles(abcd, 3, 5).dtype == np.uint32


@pytest.mark.parametrize("text", ["alpha", "alpha beta", "東京", "東京 alpha"])
def test_text_shorter_than_a_shingle_is_one(text: str) -> None:
    assert len(shingles_of(text)) == 1


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("東京都は二十日に新しい港を開いた", 12),  # 16 characters, runs of five
        ("港务局星期二宣布新渡轮码头开放", 11),
        ("ท่าเรือใหม่เปิดแล้ว", 10),  # 14 characters with their marks
        ("ท่าเรือใหม่ฯ๏ เปิดแล้ว๛", 11),  # the sign of an abbreviation is a letter, the others punctuation
        ("မြန်မာ၊ နိုင်ငံ။", 2),
        ("ភាសា។ ខ្មែរ៖", 1),
        ("हिन्दी में समाचार, लिखा गया।", 3),  # Hindi writes blanks
        ("항만청은 화요일 새 부두를 열었다", 3),  # Korean writes blanks: five words, runs of three
    ],
)
def test_scripts_without_blanks_are_cut_by_character(text: str, count: int) -> None:
    assert len(shingles_of(text)) == count


def test_two_scripts_in_one_text_are_cut_each_by_its_own() -> None:
    chinese, english = (
        "港务局星期二宣布新渡轮码头开放",
        "the port authority opened a new ferry terminal on Tuesday",
    )
    both = set(shingles_of(f"{chinese} {english}"))
    assert set(shingles_of(chinese)) <= both
    assert set(shingles_of(english)) <= both
    # those that begin with one of the last four characters and run on into the English
    assert len(both) == 11 + 8 + 4


some_hashes = st.lists(st.integers(0, 50) | st.integers(0, 2**32 - 1), max_size=60)


def array(hashes: list[int]) -> Hashes:
    return np.array(hashes, dtype=np.uint32)


def by_definition(hashes: list[int], window: int) -> set[int]:
    """The least hash of each window; a shorter text is one window."""
    starts = range(max(1, len(hashes) - window + 1))
    return {min(hashes[start : start + window]) for start in starts} if hashes else set()


@given(some_hashes, st.integers(1, 70))
def test_the_least_hash_of_each_window_is_selected(hashes: list[int], window: int) -> None:
    selected = winnow(array(hashes), window).tolist()
    assert selected == sorted(by_definition(hashes, window))


@given(some_hashes, some_hashes, some_hashes, some_hashes, some_hashes, st.integers(1, 20))
def test_texts_that_share_a_window_share_a_hash(
    passage: list[int], a: list[int], b: list[int], c: list[int], d: list[int], window: int
) -> None:
    one, other = winnow(array(a + passage + b), window), winnow(array(c + passage + d), window)
    assert len(passage) < window or np.intersect1d(one, other).size


@given(some_hashes, st.integers(1, 30), st.integers(0, 30))
def test_a_longer_window_selects_some_of_what_a_shorter_one_does(
    hashes: list[int], window: int, longer: int
) -> None:
    chosen = set(winnow(array(hashes), window).tolist())
    assert set(winnow(array(hashes), window + longer).tolist()) <= chosen


@pytest.mark.parametrize("shingles", [600, 3000, 50_000])
def test_a_long_text_has_longer_windows_and_not_more_hashes(shingles: int) -> None:
    draw = random.Random(shingles)
    hashes = array([draw.getrandbits(32) for _ in range(shingles)])
    window = window_for(shingles, 100, 12, 1500, 10)
    assert window == max(100, -(-shingles // (6 if shingles <= 1500 else 5)))
    assert 5 <= winnow(hashes, window).size <= 24


def test_short_texts_keep_the_shortest_window() -> None:
    assert {window_for(count, 100, 12, 1500, 10) for count in (0, 10, 600)} == {100}
    assert window_for(601, 100, 12, 1500, 10) == 101


def test_a_longer_text_never_has_a_shorter_window() -> None:
    windows = [window_for(count, 100, 12, 1500, 10) for count in range(3000)]
    assert windows == sorted(windows)
    assert (windows[1500], windows[1501]) == (250, 301)
