"""Stories as grouping needs them, and their rows in the index of near-duplicates.

`pipeline.copies.candidates` defines the rows; the writer of a database makes them with the same functions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline import copies
from pipeline.settings import Settings

STORIES = pa.schema(
    [
        ("id", pa.int64()),
        ("url", pa.string()),
        ("site", pa.string()),
        ("title", pa.string()),
        ("text", pa.string()),
        ("fetched_at", pa.int64()),
        ("published_at", pa.int64()),
        ("language", pa.string()),
        ("agency", pa.string()),
        ("syndicated_from", pa.string()),
        ("word_count", pa.int64()),
    ]
)
"""A row for each article: its current text. Null only where an `Article` may have None.

id: of the article; grouping depends on the order of ids in nothing but the ids of groups.
fetched_at, published_at: whole seconds, as a database has them, in microseconds from 1970 in UTC.
fetched_at: when the URL was first fetched (`first_seen_at` of the view `articles`).
"""

SIGNATURES = pa.schema(
    [
        ("id", pa.int64()),
        ("position", pa.int64()),
        ("version", pa.string()),
        ("signature", pa.binary()),
        ("keys", pa.binary()),
    ]
)
"""A row for each story with a fingerprint, as the table `signature` of a database has it.

position: `copies.order_key`. version: of the index, what the table `sketch` has. signature: little-endian
uint32. keys: `copies.row_key` of its rows in BANDS, in the order of their bands, little-endian int64.
"""

BANDS = pa.schema([("band", pa.int64()), ("position", pa.int64()), ("id", pa.int64())])
"""The rows of the index, without the time that the keys of the table `band` have.

band: with the version of the index mixed in (`copies.salted`). position: `copies.order_key` of the story.
"""

INDEXED = ("id", "url", "fetched_at", "published_at", "fingerprint")
"""The columns that `index_entries` reads: those of STORIES, and `fingerprint` as in OUTCOMES."""


@dataclass(frozen=True, slots=True)
class IndexEntries:
    """Stories in the index: a table SIGNATURES, by the order of the stories, and a table BANDS."""

    signatures: pa.Table
    bands: pa.Table


def index_entries(stories: pa.Table, settings: Settings) -> IndexEntries:
    """The entries of stories in the index. stories: has the columns INDEXED; fingerprints may be null."""
    printed = stories.select(INDEXED).filter(pc.field("fingerprint").is_valid()).combine_chunks()
    prints = _one_array(printed["fingerprint"])
    version, signature, bands = (pc.struct_field(prints, name) for name in ("version", "signature", "bands"))
    ids = integers(printed["id"])
    seconds = integers(pc.coalesce(printed["published_at"], printed["fetched_at"])) // 1_000_000
    places = zip(seconds.tolist(), printed["url"].to_pylist(), strict=True)
    positions = np.fromiter((copies.order_of(at, url) for at, url in places), np.int64, ids.size)
    versions = [copies.index_version(one, settings.group) for one in version.to_pylist()]
    rows, bounds = copies.index_rows(
        integers(bands.flatten()), integers(pc.list_value_length(bands)), versions, positions, ids
    )
    keys = copies.row_keys(rows.bands, rows.positions).astype("<i8")
    signatures = [ids, positions, versions, signature, _packed(keys, bounds)]
    return IndexEntries(
        pa.table(signatures, schema=SIGNATURES),
        pa.table([rows.bands, rows.positions, rows.owners], schema=BANDS),
    )


def integers(column: pa.ChunkedArray | pa.Array) -> NDArray[np.int64]:
    """A column of whole numbers without nulls; shape (rows,)."""
    found: NDArray[np.int64] = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return found


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _packed(keys: NDArray[np.int64], bounds: list[int]) -> pa.Array:
    """The bytes of the keys from each bound to the next."""
    offsets = np.array(bounds, dtype=np.int64) * keys.itemsize
    kind = pa.large_binary()
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(keys.tobytes())]
    return pa.Array.from_buffers(kind, len(bounds) - 1, buffers).cast(pa.binary())
