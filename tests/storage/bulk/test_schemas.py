"""The schemas of a batch job against the tables and views of a database."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from storage import schema
from storage.bulk import PUBLIC, ROWS, SETTLED
from storage.schema import TEXT_COLUMNS, VIEWS

# Tables whose rows are those of a public table and one of ROWS side by side, with names that differ.
BESIDE = {
    "article": ("articles", {}),
    "rejection": ("rejections", {}),
    "removal": ("removed_text", {}),
    "pair": (
        "copies",
        {
            "article_id": "a",
            "other_id": "b",
            "article_from": "a_start",
            "article_to": "a_end",
            "other_from": "b_start",
            "other_to": "b_end",
        },
    ),
}
# Columns that are stored under a different name or in a different table, or made by the loader.
ELSEWHERE = {"signature": {"sketch_id"}, "page": {"body"}}
ONLY_HERE = {
    "signature": {"sketch"},
    "page": {"sequence"},
    "pair": {"joins"},
    "search_entry": {"title", "text"},
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_have_every_column_of_their_table(name: str) -> None:
    found = set(ROWS[name].names)
    if name in BESIDE:
        view, names = BESIDE[name]
        found |= {names.get(column, column) for column in PUBLIC[view].names}
    wanted = {column.name for column in schema.metadata.tables[name].columns}

    assert found - ONLY_HERE.get(name, set()) == wanted - ELSEWHERE.get(name, set())


def test_settled_texts_have_every_column_of_a_text() -> None:
    assert set(TEXT_COLUMNS) - {"page_id"} <= set(SETTLED["texts"].names)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_tables_have_the_columns_of_their_view_in_order(name: str) -> None:
    view = next(view for view in VIEWS if view.name == name)
    assert PUBLIC[name].names == [column.name for column in view.columns]
    assert [PUBLIC[name].field(c.name).nullable for c in view.columns] == [
        c.is_nullable for c in view.columns
    ]


def every_schema() -> list[Any]:
    return [*SETTLED.values(), *ROWS.values(), *PUBLIC.values()]


def test_every_column_says_what_it_is() -> None:
    fields: list[pa.Field] = [field for one in every_schema() for field in one]
    assert [field.name for field in fields if not (field.metadata or {}).get(b"description")] == []
