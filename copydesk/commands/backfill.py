"""`copydesk backfill`: makes Parquet tables of very many documents, on one machine or on Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from copydesk.options import Json, Map, SiteRulesFile, named_fields
from copydesk.status import Status
from copydesk.terminal import as_line, err, print_json, print_summary, safe_line, watching_stages
from pipeline.counts import counted
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from crawler.backfill import Manifest


def backfill(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT…",
            help="Files, folders, patterns, URLs (s3://, https://, …), and listings (*.paths, *.paths.gz).",
        ),
    ],
    out: Annotated[
        str, typer.Option("--out", metavar="FOLDER", help="The folder to fill, or to go on with.")
    ],
    engine: Annotated[
        str, typer.Option("--engine", metavar="local|spark", help="This machine's processes, or Spark.")
    ] = "local",
    master: Annotated[
        str | None,
        typer.Option(
            "--master", metavar="URL", help="Spark's master, e.g. spark://host:7077; spark-submit names it."
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Worker processes; one a core if not given, on Spark one a task.", show_default=False
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="What sorting may use before it goes to disk: 2GiB; on Spark 512MiB for each task.",
            show_default=False,
        ),
    ] = None,
    rows_per_bucket: Annotated[
        int, typer.Option("--rows-per-bucket", min=1, help="Documents that are settled at once, about.")
    ] = 20_000,
    prefix: Annotated[
        str, typer.Option("--prefix", metavar="URL", help="What stands before the names of a listing.")
    ] = "",
    listing: Annotated[
        bool, typer.Option("--listing", help="Inputs are listings, whatever they are called.")
    ] = False,
    sites_file: SiteRulesFile = None,
    map: Map = None,
    json: Json = False,
) -> None:
    """Make Parquet tables of very many documents: the rows that `copydesk ingest` would store.

    `copydesk load` brings them into a database. The same command goes on with an interrupted one. Exits with
    1 if an internal error cost a document, with 75 if another process fills the folder, with 130 if
    interrupted.
    """
    from copydesk.amounts import parse_size
    from crawler.sites import read_rulebook
    from pipeline.settings import ReadingSettings, Settings

    try:
        from crawler.backfill import FolderBusy, Job, Stopped, run_job
    except ImportError as error:
        raise OperatorError("backfill needs more packages: pip install 'copydesk[backfill]'") from error

    settings = Settings(
        site_rules=read_rulebook(sites_file), reading=ReadingSettings(fields=named_fields(map or []))
    )
    job = Job(
        inputs,
        out,
        settings,
        engine=engine,
        master=master,
        workers=workers,
        memory_bytes=None if memory is None else parse_size(memory),
        rows_per_bucket=rows_per_bucket,
        prefix=prefix,
        is_listing=listing,
    )
    try:
        with watching_stages() as progress:
            result = run_job(job, progress)
    except Stopped:
        err.print("interrupted: finished parts are kept; run the same command again for the rest")
        if json:
            print_json({"folder": out, "interrupted": True})
        raise typer.Exit(Status.INTERRUPTED) from None
    except FolderBusy as error:
        err.print(f"copydesk: {safe_line(str(error))}")
        raise typer.Exit(Status.BUSY) from error
    counts = result.manifest.counts
    if json:
        print_json({"folder": out, "interrupted": False, "new": result.is_new, "counts": counts})
    else:
        _print_result(out, result.manifest, is_new=result.is_new)
    if counts["faults"]:
        raise typer.Exit(Status.FAULTS)


def _print_result(out: str, manifest: Manifest, *, is_new: bool) -> None:
    from pipeline.document import Reason
    from storage.writer import BatchCounts

    counts: Any = manifest.counts
    rows = counts["rows"]
    if not is_new:
        err.print(f"{as_line(out)} is complete already: nothing was done")
    print_summary(
        BatchCounts(
            seen=sum(counts["documents"].values()),
            grouped=counts["grouped"],
            reasons={Reason(name): count for name, count in counts["reasons"].items()},
            **counts["documents"],
        )
    )
    err.print(
        f"{counted(rows['articles'], 'article')} in {counted(rows['story_groups'], 'group')} in"
        f" {as_line(out)}; copydesk load brings them into a database"
    )
