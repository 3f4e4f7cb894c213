"""`copydesk crawl`: runs the news spider on the sites of the sites file."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated

import typer

from copydesk.interrupt import interrupted
from copydesk.options import DEFAULT_DATABASE, Database, Json, Sites, SitesFile
from copydesk.status import Status
from copydesk.terminal import (
    Volume,
    err,
    given_command,
    print_alerts,
    print_json,
    print_lesson,
    print_summary,
    volume,
    watching_sites,
)
from pipeline.errors import OperatorError


def crawl(
    sites: Sites = None,
    db: Database = DEFAULT_DATABASE,
    sites_file: SitesFile = None,
    refetch: Annotated[bool, typer.Option("--refetch", help="Also fetch articles that are stored.")] = False,
    fail_on_alert: Annotated[
        bool,
        typer.Option("--fail-on-alert", help="Exit with 3 if a site is unusual against its own history."),
    ] = False,
    log: Annotated[
        bool,
        typer.Option("--log", help="On a terminal: the lines of the log in place of a progress display."),
    ] = False,
    json: Json = False,
) -> None:
    """Fetch the news of sites from their feeds and sitemaps, and store the articles, grouped.

    Obeys robots.txt and fetches no article that is stored already. Ctrl-C stops it in order: it stores what
    it fetched.

    On a terminal, a line for each site shows how far it has come; elsewhere, or with --log, the log does.
    """
    from crawler.crawl import crawl as run
    from crawler.monitor import alert_lines

    with_log = log or volume() is Volume.VERBOSE or not err.is_terminal
    level = {Volume.QUIET: "ERROR", Volume.NORMAL: "INFO", Volume.VERBOSE: "DEBUG"}[volume()]
    settings = {"LOG_ENABLED": with_log or volume() is Volume.QUIET, "LOG_LEVEL": level}
    try:
        with nullcontext() if settings["LOG_ENABLED"] else watching_sites() as progress:
            done = run(
                db,
                sites or (),
                sites_file=sites_file,
                refetch=refetch,
                settings=settings,
                progress=progress,
                command=given_command(),
            )
    except KeyboardInterrupt:
        raise typer.Exit(interrupted()) from None
    if json:
        print_json(
            {
                "run": done.run_id,
                "finished": done.finish_reason,
                "counts": done.counts,
                "sites": done.sites,
                "alerts": done.alerts,
                "lesson": done.lesson,
            }
        )
    else:
        for name, figures in sorted(done.sites.items()):
            err.print(f"{name}: " + ", ".join(f"{what} {count:,}" for what, count in sorted(figures.items())))
        print_summary(done.counts)
        print_lesson(done.lesson)
        print_alerts(alert_lines(done.alerts))
    if done.finish_reason == "shutdown":
        err.print("interrupted: what was fetched is stored; the next crawl continues")
        raise typer.Exit(Status.INTERRUPTED)
    if done.finish_reason == "finished" and done.no_source_was_read:
        raise OperatorError("no feed or sitemap could be read, of any site; the log has the reason for each")
    if done.counts.faults:
        raise typer.Exit(Status.FAULTS)
    if fail_on_alert and any(site.alerts for site in done.alerts):
        raise typer.Exit(Status.ALERT)
    if any(figures.get("locked") for figures in done.sites.values()):
        raise typer.Exit(Status.BUSY)
