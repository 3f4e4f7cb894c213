"""Bundles of pairs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.batch import BUNDLES, CANDIDATES, PLACED
from tests.pipeline.batch.made import bundled_pairs
from tests.pipeline.batch.test_components import SMALL_PAIRS, arrays, labels


@settings(max_examples=100, deadline=None)
@given(pairs=SMALL_PAIRS, most=st.integers(1, 9), slice=st.integers(1, 50))
def test_bundles_are_bounded_and_by_component(pairs: list[tuple[int, int]], most: int, slice: int) -> None:
    table = pa.table([list(column) for column in arrays(pairs)], schema=CANDIDATES)
    component = labels(pairs)

    cut, whole = (bundled_pairs(table, most, are_whole=are_whole, slice=slice) for are_whole in (False, True))

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
    # The n-th in time has any id.
    ids = np.random.default_rng(1).permutation(articles)
    pairs = [(ids[:-apart], ids[apart:], np.arange(articles - apart)) for apart in range(1, window + 1)]
    one, other, along = (np.concatenate(column) for column in zip(*pairs, strict=True))
    table = pa.table([np.minimum(one, other), np.maximum(one, other), along], schema=PLACED)
    found = bundled_pairs(table, most)
    for bundle in range(found["bundle"][-1].as_py() + 1):
        some = found.filter(pc.field("bundle") == bundle)
        named = {*some["a"].to_pylist(), *some["b"].to_pylist()}
        assert len(named) <= 2 * (most // window + window)
