"""Deletes articles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Engine, delete, select

from pipeline.settings import Settings
from storage import schema, search
from storage.base import chunks
from storage.database import in_transaction
from storage.writing import groups, learning


def remove_articles(engine: Engine, ids: Iterable[int], settings: Settings) -> int:
    """Deletes articles with their pages and index entries, and regroups; returns how many there were.

    Nothing keeps them from being stored again.
    """
    wanted = sorted(set(ids))
    return in_transaction(engine, lambda connection: remove_in(connection, wanted, settings))


def remove_in(connection: Connection, ids: Sequence[int], settings: Settings) -> int:
    """`remove_articles` within a transaction of the caller's, begun by `in_transaction`."""
    gone: list[int] = []
    pages: set[int] = set()
    for part in chunks(ids):
        for table, key in (
            (schema.article, schema.article.c.id),
            (schema.revision, schema.revision.c.article_id),
        ):
            for id, page_id in connection.execute(select(key, table.c.page_id).where(key.in_(part))):
                if table is schema.article:
                    gone.append(id)
                if page_id is not None:
                    pages.add(page_id)
    left = groups.remove_stories(connection, gone, settings)
    search.remove_from_index(connection, gone)
    for part in chunks(gone):
        connection.execute(delete(schema.article).where(schema.article.c.id.in_(part)))
    for part in chunks(pages):
        connection.execute(delete(schema.page).where(schema.page.c.id.in_(part)))
    groups.add_stories(connection, (), left, settings)
    learning.forget_articles(connection, gone)
    return len(gone)
