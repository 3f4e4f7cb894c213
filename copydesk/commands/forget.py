"""`copydesk forget`: deletes an article or a site from the database, and does not store it again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from copydesk.amounts import shown_size
from copydesk.options import DEFAULT_DATABASE, Database, DryRun, Json, SitesFile, Yes
from copydesk.status import Status
from copydesk.terminal import as_line, confirmed, counting, err, out, print_json, when
from pipeline.counts import counted
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from storage.database import Engine
    from storage.upkeep import ForgetPlan, ForgetTarget

# Rewriting a SQLite file up to this size is quick, so it is the default.
_REWRITTEN = 1_000_000_000


def forget(
    which: Annotated[
        list[str] | None,
        typer.Argument(metavar="URL|ID|LOCATION…", help="Articles, by URL (stored or not), id or location."),
    ] = None,
    site: Annotated[
        list[str] | None,
        typer.Option(
            help="A site and what is under it: its host, e.g. example.com, or its key in the sites file;"
            " repeatable."
        ),
    ] = None,
    unseen: Annotated[
        bool, typer.Option("--unseen", help="Keep a site out of which nothing was ever stored.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Kept with the tombstone, to know why.")] = None,
    show_list: Annotated[
        bool, typer.Option("--list", help="Show what was forgotten; change nothing.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Allow these to be stored again; brings nothing back.")
    ] = False,
    vacuum: Annotated[
        bool | None,
        typer.Option(
            "--vacuum/--no-vacuum",
            help="Rewrite the SQLite file, so that nothing is left in its unused parts; VACUUM on PostgreSQL."
            " The default for a SQLite file below 1 GB.",
            show_default=False,
        ),
    ] = None,
    sites_file: SitesFile = None,
    db: Database = DEFAULT_DATABASE,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Delete articles or whole sites from the database, and do not store them again.

    Deletes text, older revisions, pages, removed lines, search index, pairs and rejections, and groups the
    remaining articles again. A tombstone remains: the URL or site, the time, and the reason. A document that
    comes later under that address, in any spelling, is rejected (reason: forgotten) without its text, and
    crawls do not fetch it. Copies at other addresses are not deleted; they are counted.

    Shows first what it will delete, and asks; in a script, use --yes. If it is interrupted, run the same
    command again.
    """
    from storage.database import open_database

    if show_list and (which or site or undo):
        raise OperatorError("--list shows everything that was forgotten: leave out the other arguments")
    if not show_list and not which and not site:
        raise OperatorError("nothing to forget: give a URL, an id or --site; --list shows what was forgotten")
    engine = open_database(db, create=False)
    if show_list:
        _list(engine, json)
        return
    hosts = _hosts(engine, site or [], sites_file, is_checked=not undo and not unseen)
    if undo:
        _undo(engine, which or [], hosts, (*(which or ()), *(site or ())), json)
    else:
        _forget(engine, which or [], hosts, reason, vacuum, dry_run, yes, json)


def _hosts(engine: Engine, names: list[str], sites_file: str | None, *, is_checked: bool) -> list[str]:
    """The hosts that sites are named by. Raises OperatorError for one that is unknown, with the nearest."""
    from copydesk.named_sites import hosts_named
    from crawler.sites import read_sites
    from storage.writing import parse_site

    sites = read_sites(sites_file) if names else {}
    hosts: dict[str, None] = {}
    for name in names:
        if not is_checked and name not in sites:
            hosts[parse_site(name)] = None
            continue
        try:
            hosts.update(dict.fromkeys(hosts_named(engine, name, sites_file)))
        except OperatorError as error:
            raise OperatorError(f"{error}; --unseen keeps it out all the same") from error
    return list(hosts)


def _forget(
    engine: Engine,
    which: list[str],
    sites: list[str],
    reason: str | None,
    vacuum: bool | None,
    dry_run: bool,
    yes: bool,
    json: bool,
) -> None:
    from pipeline.settings import Settings
    from storage.database import shown_url
    from storage.upkeep import find_targets, plan_forget
    from storage.upkeep import forget_targets as run

    what = find_targets(engine, which, sites)
    plan = plan_forget(engine, what)
    _tell(shown_url(engine), what, plan, dry_run)
    is_nothing = not (plan.articles or plan.revisions or plan.pages or plan.rejections)
    question = "Nothing of it is stored. Keep it out all the same?" if is_nothing else "Delete this for good?"
    if dry_run or not confirmed(question, yes):
        if json:
            print_json({"wanted": what, "plan": plan, "forgotten": None})
        return
    with counting("forgetting", plan.articles) as (advance, is_stopped):
        done = run(
            engine,
            what,
            settings=Settings(),
            now=datetime.now(UTC),
            reason=reason,
            advance=advance,
            is_stopped=is_stopped,
        )
    if json:
        print_json({"wanted": what, "plan": plan, "forgotten": done})
    else:
        deleted = f"{counted(done.articles, 'article')} and {counted(done.rejections, 'rejection')} forgotten"
        is_nothing = not done.articles and not done.rejections and not done.is_interrupted
        out.print("nothing of it was stored; it is kept out from now on" if is_nothing else deleted)
    if done.is_interrupted:
        err.print(
            "interrupted: none of it will be stored again, but some of it is not deleted yet;"
            " run the same command again"
        )
        raise typer.Exit(Status.INTERRUPTED)
    _erase(engine, vacuum)


def _tell(database: str, what: ForgetTarget, plan: ForgetPlan, dry_run: bool) -> None:
    names = ", ".join((*what.urls, *(f"all of {site}" for site in what.sites)))
    err.print(f"{database}: {as_line(names)} {'would be' if dry_run else 'is'} forgotten:")
    err.print(
        f"  {counted(plan.articles, 'article')}, {counted(plan.revisions, 'older revision')} of them,"
        f" {counted(plan.pages, 'page')}, {counted(plan.rejections, 'rejection')}"
    )
    for site, count in plan.sites[:10] if what.sites else ():
        err.print(f"    {as_line(site or 'local files')}: {count:,}")
    for url, title in plan.samples:
        err.print(f"    {as_line(f'{url}  {title}')}")
    if plan.articles > len(plan.samples):
        err.print(f"    and {plan.articles - len(plan.samples):,} more")
    if plan.copies:
        copies = counted(plan.copies, "copy stays", "copies stay")
        err.print(f"  {copies} at other addresses (copydesk show ID counts them)")


def _erase(engine: Engine, vacuum: bool | None) -> None:
    from storage.base import disk_space, rewrite
    from storage.upkeep import erase_remains

    is_empty = erase_remains(engine)
    found = disk_space(engine)
    on_postgres = found.free is None
    if vacuum or (vacuum is None and not on_postgres and found.size <= _REWRITTEN):
        rewrite(engine)
        is_empty = erase_remains(engine)
    elif not on_postgres:
        err.print(
            f"the deleted rows are overwritten; copies that SQLite moved earlier may be left in unused parts"
            f" of the file ({shown_size(found.size)}): copydesk prune --vacuum rewrites it without them"
        )
    if on_postgres:
        err.print(
            "PostgreSQL overwrites deleted rows after a VACUUM (autovacuum, or --vacuum), when it needs the"
            " space; VACUUM FULL does it at once"
        )
    elif not is_empty:
        err.print(
            "another program reads the log beside the file (-wal), which holds older pages: end that program,"
            " then run copydesk prune --vacuum"
        )
    err.print("backups and exports made before still have it")


def _list(engine: Engine, json: bool) -> None:
    from storage.writing import list_tombstones

    found = list_tombstones(engine)
    if json:
        print_json(found)
        return
    for stone in found:
        more = f"  (and {', '.join(stone.aliases)})" if stone.aliases else ""
        said = f"  {stone.reason}" if stone.reason else ""
        out.print(f"[dim]{when(stone.at)}[/dim]  {stone.kind:<4}  {as_line(stone.value + more + said)}")
    if not found:
        out.print("nothing was forgotten")


def _undo(engine: Engine, which: list[str], sites: list[str], named: tuple[str, ...], json: bool) -> None:
    from storage.upkeep import ForgetTarget, lift_tombstones

    lifted = lift_tombstones(engine, ForgetTarget(tuple(which), tuple(sites)))
    if json:
        print_json({"lifted": lifted})
    elif lifted:
        out.print(f"may be stored again: {as_line(', '.join(lifted))}")
    if not lifted:
        raise OperatorError(f"{', '.join(named)}: no such tombstone (copydesk forget --list shows all)")
