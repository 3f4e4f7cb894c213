"""A column of an article is named where its value is made and once in storage; the rest is derived."""

from __future__ import annotations

import csv
import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pipeline.document import Article, RightsStatement
from storage import reader, schema
from storage.export import Selection, export
from storage.upkeep import COMPARED_COLUMNS
from tests.storage.news import START, article, store

ROOT = Path(__file__).parents[3]

# A column that was added late and whose name means nothing else: it shows what a new one takes.
TRACED = "image_url"
PLACES = {
    "copydesk/terminal/rendering.py",
    "crawler/files/fields.py",
    "crawler/files/jsonl.py",
    "pipeline/batch/outcomes.py",
    "pipeline/document.py",
    "pipeline/extract/html.py",
    "pipeline/metadata/__init__.py",
    "pipeline/metadata/read.py",
    "pipeline/metadata/summary.py",
    "pipeline/process.py",
    "storage/base/keys.py",
    "storage/export.py",
    "storage/migrations/versions/v0011_summary.py",
    "storage/migrations/versions/v0012_rights.py",
    "storage/migrations/versions/v0018_revisions.py",
    "storage/migrations/versions/v0019_site_key.py",
    "storage/parquet.py",
    "storage/schema/rows.py",
}


def test_a_column_is_named_in_no_other_place() -> None:
    """A new column changes only these files. CONTRIBUTING.md says what to do in each."""
    code = (
        path for top in ("copydesk", "crawler", "pipeline", "storage") for path in (ROOT / top).rglob("*")
    )
    named = {
        str(path.relative_to(ROOT))
        for path in code
        if path.suffix in (".py", ".toml") and TRACED in path.read_text("utf-8")
    }

    assert named == PLACES


def test_a_column_of_the_pipeline_goes_all_the_way(engine: Engine, tmp_path: Path) -> None:
    """From the worker's record to the tables, the views, the reader, an export and the comparison."""
    made = article(
        "https://a.example/1", "The ferry runs again.", START, **{TRACED: "https://images.example/1.jpg"}
    )
    store(engine, [made])
    export(engine, tmp_path / "articles.csv", Selection())
    (row,) = csv.DictReader((tmp_path / "articles.csv").read_text("utf-8").splitlines())

    assert TRACED in schema.TEXT_COLUMNS
    assert {TRACED} < set(schema.article.c.keys()) & set(schema.revision.c.keys())
    assert TRACED in COMPARED_COLUMNS
    assert TRACED in schema.ITEM_COLUMNS
    assert getattr(reader.article(engine, 1), TRACED) == "https://images.example/1.jpg"
    assert row[TRACED] == "https://images.example/1.jpg"


def test_statements_of_rights_are_stored_and_exported_as_objects(engine: Engine, tmp_path: Path) -> None:
    rights = (RightsStatement("robots", "noai", "meta", "gptbot"),)
    told = {"name": "robots", "value": "noai", "source": "meta", "agent": "gptbot", "reserved": None}
    store(engine, [article("https://a.example/1", "The ferry runs again.", START, rights=rights)])
    export(engine, tmp_path / "articles.csv", Selection())
    (row,) = csv.DictReader((tmp_path / "articles.csv").read_text("utf-8").splitlines())

    found = reader.article(engine, 1)
    assert found is not None
    assert found.rights == [told]
    assert json.loads(row["rights"]) == [told]


def test_every_column_of_a_text_is_a_field_of_the_pipeline() -> None:
    names = {field.name for field in fields(Article)}

    assert {column.name for column in schema.ARTICLE_COLUMNS if column.of_text} <= names


def test_columns_that_may_be_null_have_a_documented_reason() -> None:
    """A field whose type allows None has a documented reason to be null, and no other field has."""
    for record in (schema.StoredArticle, schema.StoryGroup, schema.RunRow, schema.SiteRun, schema.Change):
        hints = {field.name: str(field.type) for field in fields(record)}
        view = next(view for view in schema.VIEWS if [c.name for c in view.columns] == list(hints))
        for column in view.columns:
            assert column.is_nullable == ("| None" in hints[column.name]), (record, column.name)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (
            datetime(2026, 3, 1, 10, 0, 0, 999, timezone(timedelta(hours=1))),
            datetime(2026, 3, 1, 9, tzinfo=UTC),
        ),
        (None, None),
    ],
)
def test_times_are_stored_to_the_second_in_utc(value: datetime | None, stored: datetime | None) -> None:
    made = article("https://a.example/1", "The ferry runs again.", START, published_at=value)

    assert schema.pipeline_values(made)["published_at"] == stored


def test_values_are_stored_as_plain_types() -> None:
    values = schema.pipeline_values(article("https://a.example/1", "The ferry runs again."))

    assert values["authors"] == ["Ada Lind"]
    assert type(values["access"]) is str
