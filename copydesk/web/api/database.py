"""The database as a whole: changes, counts, sites, rejections and runs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from copydesk.web.api.lists import LARGEST, Limit, asked_for, listed, position, row
from copydesk.web.api.models import ChangeRow, Count, CrawlOfSite, Rejection, Run, Site, list_model
from copydesk.web.asking import LONGEST, Cursor, Desk, Filters
from copydesk.web.cursors import write_cursor
from copydesk.web.problems import BadQuestion, NotHere
from crawler.monitor import HISTORY
from pipeline.document import Reason
from storage import reader
from storage.crawls import SiteState, site_runs
from storage.reader import ArticleCount, CountBy

router = APIRouter()


@router.get("/changes", response_model=list_model(ChangeRow), response_model_exclude_unset=True)
def changes(
    request: Request,
    response: Response,
    engine: Desk,
    after: Annotated[int, Query(ge=0, le=LARGEST, description="`change` of the last row that was read.")] = 0,
    include: Annotated[str, Query(max_length=LONGEST, description="article: as it is now.")] = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Any:
    """What is new, changed or gone since a change, each article at its last change, in their order.

    A reader that goes on behind the last `change` that it saw misses nothing, however often it stops.
    """
    names = asked_for(include, ("article",))
    place = position(cursor, "changes", (int,))
    found = list(reader.changes(engine, int(place[0]) if place else after, limit=limit + 1))

    def show(change: reader.Change) -> dict[str, Any]:
        shown = row(change)
        if names:
            article = None if change.kind == "gone" else reader.article(engine, change.article_id)
            shown["article"] = None if article is None else row(article)
        return shown

    return listed(
        request,
        response,
        found,
        limit,
        show=show,
        cursor=lambda change: write_cursor("changes", change.change),
    )


@router.get("/counts", response_model=list_model(Count))
def counts(
    request: Request,
    response: Response,
    engine: Desk,
    filters: Filters,
    by: Annotated[CountBy, Query(description="Day of publication (UTC), site or agency.")],
    unique: Annotated[bool, Query(description="Each story once, as its canonical copy.")] = False,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Any:
    """How many articles there are: by day the latest first, else the greatest number first."""
    place = position(cursor, f"counts {by}", (str, int))
    after = None if place is None else ArticleCount(str(place[0]), int(place[1]))
    if after is not None and by is CountBy.DAY and not _is_day(after.key):
        raise BadQuestion("cursor: not one that this list gave")
    found = reader.count_articles(
        engine, by, filters.where, canonical_only=unique, after=after, limit=limit + 1
    )
    return listed(
        request,
        response,
        found,
        limit,
        show=row,
        cursor=lambda count: write_cursor(f"counts {by}", count.key, count.articles),
    )


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


@router.get("/sites", response_model=list_model(Site))
def sites(request: Request, response: Response, engine: Desk, cursor: Cursor = "", limit: Limit = 50) -> Any:
    """Every site that was crawled in the last weeks, by name: its last crawl, and its alerts."""
    place = position(cursor, "sites", (str,))
    after = str(place[0]) if place else ""
    states = site_runs.states(engine, since=datetime.now(UTC) - HISTORY)
    found = list(islice((state for state in states if state.last.site > after), limit + 1))

    def show(state: SiteState) -> dict[str, Any]:
        return {
            "site": state.last.site,
            "last": row(state.last),
            "succeeded_at": state.succeeded_at,
            "stored_at": state.stored_at,
            "alerts": state.alerts,
        }

    return listed(
        request,
        response,
        found,
        limit,
        show=show,
        cursor=lambda state: write_cursor("sites", state.last.site),
    )


@router.get("/sites/{key}/runs", response_model=list_model(CrawlOfSite))
def runs_of_site(
    request: Request,
    response: Response,
    engine: Desk,
    key: Annotated[str, Path(min_length=1, max_length=LONGEST, description="As in the view site_runs.")],
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Any:
    """The crawls of a site, the latest first."""
    place = position(cursor, "site runs", (int,))
    found = site_runs.runs_of(engine, key, after=int(place[0]) if place else None, limit=limit + 1)
    if not found and place is None:
        raise NotHere(f"There was no crawl of a site {key}.")
    return listed(
        request,
        response,
        found,
        limit,
        show=row,
        cursor=lambda run: write_cursor("site runs", run.run_id),
    )


@router.get("/rejections", response_model=list_model(Rejection))
def rejections(
    request: Request,
    response: Response,
    engine: Desk,
    reason: Annotated[Reason | None, Query(description="Only for this reason.")] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Any:
    """Locations that give no article at present, the latest first."""
    place = position(cursor, "rejections", (int, str))
    found = reader.latest_rejections(
        engine,
        reason=reason.value if reason else None,
        after=(int(place[0]), str(place[1])) if place else None,
        limit=limit + 1,
    )
    return listed(
        request,
        response,
        found,
        limit,
        show=lambda one: row(one[1]),
        cursor=lambda one: write_cursor("rejections", one[0], one[1].location),
    )


@router.get("/runs", response_model=list_model(Run))
def runs(request: Request, response: Response, engine: Desk, cursor: Cursor = "", limit: Limit = 50) -> Any:
    """Runs of the commands that write, the latest first."""
    place = position(cursor, "runs", (int,))
    found = reader.runs(engine, after=int(place[0]) if place else None, limit=limit + 1)
    return listed(request, response, found, limit, show=row, cursor=lambda run: write_cursor("runs", run.id))
