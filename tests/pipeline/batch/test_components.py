"""Components of pairs, at once and in slices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline import copies
from pipeline.batch import Forest, components

Ids = NDArray[np.int64]

# Nearly without gaps, and with wide ones.
IDS = st.integers(0, 30) | st.integers((1 << 40) - 5, 1 << 40)


def pairs_of(ids: st.SearchStrategy[int]) -> st.SearchStrategy[list[tuple[int, int]]]:
    return st.sets(st.tuples(ids, ids).filter(lambda pair: pair[0] < pair[1]), max_size=40).map(sorted)


SMALL_PAIRS = pairs_of(st.integers(0, 30))
PAIRS = pairs_of(IDS) | SMALL_PAIRS


def arrays(pairs: list[tuple[int, int]]) -> list[Ids]:
    return [np.array([pair[end] for pair in pairs], dtype=np.int64) for end in (0, 1)]


def labels(pairs: list[tuple[int, int]]) -> dict[int, int]:
    ids = {id for pair in pairs for id in pair}
    return {id: min(part) for part in copies.components(ids, pairs) for id in part}


@settings(max_examples=200, deadline=None)
@given(pairs=PAIRS)
def test_they_are_those_of_the_plain_function(pairs: list[tuple[int, int]]) -> None:
    found = components(*arrays(pairs))
    wanted = labels(pairs)
    assert dict(zip(found.ids.tolist(), found.labels.tolist(), strict=True)) == wanted
    assert found.ids.tolist() == sorted(wanted)
    a, _ = arrays(pairs)
    assert found.of(a).tolist() == [wanted[id] for id in a.tolist()]


def long(shape: str) -> tuple[Ids, Ids]:
    n = np.arange(100_000)
    return {
        "chain": (n, n + 1),
        "chain back": (n[::-1], n[::-1] + 1),
        "star": (n, np.full(n.size, n.size)),
        "comb": (n, np.where(n % 2 == 0, n + 1, n + 2)),
    }[shape]


@pytest.mark.parametrize("shape", ["chain", "chain back", "star", "comb"])
def test_long_components_are_one(shape: str) -> None:
    a, b = long(shape)
    chance = np.random.default_rng(1)
    order = chance.permutation(a.size)
    found = components(a[order], b[order])
    assert set(found.labels.tolist()) == {0}
    # The same with names in any order.
    names = chance.permutation(a.size + 3)
    assert np.unique(components(names[a], names[b]).labels).size == 1


@settings(max_examples=200, deadline=None)
@given(pairs=SMALL_PAIRS, slice=st.integers(1, 9), data=st.data())
def test_a_forest_has_the_same_in_slices_of_any_size_and_order(
    pairs: list[tuple[int, int]], slice: int, data: st.DataObject
) -> None:
    wanted = labels(pairs)
    a, b = arrays(data.draw(st.permutations(pairs)))
    root = np.empty(32, dtype=np.int64)
    forest = Forest(root)
    for first in range(0, a.size, slice):
        forest.join(a[first : first + slice], b[first : first + slice])
    ids = np.arange(root.size)
    assert forest.of(ids).tolist() == [wanted.get(id, id) for id in ids.tolist()]


@pytest.mark.parametrize("shape", ["chain", "chain back", "star", "comb"])
def test_a_forest_joins_long_components(shape: str) -> None:
    a, b = long(shape)
    forest = Forest(np.empty(int(b.max()) + 1, dtype=np.int64))
    for first in range(0, a.size, 1000):
        forest.join(a[first : first + 1000], b[first : first + 1000])
    assert set(forest.of(b).tolist()) == {0}
