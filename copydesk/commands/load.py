"""`copydesk load`: brings what a backfill made into a database."""

from __future__ import annotations

import shlex
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from copydesk.options import DEFAULT_DATABASE, Database, Json, SiteRulesFile
from copydesk.status import Status
from copydesk.terminal import counting, err, given_command, print_json, print_lesson, print_summary
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from storage.bulk import Loaded
    from storage.database import Engine


def load(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder that copydesk backfill has filled.")
    ],
    db: Database = DEFAULT_DATABASE,
    connections: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=8,
            help="To an empty PostgreSQL database; one a core, at most four, if not given.",
            show_default=False,
        ),
    ] = None,
    sites_file: SiteRulesFile = None,
    json: Json = False,
) -> None:
    """Load the articles of a backfill: afterwards the database is as if their documents had been ingested.

    An empty database is filled in bulk, and its indexes are made last. One that has articles, or that was
    told to forget some, gets one document after another: what it has is skipped, as ingest does. The same
    command continues an interrupted load. --sites: the file that the backfill was given. Exits with 1 if an
    internal error cost a document, with 130 if interrupted.
    """
    from crawler.notifications import deliver_after_run
    from crawler.sites import read_rulebook
    from pipeline.settings import Settings
    from storage.database import open_database

    bulk = _bulk()
    settings = Settings(site_rules=read_rulebook(sites_file))
    bulk.open_folder(folder)  # a folder that is none is a mistake before there is a database
    engine = open_database(db, unfinished=True)
    plan = bulk.plan_load(engine, folder, settings)
    with counting("merging" if plan.merges else "loading", plan.total) as (advance, is_stopped):
        done = bulk.load(
            engine,
            plan,
            settings,
            connections=connections or bulk.CONNECTIONS,
            command=given_command(),
            job=shlex.join(["load", str(folder)]),
            advance=advance,
            is_stopped=is_stopped,
        )
    if done.merged:
        deliver_after_run(engine)
    if json:
        said = {"run": done.run_id, "interrupted": done.is_interrupted, "merged": done.merged}
        print_json({**said, "counts": done.counts, "lesson": done.lesson})
    else:
        _tell(done, engine)
    if done.is_interrupted:
        raise typer.Exit(Status.INTERRUPTED)
    if done.counts.faults:
        raise typer.Exit(Status.FAULTS)


def _bulk() -> ModuleType:
    """The package that loads. Raises OperatorError without pyarrow."""
    try:
        from storage import bulk
    except ImportError as error:
        raise OperatorError(
            f"copydesk load needs {error.name}, which is not installed: pip install 'copydesk[parquet]'"
        ) from error
    return bulk


def _tell(done: Loaded, engine: Engine) -> None:
    if done.is_interrupted and not done.merged:
        is_sqlite = engine.dialect.name == "sqlite"
        kept = "nothing was loaded" if is_sqlite else "what was done is stored"
        err.print(f"interrupted: {kept}; run the same command again{'' if is_sqlite else ' for the rest'}")
        return
    print_summary(done.counts)
    print_lesson(done.lesson)
    if done.is_interrupted:
        err.print("interrupted: what was done is stored; run the same command again for the rest")
