"""Reads which articles are new, different or gone since a given change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, and_, select, type_coerce

from storage import schema
from storage.base import last_change_number
from storage.reader.filters import EVERY_ARTICLE, ArticleFilter
from storage.reader.streaming import FETCH_TEXTS, stream
from storage.schema import (
    Change,
    Json,
    StoredArticle,
    view_tables,
)


@dataclass(frozen=True, slots=True)
class ChangedArticle:
    """An article that changed, as it is now. article: None if it is gone, or is not of those asked for."""

    change: int
    id: int
    article: StoredArticle | None


def changes(engine: Engine, after: int = 0, *, limit: int | None = None) -> Iterator[Change]:
    """What changed after a change, in order; each article that did once, at its last change.

    after: the `change` of the last row that was read, 0 for all. Reading on after the last row misses
    nothing and repeats nothing, however many writers there are and however often a reader stops: changes
    are numbered in the order in which they are committed. Of an article that changed again while this is
    read, the later change is given by the next call.
    """
    view = view_tables["changes"]
    query = select(view).where(view.c.change > after).order_by(view.c.change)
    return stream(engine, query if limit is None else query.limit(limit), Change)


def changed_articles(
    engine: Engine,
    after: int = 0,
    where: ArticleFilter = EVERY_ARTICLE,
    *,
    canonical_only: bool = False,
) -> Iterator[ChangedArticle]:
    """As `changes`, with the articles themselves: who puts in place what has an article, and takes out what
    has none, keeps an exact copy.

    The filter chooses articles; what changed and is not, or no longer, of those has `article` None, so that
    a copy of the canonical ones loses what stopped being canonical.
    """
    view, change = view_tables["articles"], schema.change
    wanted = [view.c.id == change.c.article_id, *where.conditions(engine, view)]
    if canonical_only:
        wanted.append(view.c.is_canonical)
    # Nothing is there of an article that is gone, not even a list of authors.
    columns = [type_coerce(one, Json(one.name)) if isinstance(one.type, Json) else one for one in view.c]
    query = (
        select(change.c.number, change.c.article_id, *columns)
        .outerjoin_from(change, view, and_(*wanted))
        .where(change.c.number > after)
        .order_by(change.c.number)
    )

    def make(number: int, id: int, *row: Any) -> ChangedArticle:
        return ChangedArticle(number, id, None if row[0] is None else StoredArticle(*row))

    return stream(engine, query, make, FETCH_TEXTS)


def database_id(engine: Engine) -> int:
    """A number that identifies this database: a cursor is only valid for the database that it came from."""
    with engine.connect() as connection:
        named = schema.counter.c.name == schema.DATABASE_ID
        return int(connection.execute(select(schema.counter.c.value).where(named)).scalar_one())


def last_changed_at(engine: Engine) -> datetime | None:
    """When the last change was written, aware, UTC; None in an empty database."""
    with engine.connect() as connection:
        query = select(schema.change.c.at).order_by(schema.change.c.number.desc()).limit(1)
        return connection.execute(query).scalar_one_or_none()


def last_change(engine: Engine) -> int:
    """The number of the last change, to read on from; 0 in an empty database."""
    with engine.connect() as connection:
        return last_change_number(connection)
