"""Errors as an answer: RFC 9457 problem details for the API, a page for people."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from copydesk.web.rendering import page

MEDIA_TYPE = "application/problem+json"


class NotHere(Exception):
    """There is no such story, article or site: 404. The message says what is not there."""


class BadQuestion(Exception):
    """A parameter that says nothing that can be asked: 400. The message says which, and what to write."""


class Busy(Exception):
    """As many questions of this kind as can be answered at once are being answered: 503."""


def problem(request: Request, status: int, title: str, detail: str) -> Response:
    """An error in the form that the request wants."""
    if wants_page(request):
        return page(request, "error.html", {"title": title, "detail": detail}, status=status)
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, media_type=MEDIA_TYPE)


def wants_page(request: Request) -> bool:
    """Whether a person in a browser asks, and not a program."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")
