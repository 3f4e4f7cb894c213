"""`copydesk prune`: drops old stored pages to save space; articles stay."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from copydesk.amounts import parse_age, parse_size, shown_size
from copydesk.options import DEFAULT_DATABASE, Database, DryRun, Json, Yes
from copydesk.status import Status
from copydesk.terminal import confirmed, counting, err, out, print_json, when
from pipeline.counts import counted
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from storage.database import Engine
    from storage.upkeep import PrunePlan


def prune(
    db: Database = DEFAULT_DATABASE,
    older_than: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Drop pages fetched longer ago: 36h, 90d, 12w, 2y."),
    ] = None,
    keep_size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Keep the newest pages that take so much, compressed: 800MB, 5GB, 5GiB."
        ),
    ] = None,
    vacuum: Annotated[
        bool,
        typer.Option(
            "--vacuum",
            help="Free the disk space: rewrite the SQLite file (needs twice the size of what remains, and"
            " nobody else can write meanwhile); VACUUM on PostgreSQL. Also without pruning.",
        ),
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Drop the stored bytes of old pages; their articles, copies and rejections stay as they are.

    Dropped pages are still known, so nothing is fetched or stored again. But reprocess cannot apply other
    rules to them. Shows first what it will drop, and asks; in a script, use --yes.
    If it is interrupted, run the same command again. With both limits, a page is dropped if either says so.
    """
    from storage.base import disk_space
    from storage.database import open_database, shown_url
    from storage.upkeep import Pruned, plan_prune
    from storage.upkeep import prune_pages as run

    if older_than is None and keep_size is None and not vacuum:
        raise OperatorError("nothing to do: give --older-than 90d, --keep-size 5GB or --vacuum")
    now = datetime.now(UTC)
    try:
        since = now - parse_age(older_than) if older_than is not None else None
    except OverflowError as error:
        raise OperatorError(f"--older-than {older_than}: there were no pages then") from error
    size = parse_size(keep_size) if keep_size is not None else None
    engine = open_database(db, create=False)
    done = Pruned(0, 0, is_interrupted=False)
    plan = None
    if since is not None or size is not None:
        plan = plan_prune(engine, older_than=since, keep_size=size)
        _tell(shown_url(engine), plan, dry_run)
        if plan.pages and not dry_run and confirmed("Drop these pages for good?", yes):
            with counting("pruning", plan.pages) as (advance, is_stopped):
                done = run(engine, plan, advance=advance, is_stopped=is_stopped)
    if vacuum and not dry_run and not done.is_interrupted:
        _vacuum(engine)
    elif done.pages:
        _tell_space(engine)
    if json:
        print_json({"plan": plan, "pruned": done, "space": disk_space(engine)})
    elif not dry_run and plan is not None and plan.pages:
        out.print(f"{counted(done.pages, 'page')} dropped, {shown_size(done.size)}")
    if done.is_interrupted:
        err.print("interrupted: the dropped pages are gone; run the same command again for the rest")
        raise typer.Exit(Status.INTERRUPTED)


def _tell(database: str, plan: PrunePlan, dry_run: bool) -> None:
    if not plan.pages:
        kept = f"{counted(plan.kept_pages, 'page')} kept, {shown_size(plan.kept_size)}"
        err.print(f"{database}: nothing to prune; {kept}")
        return
    go = "would be dropped" if dry_run else "to be dropped"
    err.print(
        f"{database}: {plan.pages:,} of {counted(plan.pages + plan.kept_pages, 'page')} {go},"
        f" {shown_size(plan.size)} of {shown_size(plan.size + plan.kept_size)},"
        f" fetched from {when(plan.oldest)} to {when(plan.newest)} UTC;"
        " articles and rejections stay, but cannot be reprocessed any more"
    )


def _tell_space(engine: Engine) -> None:
    from storage.base import disk_space

    found = disk_space(engine)
    if found.free is None:
        err.print(
            "PostgreSQL's autovacuum frees the space for new rows; VACUUM FULL page gives it back to the"
            " disk, and locks the table meanwhile"
        )
    else:
        err.print(
            f"the file keeps its size, {shown_size(found.size)}, with {shown_size(found.free)} free for new"
            " rows; --vacuum makes it smaller"
        )


def _vacuum(engine: Engine) -> None:
    from storage.base import disk_space, rewrite

    before = disk_space(engine).size
    rewrite(engine)
    after = disk_space(engine)
    if after.free is None:
        err.print("vacuumed: the space is free for new rows; VACUUM FULL page gives it back to the disk")
    else:
        err.print(f"the file had {shown_size(before)} and now has {shown_size(after.size)}")
