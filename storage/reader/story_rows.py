"""Stories for lists: by time, by copies or by outlets, a page at a time; and who shares them with whom.

A story's time is that of its canonical copy: its publication, else when it was first seen. A page is read on
from the last story of the one before (a keyset), so a writer that adds stories meanwhile neither repeats nor
hides one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, distinct, func, or_, select

from storage import schema
from storage.base import storable_name
from storage.reader.filters import EVERY_ARTICLE, ArticleFilter
from storage.reader.streaming import one_snapshot
from storage.schema import view_tables
from storage.search import matching_articles, parse_query

# A site with more articles than this is met soon on a walk through the stories.
_FEW_ARTICLES = 10_000


class StoryOrder(StrEnum):
    """NEWEST: by time, the latest first. SIZE: by copies. SPREAD: by outlets. Equal ones by time and id."""

    NEWEST = "newest"
    SIZE = "size"
    SPREAD = "spread"


@dataclass(frozen=True, slots=True)
class Story:
    """A row of `story_groups`, with what a list shows of it.

    time: of the canonical copy; aware, UTC. title, language, first_seen_at: its own as well. outlets: the
    sites that carry the story, in alphabetical order.
    """

    id: int
    size: int
    sites: int
    agency: str | None
    first_published_at: datetime | None
    canonical_article_id: int
    time: datetime
    title: str
    language: str | None
    first_seen_at: datetime
    outlets: tuple[str, ...]

    def key(self, order: StoryOrder) -> StoryKey:
        """Where the story stands in a list, to read on after it."""
        return StoryKey(_count_of(self, order), self.time, self.id)


@dataclass(frozen=True, slots=True)
class StoryKey:
    """The position of a story in a list. count: of copies or outlets, where the list is in their order."""

    count: int
    time: datetime
    id: int


def stories(
    engine: Engine,
    where: ArticleFilter = EVERY_ARTICLE,
    *,
    min_size: int = 1,
    min_sites: int = 0,
    query: str | None = None,
    order: StoryOrder = StoryOrder.NEWEST,
    after: StoryKey | None = None,
    limit: int = 50,
) -> list[Story]:
    """Stories that meet the filter, at most `limit`.

    where: since and until are of the story's time, the language is that of the canonical copy; of sites and
    agency, one copy is enough. min_size, min_sites: at least so many copies, on so many sites. query: one
    of the copies matches it, as in `search`; where more than 10,000 articles do, one of those that were
    stored last. QueryError where it looks for nothing. after: go on behind this story.
    """
    sought = None if query is None else matching_articles(engine, parse_query(query))
    canonical = schema.article.alias("canonical")
    time = story_time(canonical)
    copies = select(func.count()).where(schema.article.c.group_id == canonical.c.group_id).scalar_subquery()
    outlets = select(func.count(distinct(schema.article.c.site))).where(
        schema.article.c.group_id == canonical.c.group_id
    )
    sites = outlets.scalar_subquery()
    count = {StoryOrder.SIZE: copies, StoryOrder.SPREAD: sites}.get(order)
    wanted: Select[Any] = select(canonical.c.group_id, time.label("time")).where(canonical.c.is_canonical)
    wanted = wanted.where(*_conditions(engine, where, canonical, time))
    if sought is not None:
        match = schema.article.alias("match")
        wanted = wanted.where(
            canonical.c.group_id.in_(select(match.c.group_id).where(match.c.id.in_(sought)))
        )
    if min_size > 1:
        wanted = wanted.where(copies >= min_size)
    if min_sites > 1:
        wanted = wanted.where(sites >= min_sites)
    wanted = _ordered(wanted, count, time, canonical.c.group_id, after).limit(limit)
    with one_snapshot(engine) as connection:
        if where.sites:
            wanted = wanted.where(_is_on_a_site(connection, canonical, where.sites))
        found = {row.group_id: row.time for row in connection.execute(wanted)}
        return [_story(row, found[row.id], carried) for row, carried in _rows(connection, list(found))]


def every_story(
    engine: Engine,
    where: ArticleFilter = EVERY_ARTICLE,
    *,
    min_size: int = 1,
    min_sites: int = 0,
    order: StoryOrder = StoryOrder.NEWEST,
) -> Iterator[Story]:
    """All stories that meet the filter, as `stories` has them, read a page at a time."""
    after = None
    while page := stories(engine, where, min_size=min_size, min_sites=min_sites, order=order, after=after):
        yield from page
        after = page[-1].key(order)


def story_time(article: Any) -> ColumnElement[Any]:
    """The time of an article in a list: of its publication, else when it was first seen.

    The index `article_story` has the same expression.
    """
    return func.coalesce(article.c.published_at, article.c.first_seen_at, type_=article.c.first_seen_at.type)


def _conditions(
    engine: Engine, where: ArticleFilter, canonical: Any, time: ColumnElement[Any]
) -> Iterable[ColumnElement[bool]]:
    """All conditions but that of the sites."""
    if where.agency is not None:
        copy = schema.article.alias("copy")
        member = select(copy.c.id).where(copy.c.group_id == canonical.c.group_id)
        yield member.where(copy.c.agency == storable_name(where.agency)).exists()
    if where.since is not None:
        yield time >= where.since
    if where.until is not None:
        yield time < where.until
    rest = ArticleFilter(
        language=where.language, changed_since=where.changed_since, exclude_reserved=where.exclude_reserved
    )
    yield from rest.conditions(engine, canonical)


def _is_on_a_site(connection: Connection, canonical: Any, sites: Sequence[str]) -> ColumnElement[bool]:
    """Whether a copy of the story is on one of the sites.

    The stories of sites with few articles are looked up, and sorted: on a walk through all stories, a site
    that ended long ago would come last. Those of other sites are met soon on that walk.
    """
    copy = schema.article.alias("copy")
    is_there = copy.c.site.in_([storable_name(site) for site in sites])
    some = select(copy.c.id).where(is_there).limit(_FEW_ARTICLES + 1).subquery()
    if connection.execute(select(func.count()).select_from(some)).scalar_one() <= _FEW_ARTICLES:
        chosen: ColumnElement[bool] = canonical.c.group_id.in_(select(copy.c.group_id).where(is_there))
        return chosen
    return select(copy.c.id).where(copy.c.group_id == canonical.c.group_id, is_there).exists()


def _ordered(
    query: Select[Any],
    count: Any,
    time: ColumnElement[Any],
    id: ColumnElement[int],
    after: StoryKey | None,
) -> Select[Any]:
    """The query in its order, behind a story. `time <= after.time` lets an index find the place."""
    if after is not None:
        behind = or_(time < after.time, and_(time == after.time, id < after.id))
        if count is None:
            query = query.where(time <= after.time, behind)
        else:
            query = query.where(or_(count < after.count, and_(count == after.count, behind)))
    order = [] if count is None else [count.desc()]
    return query.order_by(*order, time.desc(), id.desc())


def _rows(connection: Any, ids: Sequence[int]) -> list[tuple[Any, tuple[str, ...]]]:
    """The rows of the groups in the order of the ids, each with its outlets."""
    if not ids:
        return []
    groups, articles = view_tables["story_groups"], schema.article
    query = select(groups, articles.c.title, articles.c.language, articles.c.first_seen_at).join_from(
        groups, articles, articles.c.id == groups.c.canonical_article_id
    )
    rows = {row.id: row for row in connection.execute(query.where(groups.c.id.in_(ids)))}
    carried: defaultdict[int, list[str]] = defaultdict(list)
    sites = select(articles.c.group_id, articles.c.site).distinct().where(articles.c.group_id.in_(ids))
    for group_id, site in connection.execute(sites.order_by(articles.c.site)):
        if site:
            carried[group_id].append(site)
    return [(rows[id], tuple(carried[id])) for id in ids if id in rows]


def _story(row: Any, time: datetime, outlets: tuple[str, ...]) -> Story:
    return Story(
        row.id,
        row.size,
        row.sites,
        row.agency,
        row.first_published_at,
        row.canonical_article_id,
        time,
        row.title,
        row.language,
        row.first_seen_at,
        outlets,
    )


def _count_of(story: Story, order: StoryOrder) -> int:
    return {StoryOrder.SIZE: story.size, StoryOrder.SPREAD: story.sites}.get(order, 0)


@dataclass(frozen=True, slots=True)
class Sharing:
    """How many stories two sites both carry. site, other: in alphabetical order; equal for the stories that
    the site shares with any other.
    """

    site: str
    other: str
    stories: int


def shared_stories(engine: Engine, where: ArticleFilter = EVERY_ARTICLE, *, most: int = 25) -> list[Sharing]:
    """Stories that sites share, of the `most` sites that share most.

    where: of the copies on both sites: published since and until then, of the agency, in the language.
    """
    articles = schema.article
    # The sum keeps SQLite from walking through all articles in the order of their groups for DISTINCT.
    chosen = (
        select((articles.c.group_id + 0).label("group_id"), articles.c.site)
        .distinct()
        .where(articles.c.site != "", *where.conditions(engine, articles))
        .cte("chosen")
    )
    one, other = chosen.alias("one"), chosen.alias("other")
    own = (
        select(one.c.site, func.count(distinct(one.c.group_id)).label("stories"))
        .join_from(one, other, and_(one.c.group_id == other.c.group_id, one.c.site != other.c.site))
        .group_by(one.c.site)
        .order_by(func.count(distinct(one.c.group_id)).desc(), one.c.site)
        .limit(most)
    )
    with one_snapshot(engine) as connection:
        totals = {row.site: row.stories for row in connection.execute(own)}
        pairs = (
            select(one.c.site, other.c.site, func.count())
            .join_from(one, other, and_(one.c.group_id == other.c.group_id, one.c.site < other.c.site))
            .where(one.c.site.in_(totals), other.c.site.in_(totals))
            .group_by(one.c.site, other.c.site)
            .order_by(one.c.site, other.c.site)
        )
        found = [Sharing(site, site, count) for site, count in totals.items()]
        return found + [Sharing(*row) for row in connection.execute(pairs)]
