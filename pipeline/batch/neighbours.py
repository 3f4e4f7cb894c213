"""Neighbours in the bands of the index, and the candidates that they make.

`pipeline.copies.candidates` defines both. Here all articles are there at once: the rows of the index are
sorted by (band, position, id), and neighbours are the rows of one band at most `band_window` rows apart; in
near and winnowed bands also at most `near_days`.

The rows may be read in slices: a pair belongs to the slice that has the later of its rows, and a slice is
preceded by the `band_window` rows before it (its halo). So a band of any length takes the memory of a slice.
A pair is a neighbour in several bands, so its weights are summed once more over all slices and buckets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline import copies
from pipeline.batch.stories import BANDS, integers
from pipeline.settings import GroupSettings

NEIGHBOURS = pa.schema([("a", pa.int64()), ("b", pa.int64()), ("weight", pa.int32())])
"""Pairs of articles that are neighbours in a band, a < b.

weight: sum of `copies.band_weight` over the bands of a slice in which they are.
"""

WEIGHED = pa.schema([*NEIGHBOURS, pa.field("a_signature", pa.binary()), pa.field("b_signature", pa.binary())])
"""Pairs of neighbours, each once, a < b.

weight: sum over all bands. a_signature, b_signature: of SIGNATURES; not read, and may be null, where the
weight is at least `GroupSettings.bands_shared`.
"""

CANDIDATES = pa.schema([("a", pa.int64()), ("b", pa.int64())])
"""Pairs of articles whose texts are to be compared, each once, a < b."""

STATED = ("id", "url", "syndicated_from")
"""The columns of STORIES that `stated_copies` reads."""

# A pair of neighbours in a slice as one number: which ids of the slice, and whether the band is enough.
_ID_BITS = 31


def neighbours(bands: pa.Table, settings: GroupSettings, halo: int = 0) -> pa.Table:
    """NEIGHBOURS of the rows after the halo, each pair once, sorted.

    bands: a table BANDS, sorted by (band, position, id). halo: how many of its rows, at the beginning, belong
    to the slice before.
    """
    return _neighbours(_rows_of(bands), settings, halo)


def neighbours_of_slices(
    bands: Iterable[pa.Table | pa.RecordBatch], settings: GroupSettings, rows: int = 1 << 18
) -> Iterator[pa.Table]:
    """NEIGHBOURS of each slice of so many rows. bands: BANDS in parts of any size, sorted all together.

    Memory: of a slice, some hundred bytes a row at the default window.
    """
    waiting = copies.IndexRows(*(np.empty(0, dtype=np.int64) for _ in BANDS))
    halo = 0
    for part in bands:
        waiting = _joined(waiting, _rows_of(part))
        while waiting.bands.size - halo >= rows:
            end = halo + rows
            yield _neighbours(waiting[:end], settings, halo)
            begin = max(0, end - settings.band_window)
            waiting, halo = waiting[begin:], end - begin
    if waiting.bands.size > halo:
        yield _neighbours(waiting, settings, halo)


def summed(neighbours: pa.Table) -> pa.Table:
    """NEIGHBOURS with each pair once, sorted, of a table of several slices."""
    found = neighbours.group_by(["a", "b"]).aggregate([("weight", "sum")])
    found = found.rename_columns({"weight_sum": "weight"}).select(NEIGHBOURS.names)
    return found.cast(NEIGHBOURS).sort_by([("a", "ascending"), ("b", "ascending")])


def candidates(weighed: pa.Table, settings: GroupSettings) -> pa.Table:
    """The CANDIDATES among neighbours, in their order. weighed: a table WEIGHED."""
    is_enough = integers(weighed["weight"]) >= settings.bands_shared
    undecided = (~is_enough).nonzero()[0]
    one, other = (weighed[name].take(undecided) for name in ("a_signature", "b_signature"))
    is_enough[undecided] = _are_alike(one, other, settings)
    return weighed.select(CANDIDATES.names).filter(pa.array(is_enough))


def stated_copies(stories: pa.Table) -> pa.Table:
    """The CANDIDATES of which one states that it is a copy of the other, sorted.

    stories: all stories that have a fingerprint, with the columns STATED.
    """
    stating = stories.select(["id", "syndicated_from"]).filter(pc.field("syndicated_from").is_valid())
    originals = stories.select(["id", "url"]).rename_columns(["original", "url"])
    found = stating.join(originals, "syndicated_from", "url", "inner")
    one, other = integers(found["id"]), integers(found["original"])
    pairs = np.stack((np.minimum(one, other), np.maximum(one, other)), axis=1)[one != other]
    return pa.table(list(np.unique(pairs, axis=0).T.copy()), schema=CANDIDATES)


def _rows_of(bands: pa.Table | pa.RecordBatch) -> copies.IndexRows:
    return copies.IndexRows(*(integers(bands[name]) for name in BANDS.names))


def _joined(one: copies.IndexRows, other: copies.IndexRows) -> copies.IndexRows:
    columns = ((getattr(rows, name) for rows in (one, other)) for name in ("bands", "positions", "owners"))
    return copies.IndexRows(*(np.concatenate(tuple(column)) for column in columns))


def _neighbours(rows: copies.IndexRows, settings: GroupSettings, halo: int) -> pa.Table:
    ids, owner = np.unique(rows.owners, return_inverse=True)
    found = [np.empty(0, dtype=np.int64)]
    later = np.arange(halo, rows.bands.size)
    for distance in range(1, settings.band_window + 1):
        # Rows are sorted: who has no row of its band at this distance has none beyond.
        later = later[later >= distance]
        later = later[rows.bands[later] == rows.bands[later - distance]]
        if not later.size:
            break
        found.append(_pairs(rows, owner, later, later - distance, settings))
    pairs = np.concatenate(found)
    pairs.sort()
    is_first = np.ones(pairs.size, dtype=np.bool_)
    is_first[1:] = pairs[1:] >> 1 != pairs[:-1] >> 1
    starts = is_first.nonzero()[0]
    bands = np.diff(starts, append=pairs.size)
    enough = np.add.reduceat(pairs & 1, starts) if starts.size else bands
    pairs = pairs[starts] >> 1
    a, b = ids[pairs >> _ID_BITS], ids[pairs & ((1 << _ID_BITS) - 1)]
    weight = bands - enough + enough * settings.bands_shared
    return pa.table([a, b, weight.astype(np.int32)], schema=NEIGHBOURS)


def _pairs(
    rows: copies.IndexRows,
    owner: NDArray[np.int64],
    later: NDArray[np.int64],
    earlier: NDArray[np.int64],
    settings: GroupSettings,
) -> NDArray[np.int64]:
    """The pairs of rows that are near enough in time: the lesser owner, the greater, whether it is enough."""
    bands = rows.bands[later]
    are_near = copies.are_far(bands) | copies.are_within_reach(
        rows.positions[earlier], rows.positions[later], settings
    )
    later, earlier, bands = later[are_near], earlier[are_near], bands[are_near]
    one, other = owner[earlier], owner[later]
    pairs: NDArray[np.int64] = np.minimum(one, other) << _ID_BITS | np.maximum(one, other)
    return pairs << 1 | copies.are_enough(bands)


def _are_alike(one: pa.ChunkedArray, other: pa.ChunkedArray, settings: GroupSettings) -> NDArray[np.bool_]:
    """`copies.are_alike` of each pair of signatures."""
    alike = np.zeros(len(one), dtype=np.bool_)
    sizes, other_sizes = (integers(pc.binary_length(column)) for column in (one, other))
    for size in np.unique(sizes).tolist():
        here = ((sizes == size) & (other_sizes == size)).nonzero()[0]
        values, other_values = (
            np.frombuffer(b"".join(column.take(here).to_pylist()), dtype="<u4").reshape(here.size, size // 4)
            for column in (one, other)
        )
        alike[here] = (values == other_values).sum(axis=1) >= settings.values_shared
    return alike
