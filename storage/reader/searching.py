"""Articles found by their words."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, select

from storage import schema
from storage.base import chunks
from storage.reader.filters import EVERY_ARTICLE, ArticleFilter
from storage.reader.streaming import one_snapshot
from storage.schema import (
    StoredArticle,
    view_tables,
)
from storage.search import Snippet, make_snippet, parse_query, rank_matches
from storage.search import count_matches as count_in_index


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that a search found. score: greater is better; says nothing beside that of another query."""

    article: StoredArticle
    score: float
    snippet: Snippet


def search(
    engine: Engine,
    query: str,
    where: ArticleFilter = EVERY_ARTICLE,
    *,
    canonical_only: bool = False,
    limit: int = 20,
    offset: int = 0,
) -> list[Hit]:
    """Articles in whose current title or text the query is found, the best first, then the newest.

    query: as `storage.search.query` says; QueryError where it looks for nothing. canonical_only: one article
    of each group that matches, the canonical copy if it matches itself, else the best match. A page of
    results is `limit` of them from the `offset`-th on.
    """
    asked = parse_query(query)
    conditions = where.conditions(engine, schema.article)
    view = view_tables["articles"]
    with one_snapshot(engine) as connection:
        scores = dict(rank_matches(connection, asked, conditions, canonical_only, limit, offset))
        found = {
            row.id: StoredArticle(*row)
            for part in chunks(scores)
            for row in connection.execute(select(view).where(view.c.id.in_(part)))
        }
    return [Hit(found[id], score, make_snippet(found[id].text, asked)) for id, score in scores.items()]


def count_matches(
    engine: Engine, query: str, where: ArticleFilter = EVERY_ARTICLE, *, canonical_only: bool = False
) -> int:
    """How many articles `search` would find without a limit; with `canonical_only`, of how many stories."""
    asked = parse_query(query)
    with one_snapshot(engine) as connection:
        return count_in_index(connection, asked, where.conditions(engine, schema.article), canonical_only)
