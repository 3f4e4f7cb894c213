"""ETags: an answer is as old as the last change of the database, so one small query saves all others."""

from __future__ import annotations

import hashlib

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from copydesk.times import is_relative
from storage.reader import last_state

# Answers that change without the database, that no client asks for again, or that have tags of their own.
_ALWAYS = (
    "/login",
    "/healthz",
    "/metrics",
    "/static/",
    "/sites.opml",
    "/feeds/",
    "/watchlists",
    "/api/v1/watchlists",
)


class Freshness:
    """ASGI middleware: every answer has a weak ETag, and is 304 where the client has the present one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        if request.url.path.startswith(_ALWAYS) or any(map(is_relative, request.query_params.values())):
            await self.app(scope, receive, send)
            return
        tag = await run_in_threadpool(_tag, request)
        if tag in request.headers.get("if-none-match", ""):
            await Response(status_code=304, headers={"ETag": tag, "Cache-Control": "private, no-cache"})(
                scope, receive, send
            )
            return

        async def send_with_tag(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                message["headers"] = [
                    *message["headers"],
                    (b"etag", tag.encode()),
                    (b"cache-control", b"private, no-cache"),
                    (b"vary", b"accept, cookie, authorization"),
                ]
            await send(message)

        await self.app(scope, receive, send_with_tag)


def _tag(request: Request) -> str:
    state = last_state(request.app.state.engine)
    of = f"{request.app.state.started} {state} {request.headers.get('accept', '')}"
    return f'W/"{hashlib.sha256(of.encode()).hexdigest()[:32]}"'
