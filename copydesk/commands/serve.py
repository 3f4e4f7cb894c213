"""`copydesk serve`: the reading desk in a browser, and the API."""

from __future__ import annotations

from typing import Annotated

import typer

from copydesk.options import DEFAULT_DATABASE, Database
from copydesk.terminal import err
from pipeline.errors import OperatorError


def serve(
    db: Database = DEFAULT_DATABASE,
    host: Annotated[
        str, typer.Option(help="Address to listen on; another one than loopback needs COPYDESK_TOKEN.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8017,
) -> None:
    """Show the database in a browser. Ctrl-C ends it.

    Only reads. COPYDESK_TOKEN is what every request needs then; COPYDESK_HOSTS names further hosts, behind a
    proxy; COPYDESK_CORS names sites whose scripts may read the API.
    """
    try:
        from copydesk.web import from_environment
        from copydesk.web import serve as run
    except ImportError as error:
        raise OperatorError(
            "the desk needs FastAPI, Jinja2 and uvicorn, which are not installed: pip install 'copydesk[web]'"
        ) from error
    settings = from_environment(db, host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    run(settings, ready=lambda: err.print(f"Copydesk started at {address} - Ctrl-C ends it"))
