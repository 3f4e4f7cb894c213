"""Winnowing selects what its definition says, and finds every shared passage of a window's length."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.copies.shingles import Hashes
from pipeline.copies.winnowing import window_for, winnow

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
    window = window_for(shingles, 100, 12)
    assert window == max(100, -(-shingles // 6))
    assert 6 <= winnow(hashes, window).size <= 24


def test_short_texts_keep_the_shortest_window() -> None:
    assert window_for(0, 100, 12) == window_for(10, 100, 12) == window_for(600, 100, 12) == 100
    assert window_for(601, 100, 12) == 101
