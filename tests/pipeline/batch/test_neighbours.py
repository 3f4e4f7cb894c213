"""Neighbours and candidates of all articles at once, against their definition for one pair."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import copies
from pipeline.batch import (
    CANDIDATES,
    NEIGHBOURS,
    STORIES,
    WEIGHED,
    candidates,
    neighbours,
    neighbours_of_slices,
    stated_copies,
    summed,
)
from pipeline.copies import order_of
from pipeline.settings import WINNOWED_BIT, GroupSettings
from tests.pipeline.batch.made import IdPair, IndexRow, bands_table, weights_of

# A near band, two winnowed ones and two far ones.
BAND = st.sampled_from([5, WINNOWED_BIT | 5, WINNOWED_BIT | 6, -5, -(1 << 63)])
# Days apart: within reach, at its very end, beyond it, and beyond what an order key can say.
DAY = st.sampled_from([0, 1, 2, 3, 3 + 1 / 86400, 7, 10**6, -(10**6)])


@st.composite
def index(draw: st.DrawFn) -> list[IndexRow]:
    places = {
        id: order_of(int(draw(DAY) * 86400), f"https://a.example/{draw(st.integers(0, 20))}")
        for id in draw(st.sets(st.sampled_from([1, 2, 3, 5, 8, 1 << 40, (1 << 40) + 1, *range(50, 70)])))
    }
    return [(band, place, id) for id, place in places.items() for band in draw(st.sets(BAND))]


def as_weights(table: pa.Table) -> dict[IdPair, int]:
    assert table.schema == NEIGHBOURS
    rows = list(zip(*(table[name].to_pylist() for name in NEIGHBOURS.names), strict=True))
    assert rows == sorted(rows)
    found = {(a, b): weight for a, b, weight in rows}
    assert len(found) == len(rows)
    return found


@settings(max_examples=100, deadline=None)
@given(
    rows=index(),
    window=st.sampled_from([1, 2, 3, 16]),
    bands_shared=st.integers(1, 3),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    slice=st.integers(1, 40),
    buckets=st.integers(1, 4),
)
def test_slices_and_buckets_give_the_pairs_of_the_definition(
    rows: list[IndexRow], window: int, bands_shared: int, sizes: list[int], slice: int, buckets: int
) -> None:
    limits = GroupSettings(band_window=window, bands_shared=bands_shared)
    wanted = weights_of(rows, limits)
    assert as_weights(neighbours(bands_table(rows), limits)) == wanted

    parts = []
    for bucket in range(buckets):
        table = bands_table(row for row in rows if row[0] % buckets == bucket)
        at, batches = 0, list[pa.Table]()
        while at < table.num_rows:
            batches.append(table.slice(at, sizes[len(batches) % len(sizes)]))
            at += batches[-1].num_rows
        parts += list(neighbours_of_slices(batches, limits, rows=slice))
    assert as_weights(summed(pa.concat_tables([NEIGHBOURS.empty_table(), *parts]))) == wanted


def test_a_halo_has_no_pairs_of_its_own() -> None:
    limits = GroupSettings(band_window=2)
    rows = [(-1, order_of(n, ""), n) for n in range(6)]
    table = bands_table(rows)
    first = as_weights(neighbours(table.slice(0, 3), limits))
    second = as_weights(neighbours(table.slice(1), limits, halo=2))
    assert set(first) == {(0, 1), (0, 2), (1, 2)}
    assert set(second) == {(1, 3), (2, 3), (2, 4), (3, 4), (3, 5), (4, 5)}


@settings(max_examples=60, deadline=None)
@given(
    pairs=st.lists(
        st.tuples(
            st.integers(1, 5),
            st.lists(st.integers(0, 2), min_size=3, max_size=3),
            st.lists(st.integers(0, 2), min_size=3, max_size=4),
        ),
        max_size=6,
    ),
    bands_shared=st.integers(1, 4),
    values_shared=st.integers(1, 3),
)
def test_enough_weight_or_alike(
    pairs: list[tuple[int, list[int], list[int]]], bands_shared: int, values_shared: int
) -> None:
    limits = GroupSettings(bands_shared=bands_shared, values_shared=values_shared)
    rows: list[dict[str, Any]] = [
        {
            "a": n,
            "b": n + 100,
            "weight": weight,
            "a_signature": np.array(one, dtype="<u4").tobytes(),
            "b_signature": np.array(other, dtype="<u4").tobytes(),
        }
        for n, (weight, one, other) in enumerate(pairs)
    ]
    found = candidates(pa.Table.from_pylist(rows, schema=WEIGHED), limits)
    assert found.schema == CANDIDATES
    assert found.to_pylist() == [
        {"a": row["a"], "b": row["b"]}
        for row in rows
        if copies.is_candidate(
            row["weight"], copies.are_alike(row["a_signature"], row["b_signature"], limits), limits
        )
    ]


def test_signatures_are_read_only_where_they_decide() -> None:
    limits = GroupSettings()
    rows = [{"a": 1, "b": 2, "weight": limits.bands_shared, "a_signature": None, "b_signature": None}]
    assert candidates(pa.Table.from_pylist(rows, schema=WEIGHED), limits).num_rows == 1


def test_stated_copies_need_no_band() -> None:
    urls = {id: f"https://a.example/{id}" for id in (4, 2, 9, 5)}
    stated = {4: urls[2], 2: urls[4], 9: urls[9], 5: "https://elsewhere.example/"}
    rows = [{"id": id, "url": url, "syndicated_from": stated.get(id)} for id, url in urls.items()]
    rows.append({"id": 1, "url": "https://a.example/1", "syndicated_from": urls[5]})
    rows.append({"id": 7, "url": "https://a.example/7", "syndicated_from": urls[5]})
    found = stated_copies(pa.Table.from_pylist(rows, schema=STORIES))
    assert found.schema == CANDIDATES
    assert [tuple(row.values()) for row in found.to_pylist()] == [(1, 5), (2, 4), (5, 7)]
    assert stated_copies(STORIES.empty_table()).num_rows == 0
