"""`copydesk export`: a public view as JSONL or CSV, row by row."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from copydesk.console import err, plain
from copydesk.options import DEFAULT_DATABASE, Database
from pipeline.errors import OperatorError


def export(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="FILE.jsonl, FILE.csv, or - for JSONL on standard output.")
    ],
    db: Database = DEFAULT_DATABASE,
    view: Annotated[str, typer.Option(help="Which public view; the README lists them.")] = "articles",
    unique: Annotated[bool, typer.Option("--unique", help="Canonical copies only.")] = False,
    site: Annotated[str | None, typer.Option(help="Articles of this site only, e.g. example.com.")] = None,
    language: Annotated[str | None, typer.Option(help="Articles in this language only, e.g. en.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="New or changed since then (UTC)."),
    ] = None,
) -> None:
    """Write a public view to a file: the whole file appears at once, when it is complete."""
    from storage import reader
    from storage.database import open_database
    from storage.schema import VIEWS

    names = [v.name for v in VIEWS]
    if view not in names:
        raise OperatorError(f"there is no view {view!r}: choose one of {', '.join(names)}")
    if (site or language or since or unique) and view not in ("articles", "unique_articles"):
        raise OperatorError(f"--site, --language, --since and --unique are for articles, not for {view}")
    suffix = ".jsonl" if file == "-" else Path(file).suffix
    if suffix not in (".jsonl", ".csv"):
        raise OperatorError(f"{file}: the name must end in .jsonl or .csv")
    engine = open_database(db, create=False)
    rows = reader.rows(
        engine,
        view,
        site=site,
        language=language,
        since=since.replace(tzinfo=UTC) if since else None,
        canonical_only=unique,
    )
    if file == "-":
        _write_jsonl(sys.stdout, rows)
        return
    columns = [column.name for v in VIEWS if v.name == view for column in v.columns]
    with _whole_file(Path(file)) as stream:
        count = _write_jsonl(stream, rows) if suffix == ".jsonl" else _write_csv(stream, columns, rows)
    err.print(f"{count:,} rows of {view} in {file}")


@contextmanager
def _whole_file(path: Path) -> Iterator[IO[str]]:
    """A file that is there complete or not at all: written under another name, then renamed."""
    if not path.parent.is_dir():
        raise OperatorError(f"{path.parent}: no such folder")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _write_jsonl(stream: IO[str], rows: Iterable[dict[str, Any]]) -> int:
    count = 0
    for row in rows:
        stream.write(json.dumps(plain(row), ensure_ascii=False) + "\n")
        count += 1
    return count


def _write_csv(stream: IO[str], columns: list[str], rows: Iterable[dict[str, Any]]) -> int:
    writer = csv.writer(stream)
    writer.writerow(columns)
    count = 0
    for row in rows:
        values = (plain(row[column]) for column in columns)
        writer.writerow(
            [json.dumps(v, ensure_ascii=False) if isinstance(v, list | dict) else v for v in values]
        )
        count += 1
    return count
