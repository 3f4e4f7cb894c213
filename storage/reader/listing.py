"""Lists a page at a time, each read on behind the last row of the page before (a keyset).

So a page costs the same wherever it stands, and a writer that adds rows meanwhile neither repeats nor hides
one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, Select, Text, and_, func, or_, select, type_coerce

from storage import schema
from storage.base import storable_name
from storage.reader.filters import EVERY_ARTICLE, ArticleFilter
from storage.reader.story_rows import story_time
from storage.reader.streaming import one_snapshot
from storage.schema import Copy, view_tables

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ArticleKey:
    """The position of an article in a list. time: None for one without a date, in `list_articles`."""

    time: datetime | None
    id: int


def list_articles(
    engine: Engine,
    where: ArticleFilter = EVERY_ARTICLE,
    *,
    group_id: int | None = None,
    canonical_only: bool = False,
    with_text: bool = True,
    after: ArticleKey | None = None,
    limit: int = 50,
) -> list[Row]:
    """Articles as dictionaries, the latest publication first, those without a date last.

    group_id: of this story. with_text: else without the column `text`, which is not read. after: go on behind
    this article.
    """
    view = view_tables["articles"]
    query = select(*(column for column in view.c if with_text or column.name != "text"))
    query = query.where(*where.conditions(engine, view))
    if group_id is not None:
        query = query.where(view.c.group_id == group_id)
    if canonical_only:
        query = query.where(view.c.is_canonical)
    # The index of times has the articles without one as well, but not in the same place on both databases.
    query = query.order_by(view.c.published_at.desc(), view.c.id.desc())
    found: list[Row] = []
    with one_snapshot(engine) as connection:
        if after is None or after.time is not None:
            dated = query.where(view.c.published_at.is_not(None))
            if after is not None:
                same_time = and_(view.c.published_at == after.time, view.c.id < after.id)
                behind = or_(view.c.published_at < after.time, same_time)
                dated = dated.where(view.c.published_at <= after.time, behind)
            found += map(_as_dict, connection.execute(dated.limit(limit)))
        if len(found) < limit and where.since is None and where.until is None:
            undated = query.where(view.c.published_at.is_(None))
            if after is not None and after.time is None:
                undated = undated.where(view.c.id < after.id)
            found += map(_as_dict, connection.execute(undated.limit(limit - len(found))))
    return found


def list_members(
    engine: Engine, group_id: int, *, after: ArticleKey | None = None, limit: int = 50
) -> list[Row]:
    """The articles of a story as dictionaries without their texts, the earliest first.

    Their time is that of their publication, else when they were first seen; it is also the key `time`.
    """
    view = view_tables["articles"]
    time = story_time(view)
    query = select(*(column for column in view.c if column.name != "text"), time.label("time"))
    query = query.where(view.c.group_id == group_id)
    if after is not None:
        query = query.where(or_(time > after.time, and_(time == after.time, view.c.id > after.id)))
    with one_snapshot(engine) as connection:
        return [_as_dict(row) for row in connection.execute(query.order_by(time, view.c.id).limit(limit))]


def pairs_of_story(engine: Engine, group_id: int, *, limit: int | None = None) -> list[Copy]:
    """Verified pairs of which both articles are in a story, by their ids; at most `limit`."""
    view, article = view_tables["copies"], schema.article
    members = select(article.c.id).where(article.c.group_id == group_id)
    query = select(view).where(view.c.article_id.in_(members), view.c.other_id.in_(members))
    with one_snapshot(engine) as connection:
        rows = connection.execute(query.order_by(view.c.article_id, view.c.other_id).limit(limit))
        return [Copy(*row) for row in rows]


def _as_dict(row: Any) -> Row:
    return dict(row._mapping)


# --- counts -------------------------------------------------------------------------------------------


class CountBy(StrEnum):
    """DAY: of publication, in UTC."""

    DAY = "day"
    SITE = "site"
    AGENCY = "agency"


@dataclass(frozen=True, slots=True)
class ArticleCount:
    """How many articles have a day, a site or an agency."""

    key: str
    articles: int


def count_articles(
    engine: Engine,
    by: CountBy,
    where: ArticleFilter = EVERY_ARTICLE,
    *,
    canonical_only: bool = False,
    after: ArticleCount | None = None,
    limit: int = 50,
) -> list[ArticleCount]:
    """Counts of articles: by day the latest first, by site and agency the greatest first.

    Articles without a date, a site or an agency are in no count. canonical_only: one a story. after: go on
    behind this count.
    """
    table = schema.article
    conditions = where.conditions(engine, table)
    if canonical_only:
        conditions.append(table.c.is_canonical)
    with one_snapshot(engine) as connection:
        if by is CountBy.DAY:
            query = _by_day(engine, after)
        else:
            query = _by_name(table.c.site if by is CountBy.SITE else table.c.agency, after)
        rows = connection.execute(query.where(*conditions).limit(limit))
        return [ArticleCount(str(row.key), row.articles) for row in rows]


def _by_day(engine: Engine, after: ArticleCount | None) -> Select[Any]:
    time = schema.article.c.published_at
    if engine.dialect.name == "postgresql":
        day = func.to_char(func.timezone("UTC", time), "YYYY-MM-DD")
    else:
        day = func.substr(type_coerce(time, Text()), 1, 10)
    key = day.label("key")
    query = select(key, func.count().label("articles")).where(time.is_not(None))
    if after is not None:
        query = query.where(time < datetime.fromisoformat(after.key).replace(tzinfo=UTC))
    return query.group_by(key).order_by(key.desc())


def _by_name(column: Any, after: ArticleCount | None) -> Select[Any]:
    count = func.count()
    query = select(column.label("key"), count.label("articles")).where(column.is_not(None), column != "")
    query = query.group_by(column).order_by(count.desc(), column)
    if after is not None:
        name = storable_name(after.key)
        query = query.having(or_(count < after.articles, and_(count == after.articles, column > name)))
    return query
