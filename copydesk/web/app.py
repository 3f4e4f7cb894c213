"""The application: routes, middleware and errors put together, and the server that runs it."""

from __future__ import annotations

import secrets
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated

import anyio.to_thread
from fastapi import FastAPI, Form, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from copydesk.web import api, articles, feeds, overview, stories, watchlists
from copydesk.web.freshness import Freshness
from copydesk.web.problems import BadQuestion, Busy, NotHere, problem
from copydesk.web.rendering import HERE, page
from copydesk.web.security import COOKIE, Guard, is_token
from copydesk.web.settings import DeskSettings
from crawler.monitor import Exposition
from pipeline.errors import OperatorError
from storage.database import DatabaseError, QueryTimeout, open_read_only
from storage.schema import DamagedValue

Handler = Callable[[Request, Exception], Response]

# Questions that are answered at once; others wait. Each holds a connection and a page of rows.
_AT_ONCE = 8
_COOKIE_SECONDS = 30 * 24 * 3600


def make_app(settings: DeskSettings) -> FastAPI:
    """The desk as an ASGI application. Raises DatabaseError if the database cannot be read."""
    engine = open_read_only(settings.database_url, seconds=settings.seconds)
    exporting = open_read_only(settings.database_url, seconds=None)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _AT_ONCE
        yield
        engine.dispose()
        exporting.dispose()

    app = FastAPI(
        title="Copydesk",
        summary="Clean news articles in which copies are grouped",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
    )
    app.state.engine = engine
    app.state.settings = settings
    app.state.started = secrets.token_hex(8)  # other code may answer after the next start
    app.state.export_engine = exporting
    app.state.export_slots = threading.BoundedSemaphore(api.MOST_AT_ONCE)
    app.state.metrics = Exposition(engine)
    for router in (
        stories.router,
        articles.router,
        overview.router,
        watchlists.router,
        feeds.router,
        api.router,
        api.metrics_router,
    ):
        app.include_router(router)
    _add_login(app, settings)
    _add_health(app)
    app.mount("/static", StaticFiles(directory=HERE / "static"))
    _add_errors(app)
    # The last one added is asked first.
    app.add_middleware(Freshness)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET"],
            allow_headers=["Authorization"],
        )
    tokens = feeds.FeedTokens(engine, settings.database_url)
    app.add_middleware(Guard, settings=settings, feed_tokens=tokens)
    return app


def _add_login(app: FastAPI, settings: DeskSettings) -> None:
    @app.get("/login", include_in_schema=False)
    def ask(request: Request) -> Response:
        return page(request, "login.html", {"is_wrong": False})

    @app.post("/login", include_in_schema=False)
    def log_in(request: Request, token: Annotated[str, Form(max_length=500)] = "") -> Response:
        if not is_token(token, settings):
            return page(request, "login.html", {"is_wrong": True}, status=401)
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(
            COOKIE,
            token,
            max_age=_COOKIE_SECONDS,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response


def _add_health(app: FastAPI) -> None:
    @app.get("/healthz", include_in_schema=False)
    def health() -> Response:
        """Says that the desk is there, and nothing else: it needs no token."""
        return PlainTextResponse("ok\n")


def _add_errors(app: FastAPI) -> None:
    def answer(status: int, title: str) -> Handler:
        def handler(request: Request, error: Exception) -> Response:
            return problem(request, status, title, str(error))

        return handler

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem(request, error.status_code, error.detail, "There is no such page.")

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        said = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors())
        return problem(request, 422, "Wrong parameter", said)

    app.add_exception_handler(NotHere, answer(404, "Not here"))
    app.add_exception_handler(BadQuestion, answer(400, "Wrong parameter"))
    app.add_exception_handler(QueryTimeout, answer(503, "Too slow"))
    app.add_exception_handler(Busy, answer(503, "Busy"))
    app.add_exception_handler(DatabaseError, answer(503, "Cannot be read"))
    app.add_exception_handler(DamagedValue, answer(503, "Cannot be read"))
    app.add_exception_handler(OperatorError, answer(400, "Cannot be answered"))
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
