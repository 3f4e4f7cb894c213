"""`copydesk export`: writes a public view, or its changes, as Parquet, JSONL or CSV."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from copydesk.options import DEFAULT_DATABASE, Database
from copydesk.status import Status
from copydesk.terminal import err
from pipeline.counts import counted
from pipeline.errors import OperatorError


def export(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="FILE.parquet, FILE.jsonl or FILE.csv, the last two also as .gz or .zst; or - for standard"
            " output.",
        ),
    ],
    db: Database = DEFAULT_DATABASE,
    view: Annotated[str, typer.Option(help="Which public view.")] = "articles",
    unique: Annotated[bool, typer.Option("--unique", help="Canonical copies only.")] = False,
    site: Annotated[str | None, typer.Option(help="Articles of this site only, e.g. example.com.")] = None,
    language: Annotated[str | None, typer.Option(help="Articles in this language only, e.g. en.")] = None,
    exclude_reserved: Annotated[
        bool,
        typer.Option(
            "--exclude-reserved",
            help="Without articles whose rights are reserved: those of which a statement in the column rights"
            " says so.",
        ),
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DATE|CHANGE",
            help="A date, 2026-03-01 or 2026-03-01T10:00:00 (UTC): texts that are new or changed since. A"
            " number: everything after this change of the view changes, with what is gone.",
        ),
    ] = None,
    cursor: Annotated[
        Path | None,
        typer.Option(
            metavar="CURSOR",
            help="What changed since the last export with this cursor file, with what is gone; everything"
            " if the file does not exist. Writes the new cursor to it when FILE is complete.",
        ),
    ] = None,
    format: Annotated[
        str | None, typer.Option(help="jsonl or csv on standard output; a file's name says it.")
    ] = None,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            help="Write every character as it is stored. Else control characters on standard output are"
            " escaped (JSONL) or replaced (CSV), and a CSV cell that a spreadsheet would run as a formula"
            " begins with an apostrophe.",
        ),
    ] = False,
) -> None:
    """Write a public view to a file, which appears when it is complete.

    Exports of changes have two more columns, change and gone. Delete the rows that are gone, replace the
    others by id, and your copy is exact.
    """
    from storage import export as exports
    from storage.database import open_database

    selection = exports.Selection(view, site, language, unique, exclude_reserved)
    if since is not None and cursor is not None:
        raise OperatorError("--since and --cursor both say where to begin: give only one of them")
    to_stdout = file == "-"
    if format is not None and not (to_stdout and format in ("jsonl", "csv")):
        raise OperatorError("--format is jsonl or csv, for standard output; a file's name says its format")
    path = Path(file)
    if not to_stdout:
        exports.file_format(path)
        if cursor is not None and path.exists():
            raise OperatorError(
                f"{file} exists: load it and move it away, or give each export its own name"
                " (it may hold changes that come only once)"
            )
    if cursor is not None and not cursor.parent.is_dir():
        raise OperatorError(f"{cursor.parent}: no such folder")
    date, after = _beginning(since)
    engine = open_database(db, create=False)
    if cursor is not None:
        after = exports.read_cursor(cursor, engine, selection)
    with _ended_in_order_by_signals():
        done = exports.export(
            engine,
            sys.stdout.buffer if to_stdout else path,
            selection,
            format=format,
            since=date,
            after=after,
            raw=raw,
            for_terminal=to_stdout and not raw,
        )
        if to_stdout:
            sys.stdout.flush()
        if cursor is not None and done.change is not None:
            exports.write_cursor(cursor, engine, selection, done.change)
    if not to_stdout:
        gone = f", {done.gone:,} of them gone" if done.gone else ""
        reached = f"; up to change {done.change}" if done.change is not None else ""
        err.print(f"{counted(done.rows, 'row')} of {view} in {file}{gone}{reached}")


def _beginning(since: str | None) -> tuple[datetime | None, int | None]:
    """Parse --since: a date, or the number of a change."""
    if since is None:
        return None, None
    if since.isdecimal() and since.isascii():
        return None, int(since)
    try:
        date = datetime.fromisoformat(since)
    except ValueError as error:
        raise OperatorError(
            f"--since {since}: neither a date, 2026-03-01 or 2026-03-01T10:00:00, nor a change, 5120"
        ) from error
    return date if date.tzinfo else date.replace(tzinfo=UTC), None


@contextmanager
def _ended_in_order_by_signals() -> Iterator[None]:
    """Let signals end the program by SystemExit, so that an unfinished file is removed."""
    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    numbers = [number for number in ending if signal.getsignal(number) != signal.SIG_IGN]

    def end(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:  # one is enough
            signal.signal(number, signal.SIG_IGN)
        raise SystemExit(Status.INTERRUPTED)

    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
