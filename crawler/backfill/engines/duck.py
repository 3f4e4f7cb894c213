"""DuckDB within limits: for the exchanges of one machine, and for tasks that need their rows in an order."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

# Rows that a thread holds until it writes those of each bucket: the more, the fewer and larger row groups.
# At least so many, else one for so many bytes of its memory: a row of outcomes has some ten kilobytes.
_HELD_ROWS, _MEMORY_OF_A_ROW = 4_096, 1 << 16
_OPEN_FILES = 64
_GROUP_ROWS = 20_000


@contextmanager
def connected(
    temporary: str | None, memory_bytes: int, threads: int = 1
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a database in memory. What does not fit goes to files of its own in the folder `temporary`.

    temporary: None for that of this machine, $TMPDIR.
    """
    # Two databases with one folder would write to the same files.
    with (
        TemporaryDirectory(prefix="copydesk-sort-", dir=temporary) as own,
        _connected(own, memory_bytes, threads) as connection,
    ):
        yield connection


@contextmanager
def _connected(temporary: str, memory_bytes: int, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    settings: dict[str, Any] = {
        "memory_limit": f"{max(memory_bytes >> 20, 64)}MiB",
        "temp_directory": temporary,
        "threads": threads,
        "preserve_insertion_order": False,
        "partitioned_write_flush_threshold": max(_HELD_ROWS, memory_bytes // threads // _MEMORY_OF_A_ROW),
        "partitioned_write_max_open_files": _OPEN_FILES,
        "autoinstall_known_extensions": False,
    }
    with duckdb.connect(":memory:", config=settings) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        # DuckDB takes a worker process for a person at a prompt, and draws on standard output.
        connection.execute("SET enable_progress_bar = false")
        yield connection


def create_views(connection: duckdb.DuckDBPyConnection, inputs: Mapping[str, str]) -> None:
    """Make each folder of Parquet files a view, with `bucket` as a column of files in folders `bucket=K`."""
    for name, folder in inputs.items():
        pattern = os.path.join(glob.escape(folder), "**", "*.parquet")
        has_buckets = bool(glob.glob(os.path.join(glob.escape(folder), "bucket=*")))
        connection.read_parquet(pattern, hive_partitioning=has_buckets).create_view(name)


def copy_query(sql: str, folder: str, *, by_bucket: bool) -> str:
    """The statement that writes the result of a query to a folder."""
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_GROUP_ROWS}"
    options += ", PARTITION_BY (bucket), OVERWRITE_OR_IGNORE" if by_bucket else ", PER_THREAD_OUTPUT"
    return f"COPY ({sql}) TO {_quoted(folder)} ({options})"


def write_empty(folder: str, schema_of: pa.Table) -> None:
    """Write a file without rows, so that a result without rows can be read: it has columns."""
    if not glob.glob(os.path.join(glob.escape(folder), "**", "*.parquet"), recursive=True):
        table = schema_of.drop_columns(["bucket"]) if "bucket" in schema_of.column_names else schema_of
        name = ("bucket=0", "none.parquet") if "bucket" in schema_of.column_names else ("none.parquet",)
        os.makedirs(os.path.join(folder, *name[:-1]), exist_ok=True)
        pq.write_table(table, os.path.join(folder, *name))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
