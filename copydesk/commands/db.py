"""`copydesk db`: the schema of a database, by Alembic."""

from __future__ import annotations

import typer

from copydesk.console import out
from copydesk.options import DEFAULT_DATABASE, Database

app = typer.Typer(help="Upgrade a database, or tell which schema it has.", no_args_is_help=True)


@app.command()
def upgrade(db: Database = DEFAULT_DATABASE) -> None:
    """Take a database to the newest schema (make it, where there is none yet). Loses nothing."""
    from storage.database import connect, shown_url, upgrade

    engine = connect(db, create=True)
    out.print(f"{shown_url(engine)} is at schema {upgrade(engine).head}")


@app.command()
def current(db: Database = DEFAULT_DATABASE) -> None:
    """Tell the schema of a database, and the newest one. Changes nothing."""
    from storage.database import connect, shown_url, version

    engine = connect(db)
    found = version(engine)
    state = "the newest" if found.is_current else f"the newest is {found.head}: run copydesk db upgrade"
    out.print(f"{shown_url(engine)}: schema {found.current or 'none'} ({state})")
