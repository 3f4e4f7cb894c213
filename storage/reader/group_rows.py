"""Groups of copies, their members and the evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, or_, select

from storage import schema
from storage.base import chunks
from storage.reader.article_rows import articles
from storage.reader.story_rows import Story, story_time
from storage.reader.streaming import one_row, one_snapshot, stream
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


@dataclass(frozen=True, slots=True)
class CarriedCopy:
    """A copy of a story, for a list of its outlets. time: of publication, else when it was first seen."""

    id: int
    site: str
    url: str
    title: str
    publisher: str | None
    published_at: datetime | None
    time: datetime


@dataclass(frozen=True, slots=True)
class StoryDetails:
    """A story with its canonical copy.

    copies: the earliest ones, the canonical copy among them where it is one of these. updated_at: when what
    the views show of any of its copies last changed, or a copy came; aware, UTC.
    """

    story: Story
    article: StoredArticle
    copies: tuple[CarriedCopy, ...]
    updated_at: datetime


def story_details(engine: Engine, stories: Sequence[Story], *, most_copies: int = 50) -> list[StoryDetails]:
    """The stories in their order, each with its canonical copy and at most so many copies.

    A story that was regrouped or removed after the list was read is left out.
    """
    view, article, change = view_tables["articles"], schema.article, schema.change
    time = story_time(article)
    place = func.row_number().over(partition_by=article.c.group_id, order_by=(time, article.c.id))
    columns = [article.c[name] for name in ("id", "site", "url", "title", "publisher", "published_at")]
    canonical: dict[int, StoredArticle] = {}
    copies: defaultdict[int, list[CarriedCopy]] = defaultdict(list)
    updated: dict[int, datetime] = {}
    with one_snapshot(engine) as connection:
        for part in chunks([story.id for story in stories]):
            here = article.c.group_id.in_(part)
            rows = connection.execute(select(view).where(view.c.group_id.in_(part), view.c.is_canonical))
            canonical.update((row.group_id, StoredArticle(*row)) for row in rows)
            ranked = select(article.c.group_id, *columns, time.label("time"), place.label("place"))
            first = ranked.where(here).subquery()
            listed = select(first).where(first.c.place <= most_copies)
            for row in connection.execute(listed.order_by(first.c.group_id, first.c.place)):
                copies[row.group_id].append(CarriedCopy(*row[1:-1]))
            last = select(article.c.group_id, func.max(change.c.at)).join(
                change, change.c.article_id == article.c.id
            )
            for group_id, at in connection.execute(last.where(here).group_by(article.c.group_id)):
                updated[group_id] = at
    return [
        StoryDetails(story, canonical[story.id], tuple(copies[story.id]), updated[story.id])
        for story in stories
        if story.id in canonical and story.id in updated
    ]
