"""The pages of watchlists: what each looks for, and the stories that it matched last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from copydesk.web.asking import Desk
from copydesk.web.problems import NotHere
from copydesk.web.rendering import page
from storage.watching import MatchedStory, Watchlist, matched_stories, watchlists

router = APIRouter(include_in_schema=False)

# Watchlists whose latest stories the list shows; what of one is shown there, and on its own page.
_LISTED, _LATEST, _STORIES = 200, 3, 100


@dataclass(frozen=True, slots=True)
class ShownWatchlist:
    """A watchlist for a page. ways: their kinds alone; addresses are not for everybody who reads the desk."""

    id: int
    name: str
    query: str | None
    conditions: tuple[tuple[str, str], ...]
    tells: tuple[str, ...]
    ways: tuple[str, ...]
    is_paused: bool
    stories: list[MatchedStory]


@router.get("/watchlists")
def all_watchlists(request: Request, engine: Desk) -> Response:
    """The watchlists by name, with the stories that they matched last."""
    found = watchlists(engine)
    shown = [_shown(one, matched_stories(engine, one.id, _LATEST)) for one in found[:_LISTED]]
    return page(request, "watchlists.html", {"watchlists": shown, "more": len(found) - len(shown)})


@router.get("/watchlists/{id}")
def one_watchlist(request: Request, engine: Desk, id: Annotated[int, Path(ge=1, lt=1 << 63)]) -> Response:
    """One watchlist, and the stories that it matched last."""
    found = watchlist_of(engine, id)
    shown = _shown(found, matched_stories(engine, found.id, _STORIES))
    return page(request, "one_watchlist.html", {"watchlist": shown})


def watchlist_of(engine: Desk, id: int) -> Watchlist:
    """The watchlist of that id. Raises NotHere."""
    found = next((one for one in watchlists(engine) if one.id == id), None)
    if found is None:
        raise NotHere(f"There is no watchlist {id}.")
    return found


def kinds_of_ways(one: Watchlist) -> tuple[str, ...]:
    """mail, webhook, command or feed, each once."""
    return tuple(dict.fromkeys(way.partition(":")[0] for way in one.rule.ways))


def _shown(one: Watchlist, stories: list[MatchedStory]) -> ShownWatchlist:
    rule = one.rule
    given = (
        ("site", rule.site),
        ("language", rule.language),
        ("agency", rule.agency),
        ("sites", rule.min_sites and f"at least {rule.min_sites}"),
    )
    conditions = tuple((name, value) for name, value in given if value)
    tells = tuple(f"at {rule.outlets} outlets" if tell == "outlets" else tell for tell in rule.tells)
    return ShownWatchlist(
        one.id, one.name, rule.query, conditions, tells, kinds_of_ways(one), rule.is_paused, stories
    )
