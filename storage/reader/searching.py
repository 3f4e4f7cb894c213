"""Articles found by their words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, select

from storage import schema
from storage.base import chunks, storable_name
from storage.reader.streaming import one_snapshot
from storage.schema import (
    StoredArticle,
    view_tables,
)
from storage.search import Snippet, make_snippet, parse_query, rank_matches


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that a search found. score: greater is better; says nothing beside that of another query."""

    article: StoredArticle
    score: float
    snippet: Snippet


def search(
    engine: Engine,
    query: str,
    *,
    site: str | None = None,
    language: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    canonical_only: bool = False,
    limit: int = 20,
    offset: int = 0,
) -> list[Hit]:
    """Articles in whose current title or text the query is found, the best first, then the newest.

    query: as `storage.search.query` says; QueryError where it looks for nothing. since, until: published
    from then on, and before then; articles without a date are in neither. canonical_only: one article of each
    group that matches, the canonical copy if it matches itself, else the best match. A page of results is
    `limit` of them from the `offset`-th on.
    """
    asked, table = parse_query(query), schema.article
    conditions: list[ColumnElement[bool]] = []
    if site is not None:
        conditions.append(table.c.site == storable_name(site))
    if language is not None:
        conditions.append(table.c.language == storable_name(language))
    if since is not None:
        conditions.append(table.c.published_at >= since)
    if until is not None:
        conditions.append(table.c.published_at < until)
    view = view_tables["articles"]
    with one_snapshot(engine) as connection:
        scores = dict(rank_matches(connection, asked, conditions, canonical_only, limit, offset))
        found = {
            row.id: StoredArticle(*row)
            for part in chunks(scores)
            for row in connection.execute(select(view).where(view.c.id.in_(part)))
        }
    return [Hit(found[id], score, make_snippet(found[id].text, asked)) for id, score in scores.items()]
