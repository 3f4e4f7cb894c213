"""`copydesk db`: upgrades the schema of a database, shows it, and checks that the rows are consistent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from copydesk.options import DEFAULT_DATABASE, Database, Json
from copydesk.status import Status
from copydesk.terminal import as_line, err, out, print_json
from pipeline.counts import counted

if TYPE_CHECKING:
    from storage.upkeep import Finding

app = typer.Typer(help="Upgrade a database, show which schema it has, or check it.", no_args_is_help=True)


@app.command()
def upgrade(db: Database = DEFAULT_DATABASE) -> None:
    """Upgrade a database to the newest schema, or create it. Loses nothing."""
    from storage.database import connect, shown_url, upgrade

    engine = connect(db, create=True)
    out.print(f"{shown_url(engine)} is at schema {upgrade(engine).head}")


@app.command()
def current(db: Database = DEFAULT_DATABASE) -> None:
    """Show the schema of a database, and the newest one. Changes nothing."""
    from storage.database import connect, shown_url, version

    engine = connect(db)
    found = version(engine)
    state = "the newest" if found.is_current else f"the newest is {found.head}: run copydesk db upgrade"
    out.print(f"{shown_url(engine)}: schema {found.current or 'none'} ({state})")


@app.command()
def check(
    db: Database = DEFAULT_DATABASE,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="Repair what follows from the other rows: index, groups, search, counters."
        ),
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Run only this check; repeatable.")
    ] = None,
    json: Json = False,
) -> None:
    """Check that the stored rows are consistent; exits with 1 if they are not.

    Reads everything once, from one snapshot; others may read and write meanwhile. --repair computes again
    what follows from other rows, checks everything once more, and shows what is left.
    """
    from storage.database import open_database
    from storage.upkeep import check_integrity as run
    from storage.upkeep import repair_faults as mend

    engine = open_database(db, create=False)

    def began(name: str) -> None:
        if err.is_terminal:
            err.print(f"[dim]{name} …[/dim]")

    findings = run(engine, only=only or None, began=began)
    if repair and any(finding.count for finding in findings):
        if not json:
            _print(findings, "found")
        findings = mend(engine, findings, began=began)
    if json:
        print_json(findings)
    else:
        _print(findings, "left" if repair else "found")
    if any(finding.count for finding in findings):
        raise typer.Exit(Status.FAULTS)


def _print(findings: list[Finding], state: str) -> None:
    wrong = sum(bool(finding.count) for finding in findings)
    for finding in findings:
        mended = f" [dim]({finding.mended:,} mended)[/dim]" if finding.mended else ""
        if not finding.count:
            out.print(f"[green]ok[/green]     {finding.check}: {finding.says}{mended}")
            continue
        times = counted(finding.count, "time")
        out.print(f"[red]WRONG[/red]  {finding.check}: wrong {times}: {finding.says}{mended}")
        for sample in finding.samples:
            out.print(f"         {as_line(sample)}")
        if state == "found" and finding.can_mend:
            out.print("         copydesk db check --repair can repair that")
        else:
            out.print(f"         {finding.advice}")
    out.print(
        f"{counted(len(findings), 'check')}, {wrong} {state} wrong"
        if wrong
        else f"{counted(len(findings), 'check')}, all well"
    )
