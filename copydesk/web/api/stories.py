"""Stories: the list, one with its articles and the evidence, and its spread in time."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from copydesk.web.api.lists import Id, Limit, listed, position, row
from copydesk.web.api.models import Moment, OneStory, StoryRow, list_model
from copydesk.web.asking import Cursor, Desk, Filters, story_cursor, story_key
from copydesk.web.cursors import read_time, write_cursor
from copydesk.web.problems import NotHere
from storage import reader
from storage.base import microseconds
from storage.reader import ArticleKey, StoryGroup, StoryOrder

router = APIRouter()

_MOST_MEMBERS, _MOST_PAIRS = 500, 1000


@router.get("/stories", response_model=list_model(StoryRow))
def stories(
    request: Request,
    response: Response,
    engine: Desk,
    filters: Filters,
    min_sites: Annotated[int, Query(ge=1, le=10_000, description="At least so many sites.")] = 1,
    min_size: Annotated[int, Query(ge=1, le=10_000, description="At least so many copies.")] = 1,
    sort: Annotated[StoryOrder, Query(description="By time, copies or sites.")] = StoryOrder.NEWEST,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Any:
    """Stories, the newest first: one row for all copies. Of `site` and `agency`, one copy is enough."""
    found = reader.stories(
        engine,
        filters.where,
        min_size=min_size,
        min_sites=min_sites,
        order=sort,
        after=story_key(cursor, sort),
        limit=limit + 1,
    )
    return listed(request, response, found, limit, show=row, cursor=lambda story: story_cursor(story, sort))


@router.get("/stories/{id}", response_model=OneStory, response_model_exclude_unset=True)
def story(engine: Desk, id: Id) -> Any:
    """One story: its canonical copy, its articles, the earliest first, and why they are copies."""
    found = _story(engine, id)
    canonical = reader.article(engine, found.canonical_article_id)
    if canonical is None:
        raise NotHere(f"There is no story {id}.")
    return {
        **row(found),
        "canonical": row(canonical),
        "members": reader.list_members(engine, id, limit=_MOST_MEMBERS),
        "copies": [row(pair) for pair in reader.pairs_of_story(engine, id, limit=_MOST_PAIRS)],
    }


@router.get("/stories/{id}/timeline", response_model=list_model(Moment), response_model_exclude_unset=True)
def timeline(
    request: Request, response: Response, engine: Desk, id: Id, cursor: Cursor = "", limit: Limit = 50
) -> Any:
    """The articles of a story in the order of their times, without their texts.

    `published_at` is what an outlet states, `first_seen_at` when its page was first fetched.
    """
    _story(engine, id)
    after = position(cursor, "timeline", (int, int))
    key = None if after is None else ArticleKey(read_time(after[0]), int(after[1]))
    found = reader.list_members(engine, id, after=key, limit=limit + 1)
    return listed(
        request,
        response,
        found,
        limit,
        show=lambda member: member,
        cursor=lambda member: write_cursor("timeline", microseconds(member["time"]), member["id"]),
    )


def _story(engine: Desk, id: int) -> StoryGroup:
    found = reader.group(engine, id)
    if found is None:
        raise NotHere(f"There is no story {id}. Its copies may have been regrouped.")
    return found
