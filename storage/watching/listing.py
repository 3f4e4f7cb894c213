"""What watchlists matched, and what a rule would match."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from storage import schema
from storage.base import chunks
from storage.watching.matcher import Matcher, WatchedText
from storage.watching.watchlists import Rule

# Articles whose texts are in memory at once.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class MatchedStory:
    """A story that a watchlist matched, or would match, by the member that matched last.

    id: of the story. matched_at: when it did; of a rule that is tried, when the article's text was fetched.
    is_told: False while it waits for more sites. sites: how many carry it now.
    """

    id: int
    article_id: int
    url: str
    title: str
    site: str
    published_at: datetime | None
    matched_at: datetime
    is_told: bool
    sites: int


def matched_stories(engine: Engine, watchlist_id: int, limit: int = 20) -> list[MatchedStory]:
    """The stories that a watchlist matched, those first that it matched last."""
    match, article = schema.watch_match, schema.article
    query = (
        select(*_SHOWN, match.c.matched_at, match.c.is_told)
        .join(match, match.c.article_id == article.c.id)
        .where(match.c.watchlist_id == watchlist_id)
        .order_by(match.c.matched_at.desc(), match.c.article_id.desc())
    )
    with engine.connect() as connection:
        rows = connection.execute(query.execution_options(stream_results=True, yield_per=100))
        stories = _by_story(rows, limit)
        sites = _sites(connection, stories)
    return [_story(row, sites[id], row.matched_at, row.is_told) for id, row in stories.items()]


def would_match(engine: Engine, rule: Rule, since: datetime, limit: int | None = None) -> list[MatchedStory]:
    """The stories that a rule matches among the texts fetched from then on, the latest first.

    `is_told` says whether the rule would tell of them. Reads these texts, and writes nothing.
    """
    article = schema.article
    matcher = Matcher([(0, rule)])
    texts = select(*_SHOWN, *(article.c[name] for name in ("text", "site_key", "language", "agency")))
    texts = texts.add_columns(article.c.updated_at).where(article.c.updated_at >= since)
    order = (article.c.updated_at.desc(), article.c.id.desc())
    with engine.connect() as connection:
        rows = connection.execute(
            texts.order_by(*order).execution_options(stream_results=True, yield_per=_AT_ONCE)
        )
        stories = _by_story((row for row in rows if matcher.matches(_text(row))), limit)
        sites = _sites(connection, stories)
    least = rule.min_sites or 1
    return [_story(row, sites[id], row.updated_at, sites[id] >= least) for id, row in stories.items()]


_SHOWN = tuple(schema.article.c[name] for name in ("id", "group_id", "url", "title", "site", "published_at"))


def _text(row: Any) -> WatchedText:
    return WatchedText.of(row.title, row.text, row.site, row.site_key, row.language, row.agency)


def _by_story(rows: Iterable[Any], limit: int | None) -> dict[int, Any]:
    """The first row of each story, of so many stories."""
    stories: dict[int, Any] = {}
    for row in rows:
        if limit is not None and len(stories) >= limit:
            break
        stories.setdefault(row.group_id, row)
    return stories


def _sites(connection: Connection, groups: Iterable[int]) -> dict[int, int]:
    table = schema.article
    query = select(table.c.group_id, func.count(table.c.site.distinct()).label("sites"))
    return {
        row.group_id: row.sites
        for part in chunks(list(groups))
        for row in connection.execute(query.where(table.c.group_id.in_(part)).group_by(table.c.group_id))
    }


def _story(row: Any, sites: int, at: datetime, is_told: bool) -> MatchedStory:
    return MatchedStory(
        row.group_id, row.id, row.url, row.title, row.site, row.published_at, at, is_told, sites
    )
