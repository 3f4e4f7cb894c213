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
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, and_, distinct, func, or_, select

from storage import schema
from storage.base import storable_name
from storage.reader.filters import EVERY_ARTICLE, ArticleFilter
from storage.reader.streaming import one_snapshot
from storage.schema import view_tables
from storage.search import matching_articles, parse_query

# A site or an agency with more articles than this is met soon on a walk through the stories.
_FEW_ARTICLES = 10_000
# A count of copies that more stories have is met soon on such a walk, too.
_FEW_STORIES = 5_000


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
    # SQLite has time and group of a story in one index, and reads no article to sort all of them.
    is_sorted_fast = order is StoryOrder.NEWEST or engine.dialect.name == "sqlite"
    if not is_sorted_fast and where == EVERY_ARTICLE and query is None:
        least = min_size if order is StoryOrder.SIZE else min_sites
        if max(min_size, min_sites) <= max(least, 1):
            with one_snapshot(engine) as connection:
                return _in_their_order(connection, _counted(connection, order, max(least, 1), after, limit))
    sought = None if query is None else matching_articles(engine, parse_query(query))
    canonical = schema.article.alias("canonical")
    time = story_time(canonical)
    copies, sites = (_count_of_group(order, canonical) for order in (StoryOrder.SIZE, StoryOrder.SPREAD))
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
    id: ColumnElement[int] = canonical.c.group_id
    are_few = sought is not None
    with one_snapshot(engine) as connection:
        for copy, meets in _of_copies(where):
            if _has_few(connection, copy, meets):
                wanted, are_few = wanted.where(id.in_(select(copy.c.group_id).where(meets))), True
            else:
                wanted = wanted.where(select(copy.c.id).where(copy.c.group_id == id, meets).exists())
        if are_few:
            # PostgreSQL would rather walk through all stories in their order until it has met enough.
            counted = [] if count is None else [count.label("n")]
            few: Any = wanted.add_columns(*counted).cte("few").prefix_with("MATERIALIZED")
            wanted, time, id = select(few.c.group_id, few.c.time), few.c.time, few.c.group_id
            count = None if count is None else few.c.n
        wanted = _ordered(wanted, count, time, id, after).limit(limit)
        return _in_their_order(connection, connection.execute(wanted))


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
    """All conditions but those of the sites and of the agency."""
    if where.since is not None:
        yield time >= where.since
    if where.until is not None:
        yield time < where.until
    rest = ArticleFilter(
        language=where.language, changed_since=where.changed_since, exclude_reserved=where.exclude_reserved
    )
    yield from rest.conditions(engine, canonical)


def _of_copies(where: ArticleFilter) -> Iterator[tuple[Any, ColumnElement[bool]]]:
    """Conditions that one copy of a story has to meet, each with the table of that copy."""
    copy = schema.article.alias("copy")
    if where.sites:
        yield copy, copy.c.site.in_([storable_name(site) for site in where.sites])
    if where.agency is not None:
        yield copy, copy.c.agency == storable_name(where.agency)


def _has_few(connection: Connection, copy: Any, meets: ColumnElement[bool]) -> bool:
    """Whether few articles are on a site, or credit an agency.

    Their stories are looked up, and sorted: on a walk through all stories, those of a site that ended long
    ago would come last. Those of others are met soon on that walk.
    """
    some = select(copy.c.id).where(meets).limit(_FEW_ARTICLES + 1).subquery()
    found: int = connection.execute(select(func.count()).select_from(some)).scalar_one()
    return found <= _FEW_ARTICLES


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


def _counted(
    connection: Connection, order: StoryOrder, least: int, after: StoryKey | None, limit: int
) -> list[Row[Any]]:
    """The ids and times of all stories in the order of copies or outlets, at least `least`, behind a story.

    To sort them all, PostgreSQL looks up each. Instead a walk along the index of groups says how many stories
    have each count. Those of counts that few have, as the greatest, are looked up and sorted. Those of a
    count that many have, as 1, are met soon on a walk through the stories in the order of their times.
    """
    canonical = schema.article.alias("canonical")
    time, id = story_time(canonical), canonical.c.group_id
    groups = _groups_by_count(order, least, after)
    stories_of = select(groups.c.n, func.count()).group_by(groups.c.n).order_by(groups.c.n.desc())
    found: list[Row[Any]] = []
    for part in _alike([(n, stories) for n, stories in connection.execute(stories_of)]):
        if part.are_few:
            wanted = select(id, time.label("time")).join_from(groups, canonical, id == groups.c.group_id)
            wanted = wanted.where(canonical.c.is_canonical, groups.c.n.between(part.least, part.most))
            wanted = _ordered(wanted, groups.c.n, time, id, after)
        else:
            wanted = select(id, time.label("time")).where(canonical.c.is_canonical)
            wanted = wanted.where(_count_of_group(order, canonical) == part.most)
            behind = after if after is not None and after.count == part.most else None
            wanted = _ordered(wanted, None, time, id, behind)
        found += connection.execute(wanted.limit(limit - len(found)))
        if len(found) == limit:
            break
    return found


def _groups_by_count(order: StoryOrder, least: int, after: StoryKey | None) -> Any:
    """Each group with the count `n` that it is ordered by, of the groups that may stand behind `after`."""
    article = schema.article
    n = func.count() if order is StoryOrder.SIZE else func.count(distinct(article.c.site))
    groups = select(article.c.group_id, n.label("n")).group_by(article.c.group_id).having(n >= least)
    return (groups if after is None else groups.having(n <= after.count)).subquery()


@dataclass(frozen=True, slots=True)
class _Counts:
    """Counts from `least` to `most`; are_few: of which each has few stories."""

    least: int
    most: int
    are_few: bool


def _alike(stories_of: Iterable[tuple[int, int]]) -> Iterator[_Counts]:
    """Counts of few stories together, and each count of many alone. stories_of: counts in falling order."""
    for are_few, some in groupby(stories_of, lambda one: one[1] <= _FEW_STORIES):
        counts = [n for n, _ in some]
        if are_few:
            yield _Counts(counts[-1], counts[0], are_few)
        else:
            yield from (_Counts(n, n, are_few) for n in counts)


def _count_of_group(order: StoryOrder, canonical: Any) -> Any:
    """The number of copies, or of outlets, of the story of an article."""
    article = schema.article
    n = func.count() if order is StoryOrder.SIZE else func.count(distinct(article.c.site))
    return select(n).where(article.c.group_id == canonical.c.group_id).scalar_subquery()


def _in_their_order(connection: Connection, rows: Iterable[Row[Any]]) -> list[Story]:
    """The stories of rows with their ids and times."""
    found = {row.group_id: row.time for row in rows}
    return [_story(row, found[row.id], carried) for row, carried in _rows(connection, list(found))]


def _rows(connection: Connection, ids: Sequence[int]) -> list[tuple[Any, tuple[str, ...]]]:
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
