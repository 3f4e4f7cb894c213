"""The Typer application: registers the commands, and prints an OperatorError as one line.

Commands import what they need when they run, so that `copydesk --help` answers at once.
"""

from __future__ import annotations

import sys
import traceback

import typer

from copydesk.commands import (
    backfill,
    crawl,
    db,
    demo,
    export,
    extract,
    feed,
    forget,
    groups,
    ingest,
    learn,
    load,
    prune,
    reprocess,
    schedule,
    schema,
    search,
    serve,
    show,
    sites,
    stats,
    watch,
)
from copydesk.status import Status
from copydesk.terminal import (
    SafeGroup,
    Volume,
    choose_volume,
    safe_line,
    volume,
    with_habits,
    without_passwords,
)
from pipeline.errors import OperatorError

app = typer.Typer(
    cls=SafeGroup,
    help="News pages in, a database of clean articles out, with the copies of one story grouped.",
    epilog="Every command takes these options. Start with: copydesk ingest PATH…, then copydesk groups.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("ingest")(ingest.ingest)
app.command("crawl")(crawl.crawl)
app.command("schedule")(schedule.schedule)
app.command("reprocess")(reprocess.reprocess)
app.command("learn")(learn.learn)
app.command("backfill")(backfill.backfill)
app.command("load")(load.load)
app.command("groups")(groups.groups)
app.command("show")(show.show)
app.command("search")(search.search)
app.command("stats")(stats.stats)
app.command("extract")(extract.extract)
app.command("export")(export.export)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("schema")(schema.schema)
app.command("prune")(prune.prune)
app.command("forget")(forget.forget)
app.add_typer(sites.app, name="sites")
app.add_typer(watch.app, name="watch")
app.add_typer(db.app, name="db")
app.add_typer(feed.app, name="feed")
app.callback()(choose_volume)
parts = (sites.app, watch.app, db.app, feed.app, feed.tokens)
for part in parts:
    part.callback()(with_habits(lambda: None))
for part in (app, *parts):
    for registered in part.registered_commands:
        assert registered.callback is not None
        registered.callback = with_habits(registered.callback)


def main() -> None:
    """Entry point of the `copydesk` script."""
    try:
        app()
    except OperatorError as error:
        if volume() is Volume.VERBOSE:
            typer.echo(without_passwords("".join(traceback.format_exception(error))), err=True, nl=False)
        typer.echo(f"copydesk: {safe_line(str(error))}", err=True)
        sys.exit(Status.USAGE)
    except BrokenPipeError:  # `copydesk export - | head`
        sys.stderr.close()
        sys.exit(Status.DONE)
    except Exception as error:
        fault = _database_fault(error)
        if fault is None:
            raise
        typer.echo(f"copydesk: {safe_line(fault)}", err=True)
        sys.exit(Status.USAGE)


def _database_fault(error: Exception) -> str | None:
    """One line for an error of a damaged database; None for an error of ours."""
    if "storage" not in sys.modules:
        return None
    from storage.database import fault_of

    return fault_of(error)
