"""Who may ask, and what an answer may do: middleware around every page and every answer of the API.

Host      names us, or the answer is 400: a page of another site cannot reach the desk under a name of its
          own (DNS rebinding)
token     where one is set: `Authorization: Bearer`, or the cookie that /login sets; otherwise 401. A feed is
          also opened by a token of its own, `?token=`
POST      comes from our own pages, or the answer is 403
answers   may load nothing but our own style sheet and script, and stand in no frame of another site
"""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from copydesk.web.feeds import PREFIX, FeedTokens
from copydesk.web.problems import problem, wants_page
from copydesk.web.rendering import page
from copydesk.web.settings import DeskSettings
from storage.database import DatabaseError

COOKIE = "copydesk_token"
# Answered without a token. /healthz says nothing but that the desk is there.
_OPEN_PATHS = ("/login", "/healthz", "/static/desk.css", "/static/desk.js", "/static/icon.svg")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # With "no-referrer" browsers send "Origin: null" with our own forms, and over plain HTTP nothing else
    # says where a form comes from.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """ASGI middleware that lets a request through, or answers it with 400, 401 or 403."""

    def __init__(self, app: ASGIApp, settings: DeskSettings, feed_tokens: FeedTokens) -> None:
        self.app = app
        self.settings = settings
        self.feed_tokens = feed_tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = await self._refusal(Request(scope, receive)) or self.app
        await answer(scope, receive, send_with_headers)

    async def _refusal(self, request: Request) -> Response | None:
        refusal = _wrong_request(request, self.settings)
        if refusal is not None or _is_open(request, self.settings):
            return refusal
        if request.method in _SAFE_METHODS and request.url.path.startswith(PREFIX):
            given = request.query_params.get("token", "")
            try:
                if await run_in_threadpool(self.feed_tokens.opens, given):
                    return None
            except DatabaseError as error:
                return problem(request, 503, "Cannot be read", str(error))
        return _without_token(request)


def _wrong_request(request: Request, settings: DeskSettings) -> Response | None:
    host = host_name(request.headers.get("host", ""))
    if host not in settings.allowed_hosts:
        detail = (
            "The request names a host that this desk does not serve. COPYDESK_HOSTS allows further names."
        )
        return problem(request, 400, "Unknown host", detail)
    if request.method not in _SAFE_METHODS and not _is_own_form(request):
        return problem(request, 403, "Foreign form", "Forms are taken from the desk's own pages only.")
    return None


def _is_open(request: Request, settings: DeskSettings) -> bool:
    """Whether the request needs no token, or has that of the desk."""
    is_public = settings.token is None or request.url.path in _OPEN_PATHS
    return is_public or is_token(_token_of(request), settings)


def _without_token(request: Request) -> Response:
    if wants_page(request):
        return page(request, "login.html", {"is_wrong": False}, status=401)
    response = problem(request, 401, "Token needed", "Send Authorization: Bearer with the desk's token.")
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def host_name(header: str) -> str:
    """The name in a Host header, in lower case, without port and brackets; empty if it is none."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_token(given: str, settings: DeskSettings) -> bool:
    """Compare in a time that says nothing about the token."""
    return settings.token is not None and secrets.compare_digest(given.encode(), settings.token.encode())


def _token_of(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")


def _is_own_form(request: Request) -> bool:
    """Whether the browser says that the request comes from a page of ours. What is no browser sends neither
    header, and has no cookie to be misused.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    if origin is None:
        return COOKIE not in request.cookies
    return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
