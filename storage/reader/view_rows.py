"""The rows of any public view as dictionaries, for exports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from storage import schema
from storage.reader.article_rows import select_articles, select_revisions
from storage.reader.filters import EVERY_ARTICLE, ArticleFilter
from storage.reader.streaming import stream
from storage.schema import (
    VIEWS,
    view_tables,
)


def rows(
    engine: Engine,
    view: str,
    where: ArticleFilter = EVERY_ARTICLE,
    *,
    canonical_only: bool = False,
    since: datetime | None = None,
    after: int = 0,
) -> Iterator[dict[str, Any]]:
    """The rows of a public view as dictionaries, in the order of its columns; for exports of any size.

    `where` and `canonical_only` are for `articles` and `unique_articles`, which come by id. `since` (by `at`)
    and `after` are for `changes`, which come by `change`. Raises ValueError where a view does not take one.
    """
    names = [column.name for column in next(v for v in VIEWS if v.name == view).columns]

    def make(*values: Any) -> dict[str, Any]:
        return dict(zip(names, values, strict=True))

    is_changes = view == "changes"
    is_of_articles = view in ("articles", "unique_articles")
    if (since or after) and not is_changes:
        raise ValueError(f"the view {view} is not read from a change on")
    if is_of_articles:
        unique = canonical_only or view == "unique_articles"
        return select_articles(engine, make, where, canonical_only=unique)
    if where != EVERY_ARTICLE or canonical_only:
        raise ValueError(f"the view {view} takes no filters of articles")
    if view == "revisions":
        return select_revisions(engine, make)
    table = view_tables[view]
    query = select(table).order_by(*(table.c[name] for name in _ORDER[view]))
    if view == "removed_text":
        # By its key, or a database without room for all of it would have to sort it.
        removal = schema.removal
        query = select(removal.c.article_id, removal.c.position, removal.c.rule, removal.c.text)
        query = query.order_by(removal.c.article_id, removal.c.line)
    if is_changes:
        query = query.where(table.c.change > after)
        if since is not None:
            query = query.where(table.c.at >= since)
    return stream(engine, query, make)


_ORDER = {
    "story_groups": ("id",),
    "copies": ("article_id", "other_id"),
    "removed_text": ("article_id", "position"),
    "rejections": ("location",),
    "changes": ("change",),
    "runs": ("id",),
    "site_runs": ("run_id", "site"),
}
