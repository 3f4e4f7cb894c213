"""Components of pairs, and pages that hold several stories."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.copies.groups import OVERLAP, bridges, components, holds
from pipeline.copies.passages import Passage

some_pairs = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=15)


@given(some_pairs, st.randoms(use_true_random=False))
def test_components_do_not_depend_on_order(pairs: list[tuple[int, int]], order: random.Random) -> None:
    expected = components(range(13), pairs)
    assert sorted(i for part in expected for i in part) == list(range(13))
    assert all(any({a, b} <= part for part in expected) for a, b in pairs)
    shuffled, ids = [order.choice([(a, b), (b, a)]) for a, b in pairs], list(range(13))
    order.shuffle(shuffled)
    order.shuffle(ids)
    assert components(ids, shuffled) == expected


def test_components_are_no_larger_than_the_pairs_say() -> None:
    assert components([1, 2, 3, 4, 5], [(1, 2), (4, 3)]) == [
        frozenset({1, 2}),
        frozenset({3, 4}),
        frozenset({5}),
    ]


def test_components_of_a_long_chain() -> None:
    assert len(components(range(50_000), [(n, n + 1) for n in range(49_999)])) == 1


WHOLE = Passage(0, 600)
FIRST, SECOND, LATER_PART = Passage(0, 320), Passage(325, 600), Passage(250, 600)


def cut_by_page(verified: set[tuple[int, int]] | None = None, **passages: Passage) -> set[int]:
    """What page 9 of 600 words cuts: one, two and three are held by it, whole and most share most of it."""
    ids = {"one": 1, "two": 2, "three": 3, "whole": 4, "most": 5}
    shared = {ids[name]: passage for name, passage in passages.items()}
    held = {(9, id) for id in shared if id < 4}
    cut = bridges({9: shared}, held, verified or set())
    assert all(holder == 9 for holder, _ in cut)
    return {other for _, other in cut}


def test_a_page_joins_the_story_of_which_it_has_most() -> None:
    assert cut_by_page(one=FIRST) == set()
    assert cut_by_page(one=FIRST, two=SECOND) == {2}
    assert cut_by_page(one=SECOND, two=FIRST) == {1}
    assert cut_by_page(one=Passage(0, 200), two=Passage(200, 400), three=Passage(400, 600)) == {2, 3}


def test_texts_that_overlap_or_verify_are_one_story() -> None:
    assert cut_by_page(one=FIRST, two=LATER_PART) == set()
    assert cut_by_page({(1, 2)}, one=FIRST, two=SECOND) == set()
    assert cut_by_page(one=FIRST, two=SECOND, three=LATER_PART) == set(), "the third holds them together"


def test_a_copy_of_the_page_itself_stays_and_one_of_the_other_story_does_not() -> None:
    assert cut_by_page(one=FIRST, two=SECOND, whole=WHOLE) == {2}
    assert cut_by_page(one=Passage(0, 200), most=Passage(200, 600)) == {1}
    assert cut_by_page(one=FIRST, two=SECOND, most=Passage(325, 600)) == {2, 5}


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (Passage(0, 100), Passage(100, 200), False),
        (Passage(0, 100), Passage(81, 200), False),
        (Passage(0, 100), Passage(80, 200), True),
        (Passage(0, 100), Passage(10, 20), True),
    ],
)
def test_passages_overlap_if_they_share_a_fifth_of_the_shorter(
    one: Passage, other: Passage, overlap: bool
) -> None:
    assert one.overlaps(other, OVERLAP) is other.overlaps(one, OVERLAP) is overlap


def test_a_text_holds_another_if_the_pair_shares_little_more_than_half_of_it() -> None:
    assert holds(Passage(0, 320), 600)
    assert not holds(Passage(0, 340), 600)
