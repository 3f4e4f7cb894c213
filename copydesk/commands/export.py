"""`copydesk export`: writes a public view, or its changes, as Parquet, JSONL or CSV."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from copydesk.completion import complete_view
from copydesk.options import DEFAULT_DATABASE, Database, Language, OldSince, Site
from copydesk.status import Status
from copydesk.terminal import err
from copydesk.times import TIME, TIME_HELP, parse_since
from pipeline.counts import counted
from pipeline.errors import OperatorError


def export(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="FILE.parquet, FILE.jsonl or FILE.csv, the last two also as .gz or .zst; FILE.warc.gz for"
            " the stored pages; or - for standard output.",
        ),
    ],
    db: Database = DEFAULT_DATABASE,
    view: Annotated[str, typer.Option(help="Which public view.", autocompletion=complete_view)] = "articles",
    unique: Annotated[bool, typer.Option("--unique", help="Canonical copies only.")] = False,
    site: Site = None,
    language: Language = None,
    exclude_reserved: Annotated[
        bool,
        typer.Option(
            "--exclude-reserved",
            help="Without articles whose rights are reserved: those of which a statement in the column rights"
            " says so.",
        ),
    ] = False,
    changed_since: Annotated[
        str | None,
        typer.Option(metavar=TIME, help=f"Texts that are new or changed since then: {TIME_HELP}."),
    ] = None,
    after: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="CHANGE",
            help="Everything after this change of the view changes, with what is gone; 0 for all.",
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
        str | None,
        typer.Option(
            metavar="FORMAT",
            help="jsonl or csv on standard output; a file's name says it. ninjs or schemaorg: articles as"
            " lines of JSON that other programs know.",
        ),
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
    since: OldSince = None,
) -> None:
    """Write a public view to a file, which appears when it is complete.

    FILE.warc.gz gets the pages of the chosen articles as they were fetched, with the headers that were
    received; if nothing is chosen, rejected pages too. copydesk ingest reads it, and other programs do.

    Exports of changes have two more columns, change and gone. Delete the rows that are gone, replace the
    others by id, and your copy is exact.
    """
    from copydesk.named_sites import hosts_named
    from storage import export as exports
    from storage.database import open_database
    from storage.upkeep import export_pages, is_page_archive

    if since is not None:
        now = f"--after {since}" if since.isascii() and since.isdecimal() else f"--changed-since {since}"
        raise OperatorError(f"--since means when an article was published; here write {now}")
    if sum(begin is not None for begin in (changed_since, after, cursor)) > 1:
        raise OperatorError(
            "--changed-since, --after and --cursor each say where to begin: give only one of them"
        )
    to_stdout = file == "-"
    shape = format if format in exports.SHAPES else None
    if format is not None and shape is None and not (to_stdout and format in ("jsonl", "csv")):
        raise OperatorError(
            "--format is jsonl or csv, for standard output, where a file's name says its format;"
            f" or one of {', '.join(exports.SHAPES)}"
        )
    path = Path(file)
    if is_page_archive(file):
        is_of_articles = view in ("articles", "unique_articles")
        if raw or not is_of_articles or (after, cursor, format) != (None, None, None):
            raise OperatorError(
                f"{file}: pages are chosen by --site, --language, --unique, --exclude-reserved and"
                " --changed-since"
            )
    elif not to_stdout:
        exports.file_format(path)
        if cursor is not None and path.exists():
            raise OperatorError(
                f"{file} exists: load it and move it away, or give each export its own name"
                " (it may hold changes that come only once)"
            )
    if cursor is not None and not cursor.parent.is_dir():
        raise OperatorError(f"{cursor.parent}: no such folder")
    date = None if changed_since is None else parse_since(changed_since)
    engine = open_database(db, create=False)
    hosts = () if site is None else hosts_named(engine, site)
    selection = exports.Selection(
        view, hosts, None if language is None else language.lower(), unique, exclude_reserved
    )
    if cursor is not None:
        after = exports.read_cursor(cursor, engine, selection)
    if is_page_archive(file):
        with _ended_in_order_by_signals():
            count = export_pages(engine, path, selection, since=date)
        err.print(f"{counted(count, 'page')} in {file}")
        return
    with _ended_in_order_by_signals():
        done = exports.export(
            engine,
            sys.stdout.buffer if to_stdout else path,
            selection,
            format=None if shape else format,
            shape=shape,
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
