"""Groups of copies, their members and the evidence."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine, or_, select

from storage.reader.article_rows import articles
from storage.reader.streaming import one_row, stream
from storage.schema import (
    Copy,
    StoredArticle,
    StoryGroup,
    view_tables,
)


def copies(engine: Engine, id: int) -> list[Copy]:
    """Every verified pair that the article is part of."""
    view = view_tables["copies"]
    query = select(view).where(or_(view.c.article_id == id, view.c.other_id == id))
    return list(stream(engine, query.order_by(view.c.article_id, view.c.other_id), Copy))


def groups(engine: Engine, *, min_size: int = 2, limit: int | None = None) -> Iterator[StoryGroup]:
    """Groups of at least `min_size` articles, the largest first, then the oldest."""
    view = view_tables["story_groups"]
    query = select(view).where(view.c.size >= min_size).order_by(view.c.size.desc(), view.c.id)
    return stream(engine, query if limit is None else query.limit(limit), StoryGroup)


def group(engine: Engine, id: int) -> StoryGroup | None:
    view = view_tables["story_groups"]
    return one_row(engine, select(view).where(view.c.id == id), StoryGroup)


def members(engine: Engine, group_id: int) -> list[StoredArticle]:
    """The articles of a group, the earliest published first, undated ones last."""
    found = list(articles(engine, group_id=group_id))
    return sorted(found, key=lambda a: (a.published_at is None, a.published_at or a.first_seen_at, a.id))
