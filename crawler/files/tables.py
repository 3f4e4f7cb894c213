"""Reads tables, CSV and Parquet: a row is a record with the names of the columns for keys."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from crawler.files.unpack import BUFFER_BYTES, Reader

# Rows of a Parquet file that are in memory at once.
_ROWS = 16
# A Parquet file may name one value for billions of rows. What its rows hold together may be so many times the
# file, as in gzip at most, and some documents of any length. A row counts for so many characters at least.
TIMES_FILE, _LONG_ROWS, _ROW = 1_000, 5, 1_000


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
    lines = _Lines(reader, limit)
    first = next(lines, "")
    # One for the whole process, so it is only ever raised: _Lines keeps rows within their own limit.
    csv.field_size_limit(max(limit, csv.field_size_limit()))
    rows = csv.reader(lines, delimiter=_delimiter(first))
    names = next(csv.reader([first], delimiter=_delimiter(first)), [])
    try:
        for row in rows:
            lines.row_bytes = 0
            yield {name: _cell(value) for name, value in zip(names, row, strict=False) if value != ""}
    except csv.Error as error:
        raise BrokenTable(f"no CSV: {error}") from error


class _Lines:
    """The lines of a table. row_bytes: of the present row, whose quoted cells may go over many lines."""

    def __init__(self, reader: Reader, limit: int) -> None:
        self.row_bytes = 0
        self._reader, self._limit, self._is_first = reader, limit, True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._reader.readline(self._limit + 2)
        self.row_bytes += len(line)
        if self.row_bytes > self._limit + 1:
            raise BrokenTable(f"a row is longer than {self._limit} bytes, or a quote is not closed")
        if not line:
            raise StopIteration
        if self._is_first:
            line, self._is_first = line.removeprefix(b"\xef\xbb\xbf"), False
        return line.decode("utf-8", "replace")


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def _cell(value: str) -> object:
    if value.startswith("[") and value.endswith("]"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def parquet_rows(reader: Reader, limit: int) -> Iterator[Mapping[str, object]]:
    """The rows of a Parquet file. limit: bytes of a row. Raises BrokenTable, also without pyarrow."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise BrokenTable("Parquet needs pyarrow: pip install 'copydesk[parquet]'") from error
    raw = getattr(reader, "raw", None)
    if not isinstance(raw, io.FileIO) or not reader.seekable():
        raise BrokenTable("Parquet is read from a file of its own, neither compressed nor in an archive")
    left = TIMES_FILE * os.fstat(raw.fileno()).st_size + _LONG_ROWS * limit
    pyarrow.set_cpu_count(1)
    try:
        # Read page by page: the columns of a row group, together, may be larger than the memory.
        file = pyarrow.parquet.ParquetFile(reader, pre_buffer=False, buffer_size=BUFFER_BYTES)
        for batch in file.iter_batches(batch_size=_ROWS, use_threads=False):
            columns = [
                (name, _in_microseconds(batch.column(at))) for at, name in enumerate(batch.schema.names)
            ]
            for number in range(batch.num_rows):
                row = {name: _plain(column[number]) for name, column in columns}
                left -= _ROW + sum(len(value) for value in row.values() if isinstance(value, str))
                if left < 0:
                    raise BrokenTable(f"its rows are more than {TIMES_FILE} times the file")
                yield {name: value for name, value in row.items() if value is not None}
    except MemoryError as error:
        raise BrokenTable("rows do not fit into memory (reading.memory_bytes)") from error
    except (pyarrow.ArrowException, OSError, ValueError, LookupError) as error:
        raise BrokenTable(f"no Parquet: {error}") from error


def _in_microseconds(column: Any) -> Any:
    """The column; one of times in nanoseconds, which Python's datetime does not have, in microseconds."""
    import pyarrow

    kind = column.type
    if pyarrow.types.is_timestamp(kind) and kind.unit == "ns":
        return column.cast(pyarrow.timestamp("us", kind.tz), safe=False)
    return column


def _plain(scalar: Any) -> object:
    """The value of a cell; of a time that Python cannot say, its number as a text."""
    try:
        value = scalar.as_py()
    except (ValueError, OverflowError, LookupError):
        return str(getattr(scalar, "value", ""))
    return value.isoformat() if isinstance(value, date | datetime) else value
