"""Pages of lists: their length, their cursors, and the address of the next one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Path, Query, Request, Response

from copydesk.web.cursors import Values, read_cursor
from copydesk.web.problems import BadQuestion

T = TypeVar("T")

LARGEST = (1 << 63) - 1
Id = Annotated[int, Path(ge=1, le=LARGEST)]
Limit = Annotated[int, Query(ge=1, le=200, description="Rows of a page.")]
Flag = Annotated[bool, Query()]


def position(cursor: str, of: str, kinds: tuple[type, ...]) -> Values | None:
    """Where a list goes on: what its cursor holds behind its name; None at its beginning.

    Raises BadQuestion.
    """
    if not cursor:
        return None
    name, *values = read_cursor(cursor, (str, *kinds))
    if name != of:
        raise BadQuestion("cursor: of another list")
    return values


def listed(
    request: Request,
    response: Response,
    found: Sequence[T],
    limit: int,
    *,
    show: Callable[[T], dict[str, Any]],
    cursor: Callable[[T], str],
) -> dict[str, Any]:
    """A page of a list, and its Link. found: a row more than the page has, if there are more."""
    shown = found[:limit]
    next_page = cursor(shown[-1]) if len(found) > limit else None
    if next_page is not None:
        kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        query = urlencode([*kept, ("cursor", next_page)])
        response.headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    return {"items": [show(one) for one in shown], "next": next_page}


def row(record: Any) -> dict[str, Any]:
    """A record as an object, with its columns."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def asked_for(include: str, known: tuple[str, ...]) -> set[str]:
    """The names in a parameter that lists them. Raises BadQuestion for one that is not known."""
    names = {name.strip() for name in include.split(",") if name.strip()}
    if unknown := sorted(names - {*known}):
        raise BadQuestion(f"include: {unknown[0]!r} is none of {', '.join(known)}")
    return names
