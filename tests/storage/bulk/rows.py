"""The rows of a database, and those of a batch job's tables, in one form that can be compared.

Some things depend on the batches of an ingest: the numbers of pages, so a page is named by what its row says;
which fetch of the same bytes has a page; and the order of an older text's bands, which is theirs in the index
if they were written there first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine, select

from storage import schema
from storage.base import microseconds
from storage.schema import json_text, view_tables
from storage.writing import unpack_keys

Row = dict[str, Any]
Rows = dict[str, list[Row]]

_OF_COPIES = {
    "article_id": "a",
    "other_id": "b",
    "article_from": "a_start",
    "article_to": "a_end",
    "other_from": "b_start",
    "other_to": "b_end",
}
# The public table that has the rest of a private table's rows, and what that calls its columns.
BESIDE: dict[str, tuple[str, dict[str, str]]] = {
    "article": ("articles", {}),
    "rejection": ("rejections", {}),
    "removal": ("removed_text", {}),
    "pair": ("copies", _OF_COPIES),
}


def rows_of_database(engine: Engine, names: Iterable[str]) -> Rows:
    """The rows of private tables, without the bytes of pages."""
    found: Rows = {}
    with engine.connect() as connection:
        for name in ("page", *names):
            rows = connection.execute(select(schema.metadata.tables[name])).mappings()
            found[name] = [{k: _plain(v) for k, v in row.items() if k != "body"} for row in rows]
    for row in found["page"]:
        for name in ("claims", "headers"):
            row[name] = None if row[name] is None else json_text(row[name])
    for row in found.get("revision", ()):
        row["removed"] = [
            dict(zip(("position", "text", "rule"), line, strict=True)) for line in row["removed"]
        ]
    return _compared(found)


def rows_of_tables(public: Mapping[str, pa.Table], rows: Mapping[str, pa.Table]) -> Rows:
    """The rows of private tables, each with those of the public table beside it."""
    found: Rows = {}
    for name, table in rows.items():
        columns = {column.name for column in schema.metadata.tables[name].columns}
        merged = table.to_pylist()
        if name in BESIDE:
            view, names = BESIDE[name]
            shown = [{names.get(k, k): v for k, v in row.items()} for row in public[view].to_pylist()]
            merged = [{**one, **other} for one, other in zip(shown, merged, strict=True)]
        found[name] = [{k: _plain(v) for k, v in row.items() if k in columns} for row in merged]
    return _compared(found)


def views_of_database(engine: Engine, names: Iterable[str]) -> Rows:
    with engine.connect() as connection:
        return {
            name: [dict(row) for row in connection.execute(select(view_tables[name])).mappings()]
            for name in names
        }


def ordered(rows: Iterable[Row]) -> list[Row]:
    return sorted((dict(sorted(row.items())) for row in rows), key=repr)


def _compared(found: Rows) -> Rows:
    pages = {}
    for row in found.get("page", ()):
        id = row.pop("id")
        del row["fetched_us"]
        pages[id] = tuple(sorted(row.items()))
    for rows in found.values():
        for row in rows:
            if "page_id" in row:
                row["page_id"] = pages.get(row["page_id"])
            if row.get("bands") is not None:
                row["bands"] = sorted(set(unpack_keys(row["bands"])))
    return {name: ordered(rows) for name, rows in found.items()}


def _plain(value: Any) -> Any:
    return microseconds(value) if isinstance(value, datetime) else value
