"""The public views and their documentation, made of the records in `rows`.

`copydesk schema` and docs/ print it, Datasette shows it, exports take the types of their columns from it, and
the tests hold both databases to it.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from sqlalchemy import BigInteger, Boolean, Column, Double, MetaData, Table, Text
from sqlalchemy.types import TypeEngine

from storage.schema.rows import (
    Change,
    ColumnDoc,
    Copy,
    RemovedLine,
    RunRow,
    SiteRun,
    StoredArticle,
    StoredRejection,
    StoredRevision,
    StoryGroup,
)
from storage.schema.types import Json, UtcTime


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """One promised column.

    type: `integer`, `real`, `text`, `time`, `boolean` or `json`; `TYPES` says what that is on each database.
    unit, null: as in `ColumnDoc`. of_text: each text of an article has its own value.
    """

    name: str
    type: str
    meaning: str
    unit: str
    null: str
    example: str
    of_text: bool = False

    @property
    def is_nullable(self) -> bool:
        return not self.null.startswith("never")

    @property
    def sql_type(self) -> TypeEngine[Any]:
        return Json(self.name, self.is_nullable) if self.type == "json" else _SQL_TYPES[self.type]


@dataclass(frozen=True, slots=True)
class View:
    name: str
    meaning: str
    columns: tuple[ViewColumn, ...]


# type -> (on SQLite, on PostgreSQL)
TYPES = {
    "integer": ("INTEGER", "bigint"),
    "real": ("REAL", "double precision"),
    "text": ("TEXT", "text"),
    "time": ("TEXT, ISO 8601 in UTC ending in Z", "timestamp with time zone"),
    "boolean": ("INTEGER, 0 or 1", "boolean"),
    "json": ("TEXT holding JSON", "jsonb"),
}

_SQL_TYPES: dict[str, TypeEngine[Any]] = {
    "integer": BigInteger(),
    "real": Double(),
    "text": Text(),
    "time": UtcTime(),
    "boolean": Boolean(),
}

_TYPE_OF = {int: "integer", float: "real", str: "text", datetime: "time", bool: "boolean"}


def _columns_of(record: type) -> tuple[ViewColumn, ...]:
    return tuple(_columns(record))


def _columns(record: type) -> Iterator[ViewColumn]:
    for name, hint in get_type_hints(record, include_extras=True).items():
        if get_origin(hint) is not Annotated:
            yield _OF_TEXT[name]
            continue
        kind, doc = get_args(hint)
        assert isinstance(doc, ColumnDoc)
        if get_origin(kind) in (Union, types.UnionType):
            (kind,) = (one for one in get_args(kind) if one is not type(None))
        yield ViewColumn(
            name, _TYPE_OF.get(kind, "json"), doc.meaning, doc.unit, doc.null, doc.example, doc.of_text
        )


ARTICLE_COLUMNS = _columns_of(StoredArticle)
_OF_TEXT = {column.name: column for column in ARTICLE_COLUMNS if column.of_text}

VIEWS = (
    View("articles", "every article, in its current text", ARTICLE_COLUMNS),
    View("unique_articles", "one row a group: its canonical copy", ARTICLE_COLUMNS),
    View(
        "story_groups",
        "every group of copies; an article without copies is a group of one",
        _columns_of(StoryGroup),
    ),
    View("copies", "every verified pair of copies, once, with the evidence", _columns_of(Copy)),
    View("removed_text", "what was removed from the current text of each article", _columns_of(RemovedLine)),
    View("rejections", "locations that currently give no article", _columns_of(StoredRejection)),
    View(
        "changes",
        "every article that is or was here, at its last change: a reader that has read up to one change"
        " reads on after it, in the order of `change`, and misses nothing",
        _columns_of(Change),
    ),
    View(
        "runs",
        "every run of a command that writes; the counts grow with each committed batch",
        _columns_of(RunRow),
    ),
    View(
        "site_runs",
        "what every crawl did at each of its sites; written with each committed batch, so a killed crawl has"
        " the figures of its last one",
        _columns_of(SiteRun),
    ),
    View(
        "revisions",
        "every text that was seen at the URL of an article, the current one included, each with what its page"
        " said",
        _columns_of(StoredRevision),
    ),
)


def as_markdown() -> str:
    """The documentation of the views as Markdown: a table of types, then one section and table a view."""
    lines = ["| type | SQLite | PostgreSQL |", "|---|---|---|"]
    lines += [f"| {name} | {sqlite} | {postgres} |" for name, (sqlite, postgres) in TYPES.items()]
    for view in VIEWS:
        lines += ["", f"### {view.name}", "", f"{view.meaning[0].upper()}{view.meaning[1:]}."]
        if view.name == "unique_articles":
            lines[-1] += " The columns are those of `articles`."
            continue
        lines += ["", "| column | type | what | unit | null | example |", "|---|---|---|---|---|---|"]
        lines += [
            f"| {c.name} | {c.type} | {c.meaning} | {c.unit} | {c.null} | `{c.example}` |"
            for c in view.columns
        ]
    return "\n".join(lines) + "\n"


_views = MetaData()
view_tables = {
    view.name: Table(view.name, _views, *(Column(c.name, c.sql_type) for c in view.columns)) for view in VIEWS
}
