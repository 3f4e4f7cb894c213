"""Watchlists, and the stories that each matched last."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from copydesk.web.api.lists import Id, Limit, listed, position, row
from copydesk.web.api.models import MatchedStoryRow, WatchlistRow, list_model
from copydesk.web.asking import Cursor, Desk
from copydesk.web.cursors import write_cursor
from copydesk.web.watchlists import kinds_of_ways, watchlist_of
from storage.watching import Watchlist, matched_stories, watchlists

router = APIRouter()


@router.get("/watchlists", response_model=list_model(WatchlistRow))
def all_watchlists(
    request: Request, response: Response, engine: Desk, cursor: Cursor = "", limit: Limit = 50
) -> Any:
    """Watchlists by name. `ways` has the kinds of their ways out, and no address."""
    place = position(cursor, "watchlists", (str, int))
    found = sorted(watchlists(engine), key=_key)
    if place is not None:
        found = [one for one in found if _key(one) > (str(place[0]), int(place[1]))]
    return listed(
        request,
        response,
        found[: limit + 1],
        limit,
        show=_shown,
        cursor=lambda one: write_cursor("watchlists", *_key(one)),
    )


@router.get("/watchlists/{id}/stories", response_model=list_model(MatchedStoryRow))
def stories(engine: Desk, id: Id, limit: Limit = 50) -> Any:
    """The stories that a watchlist matched, those first that it matched last."""
    found = matched_stories(engine, watchlist_of(engine, id).id, limit)
    return {"items": [row(story) for story in found], "next": None}


def _key(one: Watchlist) -> tuple[str, int]:
    return one.name.casefold(), one.id


def _shown(one: Watchlist) -> dict[str, Any]:
    return {"id": one.id, **row(one.rule), "ways": kinds_of_ways(one), "created_at": one.created_at}
