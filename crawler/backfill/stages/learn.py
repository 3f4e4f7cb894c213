"""Learns the lines of sites: first those that copies share, then by site."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from crawler.backfill.datasets import (
    bucket_name,
    bucket_path,
    files_of,
    in_order,
    write_batches,
)
from crawler.backfill.stages.bucket_task import BucketTask, Context
from storage.bulk import FLAGGED, LEARNED, SIGHTED, flag_groups, hashes_in, learn_sites

_GROUPED = pa.schema([SIGHTED.field(name) for name in ("article_id", "site", "group_id", "lines")])


def flag_lines(task: BucketTask, *, context: Context) -> None:
    """FLAGGED of a bucket of groups."""
    folder = context.folder
    rows = in_order(
        files_of(folder, "grouped_sightings", task.bucket),
        _GROUPED,
        ["group_id", "article_id"],
        temporary=context.temporary,
        memory_bytes=context.memory_bytes,
    )
    count = write_batches(folder, bucket_path(folder, "flagged", task.bucket), FLAGGED, flag_groups(rows))
    folder.write_json(task.done, {"flagged": count})


def write_blocks(task: BucketTask, *, context: Context) -> None:
    """The table `sight_block`."""
    folder = context.folder
    schema = LEARNED["sight_block"]
    blocks = in_order(
        files_of(folder, "blocks"),
        schema,
        ["id"],
        temporary=context.temporary,
        memory_bytes=context.memory_bytes,
    )
    count = write_batches(folder, folder.path("rows", "sight_block", bucket_name(0)), schema, blocks)
    folder.write_json(task.done, {"blocks": count})


def learn_lines(task: BucketTask, *, context: Context) -> None:
    """The tables `sighting` and `learned_line` of a bucket of sites."""
    folder = context.folder
    files = files_of(folder, "sighted", task.bucket)
    name = bucket_name(task.bucket)

    def rows(schema: pa.Schema, order: list[str]) -> Iterator[pa.RecordBatch]:
        return in_order(files, schema, order, temporary=context.temporary, memory_bytes=context.memory_bytes)

    sighting = LEARNED["sighting"]
    write_batches(
        folder, folder.path("rows", "sighting", name), sighting, rows(sighting, ["block_id", "article_id"])
    )
    learned = learn_sites(rows(SIGHTED, ["site", "block_id", "article_id"]), hashes_in(files))
    count = write_batches(folder, folder.path("rows", "learned_line", name), LEARNED["learned_line"], learned)
    folder.write_json(task.done, {"learned": count})
