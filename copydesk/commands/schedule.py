"""`copydesk schedule`: crawls by the clock, or what the system's own clock needs to do it."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from copydesk.options import DEFAULT_DATABASE, Database
from copydesk.status import Status


def schedule(
    sites: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SITE…]", help="Sites of the sites file; all that have a schedule if none is named."
        ),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    sites_file: Annotated[
        str | None,
        typer.Option("--sites", envvar="COPYDESK_SITES", metavar="FILE", help="Sites file of your own."),
    ] = None,
    concurrent: Annotated[
        int, typer.Option("--concurrent", min=1, metavar="N", help="So many crawls at a time.")
    ] = 4,
    jitter: Annotated[
        float,
        typer.Option(
            "--jitter", min=0, metavar="SECONDS", help="Begin each crawl up to so much after its time."
        ),
    ] = 60,
) -> None:
    """Crawl each site when its schedule in the sites file says, until SIGTERM or Ctrl-C.

    Takes over changes of the sites file while it runs. Ends in order: crawls under way store what they
    fetched; a second signal kills them. Never crawls a site twice at a time, whoever else does.
    """
    from crawler.schedule import Plan, log_events
    from crawler.schedule import run as run_schedule

    log_events()
    stopped = run_schedule(Plan(db, sites_file, tuple(sites or ()), concurrent=concurrent, jitter=jitter))
    if stopped.killed:
        raise typer.Exit(Status.FAULTS)
    if stopped.signal == signal.SIGINT:
        raise typer.Exit(Status.INTERRUPTED)
