"""Components of pairs, and the canonical copy of a group."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.copies.groups import canonical, components
from tests.pipeline.copies.stories import FERRY, NOON, story

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


def test_canonical_is_the_agencys_own() -> None:
    outlet = story(FERRY, id=1, days=0, agency="Reuters", site="harbourpost.example")
    agency = story(FERRY[:3], id=2, days=1, site="reuters.com")
    assert canonical([outlet, agency]) == 2
    assert canonical([outlet, replace(agency, site="reuters-fans.example")]) == 1


def test_canonical_is_the_earliest_then_the_longest_then_by_url() -> None:
    early, late = story(FERRY[:2], id=1, days=0), story(FERRY, id=2, days=0.1)
    undated = story(FERRY, id=3, days=None)
    assert canonical([undated, late, early]) == 1
    assert canonical([undated, replace(late, published_at=early.published_at), early]) == 2
    same = [replace(early, id=n, url=f"https://{c}.example/") for n, c in ((5, "c"), (6, "a"), (7, "b"))]
    assert {canonical(order) for order in itertools.permutations(same)} == {6}


def test_a_day_without_a_time_is_not_earlier_than_its_own_morning() -> None:
    midnight = NOON.replace(hour=0)
    day_only = replace(story(FERRY, id=1), published_at=midnight)
    at_noon = story(FERRY[:2], id=2)
    day_before = replace(story(FERRY, id=3), published_at=midnight - timedelta(days=1))
    assert canonical([day_only, at_noon]) == 2
    assert canonical([day_only, at_noon, day_before]) == 3
