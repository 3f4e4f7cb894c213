"""Feeds of stories over HTTP, as `copydesk feed` prints them.

    /feeds/stories.FORMAT             all stories, or those that the filters of the desk leave
    /feeds/search.FORMAT?q=WORDS      stories of which a copy has these words
    /feeds/sites/SITE.FORMAT          stories that a site carries
    /feeds/watchlists/NAME.FORMAT     what a watchlist looks for

Feed readers ask every few minutes. An answer has the ETag of its content and the time of the database's last
change, and is 304 where neither is new to the client. It has no time where that is not all that changes it: a
watchlist is edited, and what "since 2h" means moves on.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Path, Query, Request, Response

from copydesk.feeds import (
    DEFAULT_LIMIT,
    MEDIA_TYPES,
    MOST_ENTRIES,
    Format,
    Place,
    Question,
    make_feed,
    written,
)
from copydesk.times import is_relative
from copydesk.web.asking import LONGEST, Asked, Desk, Filters
from copydesk.web.problems import BadQuestion, NotHere
from pipeline.errors import OperatorError
from storage import reader
from storage.database import DatabaseError, Engine
from storage.watching import watchlist_named

router = APIRouter(include_in_schema=False)

_METHODS = ["GET", "HEAD"]
Sites = Annotated[int, Query(ge=1, le=10_000)]
Limit = Annotated[int, Query(ge=1, le=MOST_ENTRIES)]
Flag = Annotated[bool, Query()]
Name = Annotated[str, Path(max_length=LONGEST)]


@router.api_route("/feeds/stories.{format}", methods=_METHODS)
def stories(
    request: Request,
    engine: Desk,
    filters: Filters,
    format: Format,
    min_sites: Sites = 1,
    limit: Limit = DEFAULT_LIMIT,
    full_text: Flag = False,
) -> Response:
    asked = _question(filters, min_sites)
    return _answer(request, engine, asked, _page(filters, min_sites), format, limit, full_text)


@router.api_route("/feeds/search.{format}", methods=_METHODS)
def search(
    request: Request,
    engine: Desk,
    filters: Filters,
    format: Format,
    q: Annotated[str, Query(max_length=LONGEST)] = "",
    min_sites: Sites = 1,
    limit: Limit = DEFAULT_LIMIT,
    full_text: Flag = False,
) -> Response:
    query = q.strip()
    if not query:
        raise BadQuestion("q: write words to look for, as in /feeds/search.atom?q=ferry")
    asked = _question(filters, min_sites, query)
    page = f"search?{urlencode({'q': query, **filters.parameters})}"
    return _answer(request, engine, asked, page, format, limit, full_text)


@router.api_route("/feeds/sites/{site}.{format}", methods=_METHODS)
def site(
    request: Request,
    engine: Desk,
    site: Name,
    format: Format,
    min_sites: Sites = 1,
    limit: Limit = DEFAULT_LIMIT,
    full_text: Flag = False,
) -> Response:
    asked = Question(site=site, min_sites=min_sites)
    page = _page(Asked(site=site), min_sites)
    return _answer(request, engine, asked, page, format, limit, full_text)


@router.api_route("/feeds/watchlists/{name:path}.{format}", methods=_METHODS)
def watchlist(
    request: Request,
    engine: Desk,
    name: Name,
    format: Format,
    limit: Limit = DEFAULT_LIMIT,
    full_text: Flag = False,
) -> Response:
    try:
        found = watchlist_named(engine, name)
    except DatabaseError:
        raise
    except OperatorError as error:  # it names the others, which may be none of the client's business
        raise NotHere(f"There is no watchlist {name}.") from error
    page = f"watchlists/{found.id}"
    return _answer(request, engine, Question(watchlist=name), page, format, limit, full_text)


def _question(filters: Asked, min_sites: int, query: str | None = None) -> Question:
    return Question(
        query,
        filters.site or None,
        filters.language or None,
        filters.agency or None,
        min_sites,
        filters.since or None,
        filters.until or None,
    )


def _page(filters: Asked, min_sites: int) -> str:
    """The page of stories with these filters, relative to the desk."""
    asked = {**filters.parameters, **({"min_sites": str(min_sites)} if min_sites > 1 else {})}
    return f"?{urlencode(asked)}" if asked else ""


def _answer(
    request: Request,
    engine: Engine,
    asked: Question,
    page: str,
    format: Format,
    limit: int,
    full_text: bool,
) -> Response:
    desk = str(request.base_url)
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "token"]
    address = f"{desk.rstrip('/')}{quote(request.url.path)}{f'?{urlencode(kept)}' if kept else ''}"
    times = (asked.since, asked.until)
    is_of_database = asked.watchlist is None and not any(time and is_relative(time) for time in times)
    changed = reader.last_changed_at(engine) if is_of_database else None
    feed = make_feed(engine, asked, Place(desk, f"{desk}{page}", address), limit=limit, full_text=full_text)
    body = written(feed, format)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if changed is not None:
        headers["Last-Modified"] = format_datetime(changed.astimezone(UTC), usegmt=True)
    if _is_known(request, tag, changed):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=MEDIA_TYPES[format], headers=headers)


def _is_known(request: Request, tag: str, changed: datetime | None) -> bool:
    """Whether the client has this answer: by its tags, else by its time (RFC 9110, 13.2.2)."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        known = {one.strip().removeprefix("W/") for one in tags.split(",")}
        return tag in known or "*" in known
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except (TypeError, ValueError):
        return False
    if changed is None or since.tzinfo is None:
        return False
    return changed.replace(microsecond=0) <= since
