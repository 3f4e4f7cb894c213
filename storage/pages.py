"""The stored pages with what became of them: what reprocessing reads.

They come in a stable order, a few at a time and each few in a transaction of their own, so that a run of
hours keeps neither the writers waiting nor SQLite's log from being folded in, and holds little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, RowMapping, Select, Table, func, or_, select

from pipeline.document import Document, Reason, Removed
from pipeline.urls import site_of
from storage import schema
from storage.database import persistently
from storage.keys import TRANSIENT, microseconds, storable_name
from storage.reader import document_of

# Pages that are read at once: of the largest allowed, that many have to fit into memory.
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class TextBefore:
    """What a page gave, as it is stored. is_current: False for an older revision of the article."""

    article_id: int
    is_current: bool
    url: str
    publisher: str | None
    title: str
    text: str
    authors: tuple[str, ...]
    byline: str | None
    dateline: str | None
    agency: str | None
    published_at: datetime | None
    language: str | None
    access: str
    removed: tuple[Removed, ...]


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A document as it was fetched, and what it is stored as: a text of an article, or a rejection."""

    document: Document
    text: TextBefore | None
    reason: Reason | None


_TEXT_COLUMNS = (
    "publisher",
    "title",
    "text",
    "authors",
    "byline",
    "dateline",
    "agency",
    "published_at",
    "language",
    "access",
)


def outdated(
    engine: Engine, rules_version: str, *, site: str | None = None, since: datetime | None = None
) -> Iterator[StoredPage]:
    """Pages whose texts and rejections were made by other rules, in a stable order: texts, then rejections.

    site: of this site only. since: fetched from then on. Rejections for a fault of ours count as made by
    other rules, as `reader.known` has it. What is written in the meantime is not read again.
    """
    for table in (schema.article, schema.revision, schema.rejection):
        column = table.c.page_id
        with engine.connect() as connection:
            last = connection.scalar(select(func.max(column)))
        after = 0
        while last is not None and after < last:
            query = _joined(_outdated(table, rules_version, site, since), table)
            query = query.where(column > after, column <= last).order_by(column).limit(_AT_ONCE)
            rows, removed = persistently(engine, partial(_read, engine, query, table))
            for row in rows:
                if table is schema.rejection:
                    if site is None or _site(row["of_url"]) == site:
                        yield StoredPage(document_of(row), None, Reason(row["of_reason"]))
                else:
                    yield StoredPage(document_of(row), _text_before(row, removed), None)
            after = rows[-1]["id"] if rows else last


def count_outdated(
    engine: Engine, rules_version: str, *, site: str | None = None, since: datetime | None = None
) -> int:
    """How many pages `outdated` gives."""
    count = 0
    with engine.connect() as connection:
        for table in (schema.article, schema.revision, schema.rejection):
            query = _outdated(table, rules_version, site, since)
            if table is schema.rejection and site is not None:
                urls = connection.execute(query.add_columns(table.c.url)).scalars()
                count += sum(_site(url) == site for url in urls)
            else:
                columns = query.add_columns(table.c.page_id).subquery()
                count += connection.scalar(select(func.count()).select_from(columns)) or 0
    return count


def count_pruned(
    engine: Engine, rules_version: str, *, site: str | None = None, since: datetime | None = None
) -> int:
    """How many texts and rejections `outdated` would give, had their pages not been pruned."""
    count = 0
    with engine.connect() as connection:
        for table in (schema.article, schema.revision, schema.rejection):
            query = _outdated(table, rules_version, site, since, kept=False)
            if table is schema.rejection and site is not None:
                urls = connection.execute(query.add_columns(table.c.url)).scalars()
                count += sum(_site(url) == site for url in urls)
            else:
                columns = query.add_columns(table.c.rules_version).subquery()
                count += connection.scalar(select(func.count()).select_from(columns)) or 0
    return count


def has_page(engine: Engine, article_id: int) -> bool:
    """Whether the page of the article's current text is there; otherwise it was pruned."""
    table = schema.article
    with engine.connect() as connection:
        return connection.scalar(select(table.c.page_id).where(table.c.id == article_id)) is not None


def partition(engine: Engine) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every article's id, in order, and its group's; shape (articles,) each. 16 bytes an article."""
    table = schema.article
    with engine.connect().execution_options(stream_results=True, yield_per=10_000) as connection:
        rows = connection.execute(select(table.c.id, table.c.group_id).order_by(table.c.id))
        found = np.fromiter((value for row in rows for value in row), dtype=np.int64).reshape(-1, 2)
    return found[:, 0].copy(), found[:, 1].copy()


def _read(
    engine: Engine, query: Select[Any], table: Table
) -> tuple[Sequence[RowMapping], dict[int, list[Removed]]]:
    with engine.connect() as connection:
        rows = connection.execute(query).mappings().all()
        return rows, _removed(connection, rows) if table is schema.article else {}


def _outdated(
    table: Table, rules_version: str, site: str | None, since: datetime | None, *, kept: bool = True
) -> Select[Any]:
    """kept: those that have their page; otherwise those that had one."""
    is_old = table.c.rules_version != rules_version
    if table is schema.rejection:
        is_old = or_(is_old, table.c.reason.in_([reason.value for reason in TRANSIENT]))
    query = select().where(is_old, table.c.page_id.is_not(None) if kept else table.c.page_id.is_(None))
    if table is schema.rejection and not kept:
        # A digest there is of bytes; of what was forgotten it was never kept with them.
        had = (table.c.digest.is_not(None), table.c.reason != Reason.FORGOTTEN.value)
        query = query.where(*had)
    if since is not None:
        fetched = table.c.at_us if table is schema.rejection else table.c.fetched_us
        query = query.where(fetched >= microseconds(since))
    if site is not None and table is schema.article:
        query = query.where(table.c.site == storable_name(site))
    if site is not None and table is schema.revision:
        of = schema.article
        query = query.where(table.c.article_id.in_(select(of.c.id).where(of.c.site == storable_name(site))))
    return query


def _joined(query: Select[Any], table: Table) -> Select[Any]:
    """The query with the page's columns, and those of the text or rejection with `of_` before their names."""
    page, article = schema.page, schema.article
    query = query.add_columns(*page.c).where(page.c.id == table.c.page_id)
    if table is schema.rejection:
        return query.add_columns(table.c.url.label("of_url"), table.c.reason.label("of_reason"))
    query = query.add_columns(*(table.c[name].label(f"of_{name}") for name in _TEXT_COLUMNS))
    if table is schema.article:
        return query.add_columns(table.c.id.label("of_id"), table.c.url.label("of_url"))
    return query.where(article.c.id == table.c.article_id).add_columns(
        article.c.id.label("of_id"), article.c.url.label("of_url"), table.c.removed.label("of_removed")
    )


def _text_before(row: Any, removed: dict[int, list[Removed]]) -> TextBefore:
    is_current = "of_removed" not in row
    lines = removed.get(row["of_id"], ()) if is_current else [Removed(*line) for line in row["of_removed"]]
    values = {name: row[f"of_{name}"] for name in _TEXT_COLUMNS}
    values["authors"] = tuple(values["authors"])
    return TextBefore(
        article_id=row["of_id"],
        is_current=is_current,
        url=row["of_url"],
        removed=tuple(lines),
        **values,
    )


def _removed(connection: Connection, rows: Sequence[Any]) -> dict[int, list[Removed]]:
    table = schema.removal
    found: dict[int, list[Removed]] = {}
    query = select(table.c.article_id, table.c.position, table.c.text, table.c.rule).where(
        table.c.article_id.in_([row["of_id"] for row in rows])
    )
    for id, *line in connection.execute(query.order_by(table.c.article_id, table.c.line)):
        found.setdefault(id, []).append(Removed(*line))
    return found


def _site(url: str | None) -> str:
    return site_of(url) if url else ""
