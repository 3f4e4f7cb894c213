"""Components and bundles of pairs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import copies
from pipeline.batch import BUNDLES, CANDIDATES, bundles, components

# Nearly without gaps, and with wide ones.
IDS = st.integers(0, 30) | st.integers((1 << 40) - 5, 1 << 40)
PAIRS = st.sampled_from([IDS, st.integers(0, 30)]).flatmap(
    lambda ids: st.sets(st.tuples(ids, ids).filter(lambda pair: pair[0] < pair[1]), max_size=40).map(sorted)
)


def arrays(pairs: list[tuple[int, int]]) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
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


@pytest.mark.parametrize("shape", ["chain", "chain back", "star", "comb"])
def test_long_components_are_one(shape: str) -> None:
    n = np.arange(100_000)
    chance = np.random.default_rng(1)
    a, b = {
        "chain": (n, n + 1),
        "chain back": (n[::-1], n[::-1] + 1),
        "star": (n, np.full(n.size, n.size)),
        "comb": (n, np.where(n % 2 == 0, n + 1, n + 2)),
    }[shape]
    order = chance.permutation(a.size)
    found = components(a[order], b[order])
    assert set(found.labels.tolist()) == {0}
    # The same with names in any order.
    names = chance.permutation(n.size + 3)
    assert np.unique(components(names[a], names[b]).labels).size == 1


@settings(max_examples=100, deadline=None)
@given(pairs=PAIRS, most=st.integers(1, 9))
def test_bundles_are_bounded_and_by_component(pairs: list[tuple[int, int]], most: int) -> None:
    table = pa.table([list(column) for column in arrays(pairs)], schema=CANDIDATES)
    component = labels(pairs)

    cut, whole = bundles(table, most), bundles(table, most, are_whole=True)

    for found in (cut, whole):
        assert found.schema == BUNDLES
        rows = [tuple(row.values()) for row in found.to_pylist()]
        assert sorted((a, b) for a, b, _ in rows) == pairs
        assert [component[a] for a, _, _ in rows] == sorted(component[a] for a, _ in pairs)
        numbers = [bundle for _, _, bundle in rows]
        assert numbers == sorted(numbers)
        assert set(numbers) == set(range(len(set(numbers))))
    sizes = np.unique(cut["bundle"].to_numpy(), return_counts=True)[1]
    assert (sizes[:-1] == most).all()
    assert (sizes <= most).all()
    parts: dict[int, list[int]] = {}
    for a, _, bundle in (tuple(row.values()) for row in whole.to_pylist()):
        parts.setdefault(bundle, []).append(component[a])
    together = [set(some) for some in parts.values()]
    assert sum(map(len, together)) == len(set(component.values()))
    for some in parts.values():
        assert sum(one != some[-1] for one in some) < most


def test_bundles_of_a_template_name_few_articles() -> None:
    articles, window, most = 3000, 16, 1600
    ids = np.random.default_rng(1).permutation(articles)
    pairs = [(ids[:-apart], ids[apart:]) for apart in range(1, window + 1)]
    one, other = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    table = pa.table([np.minimum(one, other), np.maximum(one, other)], schema=CANDIDATES)
    found = bundles(table, most)
    for bundle in range(found["bundle"][-1].as_py() + 1):
        some = found.filter(pc.field("bundle") == bundle)
        named = {*some["a"].to_pylist(), *some["b"].to_pylist()}
        assert len(named) <= 2 * (most // window + window)
