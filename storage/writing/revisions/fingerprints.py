"""Fingerprints as they are stored: the keys of their bands as bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from pipeline.copies import bands_of, salted
from pipeline.document import Fingerprint
from storage import schema


def load_fingerprints(connection: Connection, ids: Sequence[int]) -> dict[int, Fingerprint]:
    """The stored fingerprints of these articles, with the bands as the pipeline made them."""
    table, sketch = schema.signature, schema.sketch
    found = {}
    for row in connection.execute(
        select(table.c.article_id, table.c.signature, table.c["keys"].label("packed"), sketch.c.version)
        .join(sketch, sketch.c.id == table.c.sketch_id)
        .where(table.c.article_id.in_(ids))
    ):
        bands = salted(bands_of(np.array(unpack_keys(row.packed), dtype=np.int64)), row.version)
        found[row.article_id] = Fingerprint(
            row.version.partition(" ")[0], row.signature, tuple(bands.tolist())
        )
    return found


def pack_keys(keys: Sequence[int] | NDArray[np.int64]) -> bytes:
    return np.array(keys, dtype="<i8").tobytes()


def unpack_keys(packed: bytes) -> tuple[int, ...]:
    return tuple(np.frombuffer(packed, dtype="<i8").tolist())
