"""The documentation of the views, the views, and both databases agree."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, get_type_hints

import psycopg
import pytest
from sqlalchemy import Engine, inspect, make_url

from pipeline.document import Reason, Stage
from storage import schema, writer
from storage.crawls import site_runs
from storage.schema import TYPES, VIEWS, View, ViewColumn
from tests.storage.news import START, article, rejection, store, story, wire

DESIGNED = {
    "articles": "id, url, location, publisher, site, title, text, authors, byline, dateline, agency,"
    " published_at, language, group_id, is_canonical, word_count, access, first_seen_at, updated_at,"
    " revision, gone_at, published_offset, description, section, keywords, image_url, rights,"
    " site_key",
    "story_groups": "id, size, sites, agency, first_published_at, canonical_article_id",
    "copies": "article_id, other_id, kind, jaccard, containment, article_from, article_to, other_from,"
    " other_to, joins",
    "removed_text": "article_id, position, rule, text",
    "revisions": "article_id, revision, is_current, seen_at, location, publisher, title, text, authors,"
    " byline, dateline, agency, published_at, language, word_count, access, published_offset, description,"
    " section, keywords, image_url, rights",
    "rejections": "location, url, stage, reason, detail, run_id, at",
    "changes": "change, article_id, kind, url, at",
}


@pytest.fixture
def raw(engine: Engine, database_url: str) -> Iterator[Any]:
    """A filled database as a different program reads it: with a plain driver, without SQLAlchemy."""
    bare = article(
        "file:///saved/page.html",
        story(77),
        publisher=None,
        published_at=None,
        site="",
        language=None,
        description=None,
        section=None,
        keywords=None,
        image_url=None,
        rights=None,
    )
    revised = article("https://revised.example/1", story(78))
    later = article("https://revised.example/1", story(79), START + timedelta(hours=1))
    store(
        engine,
        [*wire(20), bare, revised, later, rejection("list.html"), rejection("x.bin", url=None, page=None)],
    )
    run = writer.start_run(engine, "crawl", START)
    site_runs.put_counts(
        engine, run, site_runs.Tally(), {"gazette": site_runs.SiteCounts(bytes=1, seconds=2.5)}
    )
    if engine.dialect.name == "sqlite":
        connection: Any = sqlite3.connect(make_url(database_url).database or "")
    else:
        connection = psycopg.connect(database_url)
    yield connection
    connection.close()


def test_the_views_are_those_of_the_design() -> None:
    columns = {view.name: ", ".join(column.name for column in view.columns) for view in VIEWS}

    assert DESIGNED.items() <= columns.items()
    assert columns["unique_articles"] == columns["articles"]
    assert columns["runs"].startswith("id, command, started_at, finished_at, seen, stored, revised")
    assert columns["site_runs"].startswith(
        "run_id, site, started_at, ended, discovered, fetched, not_modified"
    )
    assert len(columns) == 10


def test_a_revision_has_all_columns_of_a_text_as_an_article_has_them() -> None:
    of_revision = next(view for view in VIEWS if view.name == "revisions").columns
    assert list(of_revision[4:]) == [column for column in VIEWS[0].columns if column.of_text]
    article, revision = get_type_hints(schema.StoredArticle), get_type_hints(schema.StoredRevision)
    assert all(revision[column.name] == article[column.name] for column in of_revision[4:])


def test_the_database_has_the_documented_views_and_no_others(engine: Engine) -> None:
    found = inspect(engine)

    assert set(found.get_view_names()) == {view.name for view in VIEWS}
    for view in VIEWS:
        names = [column["name"] for column in found.get_columns(view.name)]
        assert names == [column.name for column in view.columns]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_values_have_the_documented_types(raw: Any, view: View) -> None:
    rows = _rows(raw, view)

    assert rows
    for column in view.columns:
        values = [row[column.name] for row in rows]
        if column.null.startswith("never"):
            assert None not in values, column.name
        for value in values:
            if value is not None:
                _check_type(value, column, isinstance(raw, sqlite3.Connection))


def test_nulls_are_where_they_are_documented(raw: Any) -> None:
    nullable = {(view.name, c.name) for view in VIEWS for c in view.columns if not c.null.startswith("never")}
    found = {
        (view.name, name)
        for view in VIEWS
        for row in _rows(raw, view)
        for name, value in row.items()
        if value is None
    }

    assert found <= nullable
    assert {("articles", "published_at"), ("rejections", "url"), ("runs", "finished_at")} <= found


def _rows(raw: Any, view: View) -> list[dict[str, Any]]:
    names = [column.name for column in view.columns]
    rows: Sequence[Any] = raw.execute(f"SELECT * FROM {view.name}").fetchall()  # noqa: S608
    return [dict(zip(names, row, strict=True)) for row in rows]


def _check_type(value: Any, column: ViewColumn, on_sqlite: bool) -> None:
    if column.type == "integer":
        assert type(value) is int
    elif column.type == "real":
        assert type(value) is float
    elif column.type == "text":
        assert type(value) is str
    elif column.type == "boolean":
        assert value in (0, 1)
        assert type(value) is (int if on_sqlite else bool)
    elif column.type == "time" and on_sqlite:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value)
    elif column.type == "time":
        assert isinstance(value, datetime)
        assert value.tzinfo is not None
        assert value.microsecond == 0
    elif column.type == "json":
        assert isinstance(json.loads(value) if on_sqlite else value, list | dict)
    else:
        raise AssertionError(column.type)


@pytest.mark.parametrize(
    ("view", "column"), [(v, c) for v in VIEWS for c in v.columns], ids=lambda x: getattr(x, "name", "")
)
def test_every_column_is_documented(view: View, column: ViewColumn) -> None:
    assert column.type in TYPES
    assert column.meaning
    assert column.null
    assert column.example
    assert "|" not in "".join((column.meaning, column.unit, column.null, column.example))
    if column.type in ("integer", "boolean"):
        int(column.example)
    elif column.type == "real":
        assert 0 <= float(column.example) <= (1 if column.unit == "0 to 1" else 1000)
    elif column.type == "json":
        json.loads(column.example)
    elif column.type == "time":
        assert datetime.fromisoformat(column.example).tzinfo is not None
        assert column.unit


def test_examples_of_enumerations_are_members() -> None:
    columns = {column.name: column for view in VIEWS if view.name == "rejections" for column in view.columns}

    assert columns["reason"].example in list(Reason)
    assert all(stage.value in columns["stage"].meaning for stage in Stage)


def test_markdown_names_every_view_and_column() -> None:
    text = schema.as_markdown()

    for view in VIEWS:
        assert f"### {view.name}\n" in text
        if view.name != "unique_articles":
            section = text.split(f"### {view.name}\n")[1].split("###")[0]
            assert [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| ")][1:] == [
                f"| {column.name}" for column in view.columns
            ]
