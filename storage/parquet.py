"""The columns of public views in Parquet files: their Arrow types, and how they are written.

pyarrow is imported where it is used, because a database needs none.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from storage.schema import ViewColumn

# Texts rarely repeat, so a dictionary of them would only cost time.
_SINGULAR = ("text", "title", "detail", "description", "image_url")


def arrow_schema(columns: Sequence[ViewColumn], optional: Collection[str] = ()) -> Any:
    """The Arrow schema of columns, with their documentation as metadata (`description`).

    optional: columns that may be null whatever the view says.
    """
    import pyarrow

    return pyarrow.schema([_field(column, column.name in optional) for column in columns])


def write_options(columns: Sequence[ViewColumn]) -> dict[str, Any]:
    """How a file of these columns is written: arguments of `pyarrow.parquet.ParquetWriter`."""
    repeated = [c.name for c in columns if c.type == "text" and c.name not in _SINGULAR]
    return {"compression": "zstd", "use_dictionary": repeated, "write_statistics": True}


def _field(column: ViewColumn, is_optional: bool) -> Any:
    """The Arrow field of a column. Times are in milliseconds, which is Parquet's coarsest unit."""
    import pyarrow

    types = {
        "integer": pyarrow.int64,
        "real": pyarrow.float64,
        "text": pyarrow.string,
        "time": partial(pyarrow.timestamp, "ms", tz="UTC"),
        "boolean": pyarrow.bool_,
        "json": partial(_json_type, column),
    }
    return pyarrow.field(
        column.name,
        types[column.type](),
        nullable=is_optional or column.is_nullable,
        metadata={"description": column.meaning},
    )


def _json_type(column: ViewColumn) -> Any:
    """The Arrow type of a JSON column: a list of texts or objects, or a map from names to counts.

    The column's example shows which one it is.
    """
    import pyarrow

    example = json.loads(column.example)
    if not isinstance(example, list):
        return pyarrow.map_(pyarrow.string(), pyarrow.int64())
    if not isinstance(example[0], dict):
        return pyarrow.list_(pyarrow.string())
    types = {
        str: pyarrow.string(),
        float: pyarrow.float64(),
        bool: pyarrow.bool_(),
        type(None): pyarrow.string(),
    }
    return pyarrow.list_(pyarrow.struct([(name, types[type(value)]) for name, value in example[0].items()]))
