"""The pages of stories: the list, one story with its spread, and two of its copies side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from copydesk.web.asking import Cursor, Desk, Filters, story_cursor, story_key
from copydesk.web.comparing import Side, comparison
from copydesk.web.drawing import spread
from copydesk.web.problems import NotHere
from copydesk.web.rendering import page
from storage import reader
from storage.reader import Copy, StoredArticle, Story, StoryOrder

router = APIRouter(include_in_schema=False)

PAGE = 50
# Pairs that a page shows. A story of 300 copies may have 40,000.
_MOST_PAIRS = 100


@router.get("/")
def front(
    request: Request,
    engine: Desk,
    filters: Filters,
    min_sites: Annotated[str, Query(max_length=9)] = "",
    sort: Annotated[str, Query(max_length=9)] = "",
    cursor: Cursor = "",
) -> Response:
    """Stories, the newest first, or by copies or outlets."""
    order = StoryOrder(sort) if sort in tuple(StoryOrder) else StoryOrder.NEWEST
    least = int(min_sites) if min_sites.isascii() and min_sites.isdecimal() else 1
    found = reader.stories(
        engine,
        filters.where,
        min_sites=least,
        order=order,
        after=story_key(cursor, order),
        limit=PAGE + 1,
    )
    shown = found[:PAGE]
    parameters = {
        **filters.parameters,
        "min_sites": min_sites if least > 1 else "",
        "sort": sort if order is not StoryOrder.NEWEST else "",
    }
    parameters = {name: value for name, value in parameters.items() if value}
    values = {
        "asked": {**asdict(filters), "min_sites": "", "sort": "", **parameters},
        "days": _by_day(shown) if order is StoryOrder.NEWEST else [(None, shown)] if shown else [],
        "parameters": parameters,
        "next": story_cursor(shown[-1], order) if len(found) > PAGE else None,
        "first": not cursor,
    }
    return page(request, "stories.html", values)


def _by_day(stories: Sequence[Story]) -> list[tuple[datetime, list[Story]]]:
    def day(story: Story) -> date:
        return story.time.astimezone(UTC).date()

    return [(datetime.combine(at, time(), UTC), list(some)) for at, some in groupby(stories, day)]


@router.get("/stories/{id}")
def story(request: Request, engine: Desk, id: int) -> Response:
    """One story: who carries it and since when, and the evidence that its copies are copies."""
    group, members = _story(engine, id)
    canonical = next(member for member in members if member.is_canonical)
    pairs = reader.pairs_of_story(engine, id, limit=_MOST_PAIRS + 1)
    values = {
        "story": group,
        "canonical": canonical,
        "members": members,
        "evidence": _evidence(canonical, reader.copies(engine, canonical.id), members),
        "pairs": pairs[:_MOST_PAIRS],
        "has_more_pairs": len(pairs) > _MOST_PAIRS,
        "names": {member.id: member.site or member.publisher or "a file" for member in members},
        "timeline": spread(members) if len(members) > 1 else None,
    }
    return page(request, "story.html", values)


def _story(engine: Desk, id: int) -> tuple[reader.StoryGroup, list[StoredArticle]]:
    group = reader.group(engine, id) if abs(id) < 1 << 63 else None
    members = reader.members(engine, id) if group is not None else []
    if group is None or not members:
        raise NotHere(f"There is no story {id}. Its copies may have been regrouped: search for its words.")
    return group, members


def _evidence(
    canonical: StoredArticle, pairs: Sequence[Copy], members: Sequence[StoredArticle]
) -> dict[int, Copy | None]:
    """By member, its pair with the canonical copy. pairs: of the canonical copy, also with other stories."""
    found: dict[int, Copy | None] = dict.fromkeys(member.id for member in members)
    for pair in pairs:
        other = pair.other_id if pair.article_id == canonical.id else pair.article_id
        if other in found:
            found[other] = pair
    return found


@router.get("/stories/{id}/diff")
def diff(request: Request, engine: Desk, id: int, a: int, b: int) -> Response:
    """Two copies side by side, by sentence and word."""
    _, members = _story(engine, id)
    by_id = {member.id: member for member in members}
    missing = [one for one in (a, b) if one not in by_id]
    if missing:
        raise NotHere(f"Article {missing[0]} is not in story {id}.")
    one, other = by_id[a], by_id[b]
    values = comparison(one.text, other.text)
    sides = {"one": _side(one), "other": _side(other)}
    return page(request, "diff.html", {**values, **sides, "back": f"/stories/{id}"})


def _side(article: StoredArticle) -> Side:
    return Side(
        name=article.site or article.publisher or "a file",
        link=f"/articles/{article.id}",
        title=article.title,
        language=article.language,
        time=article.published_at or article.first_seen_at,
        words=article.word_count,
    )
