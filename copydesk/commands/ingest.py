"""`copydesk ingest`: stores the articles of files and folders."""

from __future__ import annotations

import os
import shlex
from typing import Annotated

import typer

from copydesk.options import DEFAULT_DATABASE, Database, Json, Map, SiteRulesFile, named_fields
from copydesk.status import Status
from copydesk.terminal import (
    as_line,
    err,
    given_command,
    print_json,
    print_lesson,
    print_site_rules,
    print_summary,
    watching,
)
from pipeline.counts import counted


def ingest(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH|URL…",
            help="Files and folders; - for JSONL on standard input; addresses of pages.",
        ),
    ],
    db: Database = DEFAULT_DATABASE,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes; one a core if not given.", show_default=False)
    ] = None,
    sites_file: SiteRulesFile = None,
    map: Map = None,
    json: Json = False,
) -> None:
    """Read HTML, text, JSON, CSV, Parquet and WARC, packed or in archives; store their articles, grouped.

    Documents that are stored already are skipped. So the same command continues an interrupted run, and later
    stores only what is new. URLs are fetched as a crawl fetches them: robots.txt, contact address, delays and
    limits hold. Exits with 1 if an internal error cost a document, with 130 if interrupted.
    """
    from crawler.files import find_files
    from crawler.notifications import deliver_after_run
    from crawler.page_process import PageReader, is_web_url, require_page_urls
    from crawler.runs import ingest as run
    from crawler.sites import read_rulebook
    from pipeline.settings import ReadingSettings, Settings
    from storage.database import open_database
    from storage.upkeep import site_rules_use
    from storage.writing import withheld_urls

    settings = Settings(
        site_rules=read_rulebook(sites_file), reading=ReadingSettings(fields=named_fields(map or []))
    )
    urls = [path for path in paths if is_web_url(path)]
    files = [path for path in paths if not is_web_url(path)]
    find_files(files, settings)  # a path that does not exist is a mistake before there is a database
    require_page_urls(urls)
    engine = open_database(db)
    withheld = withheld_urls(engine, urls)
    for url in sorted(withheld):
        err.print(f"{as_line(url)} was forgotten, so it is not fetched (copydesk forget --list)")
    reader = PageReader([url for url in urls if url not in withheld])
    with reader as pages, watching("ingesting") as progress:
        done = run(
            engine,
            files,
            workers=workers or os.cpu_count() or 1,
            settings=settings,
            progress=progress,
            command=given_command(),
            job=shlex.join(["ingest", *paths]),
            pages=pages,
        )
    deliver_after_run(engine)
    if json:
        said = {"run": done.run_id, "interrupted": done.is_interrupted, "counts": done.counts}
        print_json({**said, "lesson": done.lesson, "unread_dates": done.unread_dates})
    else:
        print_summary(done.counts)
        print_lesson(done.lesson)
        if done.unread_dates:
            err.print(f"{counted(done.unread_dates, 'record')} with a date that could not be read")
        if settings.site_rules:
            print_site_rules(site_rules_use(engine, settings.site_rules))
    if done.is_interrupted:
        err.print("interrupted: what was done is stored; run the same command again for the rest")
        raise typer.Exit(Status.INTERRUPTED)
    if done.counts.faults:
        raise typer.Exit(Status.FAULTS)
