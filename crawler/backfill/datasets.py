"""Reads and writes the datasets that stages pass to each other: folders of Parquet files.

The files of a bucket are in `DATASET/bucket=K/`, whoever wrote them, so a query has `bucket` as a column.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from crawler.backfill.engines import connected
from crawler.backfill.folder import Folder
from storage.parquet import write_options

# Rows of a batch where they are not read all at once, and bytes that are read of a file at a time.
_BATCH_ROWS = 16_384
_READ_BYTES = 1 << 20
_PART = "part.parquet"


def bucket_path(folder: Folder, dataset: str, bucket: int) -> str:
    """The file that a task writes of a bucket."""
    return folder.work(f"{dataset}/bucket={bucket}/{_PART}")


def bucket_name(bucket: int) -> str:
    """The name of the part of a bucket in the tables that are kept."""
    return f"bucket-{bucket:06}.parquet"


def files_of(folder: Folder, dataset: str, bucket: int | None = None) -> list[str]:
    """The files of a dataset, or of one of its buckets, which may have none."""
    where = folder.work(dataset if bucket is None else f"{dataset}/bucket={bucket}")
    return sorted(glob.glob(os.path.join(glob.escape(where), "**", "*.parquet"), recursive=True))


def read(files: Sequence[str], schema: pa.Schema) -> pa.Table:
    """All rows of the files, with the columns of the schema alone."""
    tables = [pq.read_table(path, columns=schema.names, partitioning=None) for path in files]
    if not tables:
        return schema.empty_table()
    return pa.concat_tables([table.select(schema.names).cast(schema) for table in tables])


def read_bucket(folder: Folder, dataset: str, bucket: int, schema: pa.Schema) -> pa.Table:
    """All rows of a bucket, in no order."""
    return read(files_of(folder, dataset, bucket), schema)


def write(folder: Folder, path: str, table: pa.Table) -> None:
    """Write a table as a file, which appears when it is complete."""
    write_batches(folder, path, table.schema, [table])


def write_batches(
    folder: Folder,
    path: str,
    schema: pa.Schema,
    batches: Iterable[pa.Table | pa.RecordBatch],
    **options: Any,
) -> int:
    """Write batches as a file, one after the other; returns the number of rows. options: of ParquetWriter."""
    rows = 0
    chosen = {"compression": "zstd", **options}
    with folder.replacing(path) as temporary, pq.ParquetWriter(temporary, schema, **chosen) as writer:
        for batch in batches:
            table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
            rows += table.num_rows
            writer.write_table(table.cast(schema), row_group_size=_GROUP_ROWS)
    return rows


def write_public(folder: Folder, name: str, bucket: int, table: pa.Table) -> None:
    """Write a part of a public table, as `copydesk export` writes its view."""
    from storage.schema import VIEWS

    columns = next(view.columns for view in VIEWS if view.name == name)
    path = folder.path(name, bucket_name(bucket))
    write_batches(folder, path, table.schema, [table], **write_options(columns))


def batches_of(files: Sequence[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows of the files in no order, some at a time, with the columns of the schema alone."""
    for path in files:
        # Spark's row groups may be large: they are read as they are used.
        with pq.ParquetFile(path, buffer_size=_READ_BYTES, pre_buffer=False) as file:
            for batch in file.iter_batches(_BATCH_ROWS, columns=schema.names):
                yield batch.select(schema.names).cast(schema)


def in_order(
    files: Sequence[str], schema: pa.Schema, order: Sequence[str], *, temporary: str | None, memory_bytes: int
) -> Iterator[pa.RecordBatch]:
    """The rows of the files in the order of these columns. What does not fit in the memory goes to a disk."""
    if not files:
        return
    with connected(temporary, memory_bytes) as connection:
        yield from _sorted(connection.read_parquet(list(files), hive_partitioning=False), schema, order)


def put_in_order(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    order: Sequence[str],
    *,
    temporary: str | None,
    memory_bytes: int,
) -> Iterator[pa.RecordBatch]:
    """As `in_order`, of batches with this schema."""
    with connected(temporary, memory_bytes) as connection:
        reader = pa.RecordBatchReader.from_batches(schema, batches)
        yield from _sorted(connection.from_arrow(reader), schema, order)


def _sorted(
    rows: duckdb.DuckDBPyRelation, schema: pa.Schema, order: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    ordered = rows.project(", ".join(schema.names)).order(", ".join(order))
    for batch in ordered.to_arrow_reader(_BATCH_ROWS):
        yield pa.RecordBatch.from_arrays(
            [column.cast(kind) for column, kind in zip(batch.columns, schema.types, strict=True)],
            schema=schema,
        )


# Rows of a row group of the files of tasks.
_GROUP_ROWS = 50_000
