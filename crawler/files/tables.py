"""Reads tables, CSV and Parquet: a row is a record with the names of the columns for keys."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime

from crawler.files.unpack import Reader

# Rows of a Parquet file that are in memory at once.
_ROWS = 16


class BrokenTable(Exception):
    """A table cannot be read on; the message says why. Caught where the rows are made documents."""


def csv_header(head: bytes, name: str) -> list[str]:
    """The names of the columns of a CSV or TSV file, by its first line; empty if it is none."""
    if not name.lower().endswith((".csv", ".tsv")):
        return []
    line = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", "replace").strip("\r")
    try:
        return next(csv.reader([line], delimiter=_delimiter(line)), [])
    except csv.Error:
        return []


def csv_rows(reader: Reader, limit: int) -> Iterator[Mapping[str, object]]:
    """The rows. limit: bytes of a row. Raises BrokenTable. A cell with a list of JSON is a list."""
    lines = _bounded_lines(reader, limit)
    first = next(lines, "")
    csv.field_size_limit(limit)
    rows = csv.reader(lines, delimiter=_delimiter(first))
    names = next(csv.reader([first], delimiter=_delimiter(first)), [])
    try:
        for row in rows:
            yield {name: _cell(value) for name, value in zip(names, row, strict=False) if value != ""}
    except csv.Error as error:
        raise BrokenTable(f"no CSV: {error}") from error


def _bounded_lines(reader: Reader, limit: int) -> Iterator[str]:
    is_first = True
    while line := reader.readline(limit + 2):
        if len(line) > limit and not line.endswith(b"\n"):
            raise BrokenTable(f"a line is longer than {limit} bytes")
        yield (line.removeprefix(b"\xef\xbb\xbf") if is_first else line).decode("utf-8", "replace")
        is_first = False


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def _cell(value: str) -> object:
    if value.startswith("[") and value.endswith("]"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def parquet_rows(reader: Reader) -> Iterator[Mapping[str, object]]:
    """The rows of a Parquet file. Raises BrokenTable, also where pyarrow is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise BrokenTable("Parquet needs pyarrow: pip install 'copydesk[parquet]'") from error
    raw = getattr(reader, "raw", None)
    if not isinstance(raw, io.FileIO) or not reader.seekable():
        raise BrokenTable("Parquet is read from a file of its own, neither compressed nor in an archive")
    pyarrow.set_cpu_count(1)
    try:
        file = pyarrow.parquet.ParquetFile(reader, memory_map=False)
        for batch in file.iter_batches(batch_size=_ROWS, use_threads=False):
            for row in batch.to_pylist():
                yield {name: _plain(value) for name, value in row.items() if value is not None}
    except (pyarrow.ArrowException, OSError, ValueError, MemoryError) as error:
        raise BrokenTable(f"no Parquet: {error}") from error


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value
