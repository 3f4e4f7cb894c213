"""Finds copies: neighbours in bands, candidates, verified pairs, groups and their canonical copies."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crawler.backfill.datasets import (
    batches_of,
    bucket_name,
    bucket_path,
    files_of,
    in_order,
    put_in_order,
    read_bucket,
    write,
    write_batches,
    write_public,
)
from crawler.backfill.stages.bucket_task import BucketTask, Context
from crawler.backfill.stages.settle import MEMBERS_OF_GROUPS
from pipeline.batch import (
    BANDS,
    BUNDLED,
    BUNDLES,
    CANDIDATES,
    COMPARED,
    LABELLED,
    MEMBERS,
    NEIGHBOURS,
    PAIRS,
    PLACED,
    STORIES,
    WEIGHED,
    Forest,
    bundles,
    candidates,
    group,
    integers,
    labelled,
    neighbours_of_slices,
    verify,
)
from storage.bulk import PUBLIC, story_groups, tables_of_pairs

# Pairs that a task verifies, and about as many whose groups a task makes, unless a component has more.
PAIRS_AT_ONCE = 10_000
_GROUPED_AT_ONCE = 200_000

_COMPARED = pa.schema([STORIES.field(name) for name in COMPARED])
_MEMBERS = pa.schema([STORIES.field(name) for name in MEMBERS])
_MEMBERS_OF_GROUPS = pa.schema([PUBLIC["articles"].field(name) for name in MEMBERS_OF_GROUPS])


def find_neighbours(task: BucketTask, *, context: Context) -> None:
    """NEIGHBOURS of a bucket of bands, in slices, so that a band of any length takes no more memory."""
    folder = context.folder
    rows = in_order(
        files_of(folder, "band_buckets", task.bucket),
        BANDS,
        ["band", "position", "id"],
        temporary=context.temporary,
        memory_bytes=context.memory_bytes,
    )
    path = bucket_path(folder, "neighbours", task.bucket)
    slices = neighbours_of_slices(rows, context.settings.group)
    count = write_batches(folder, path, NEIGHBOURS, slices)
    folder.write_json(task.done, {"neighbours": count})


def choose_candidates(task: BucketTask, *, context: Context) -> None:
    """CANDIDATES among the pairs of neighbours of a bucket."""
    folder = context.folder
    found = candidates(read_bucket(folder, "weighed", task.bucket, WEIGHED), context.settings.group)
    write(folder, bucket_path(folder, "near_candidates", task.bucket), found)
    folder.write_json(task.done, {"candidates": found.num_rows})


def bundle_candidates(task: BucketTask, *, context: Context) -> None:
    """BUNDLES of all candidates."""
    folder = context.folder
    files = files_of(folder, "candidates")
    counts = _write_bundles(files, PLACED, folder.work("bundles/all.parquet"), PAIRS_AT_ONCE, False, context)
    folder.write_json(task.done, counts)


def verify_bundle(task: BucketTask, *, context: Context) -> None:
    """PAIRS among the candidates of a bundle."""
    folder = context.folder
    wanted = pq.read_table(
        folder.work("bundles/all.parquet"), filters=[("bundle", "=", task.bucket)], partitioning=None
    )
    stories = read_bucket(folder, "compared", task.bucket, _COMPARED)
    found = verify(wanted.select(CANDIDATES.names), stories, context.settings)
    write(folder, bucket_path(folder, "pairs", task.bucket), found)
    folder.write_json(task.done, {"pairs": found.num_rows})


def bundle_pairs(task: BucketTask, *, context: Context) -> None:
    """BUNDLES of whole components of verified pairs."""
    folder = context.folder
    path = folder.work("group_bundles/all.parquet")
    counts = _write_bundles(files_of(folder, "pairs"), CANDIDATES, path, _GROUPED_AT_ONCE, True, context)
    folder.write_json(task.done, counts)


def _write_bundles(
    files: Sequence[str], schema: pa.Schema, path: str, most: int, are_whole: bool, context: Context
) -> dict[str, int]:
    """BUNDLES of the pairs in these files; returns how many there are of either.

    Pairs are read in slices, first to join them and then to sort them; what grows with the number of articles
    is the file of the forest, of which the machine keeps in memory what there is room for.
    """
    folder = context.folder
    ids = folder.counts("index").get("articles", 0) + 1  # they begin with 1
    last = -1

    def found(sorted_pairs: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
        nonlocal last
        for table in bundles(sorted_pairs, most, are_whole=are_whole):
            last = table["bundle"][-1].as_py()
            yield table

    with tempfile.TemporaryFile(prefix="copydesk-forest-", dir=context.temporary) as file:
        forest = Forest(np.memmap(file, np.int64, shape=(ids,)))
        for pairs in batches_of(files, CANDIDATES):
            forest.join(integers(pairs["a"]), integers(pairs["b"]))
        sorted_pairs = put_in_order(
            (labelled(pairs, forest) for pairs in batches_of(files, schema)),
            LABELLED,
            BUNDLED,
            temporary=context.temporary,
            memory_bytes=context.memory_bytes,
        )
        count = write_batches(folder, path, BUNDLES, found(sorted_pairs))
    return {"bundles": last + 1, "pairs": count}


def group_bundle(task: BucketTask, *, context: Context) -> None:
    """Groups of the whole components of a bundle, and the tables of its pairs."""
    folder = context.folder
    pairs = read_bucket(folder, "grouped_pairs", task.bucket, PAIRS)
    grouped = group(pairs, read_bucket(folder, "grouped_stories", task.bucket, _MEMBERS))
    write(folder, bucket_path(folder, "groups", task.bucket), grouped.groups)
    cut = (
        pairs.join(grouped.cuts, ["a", "b"], join_type="left outer")
        if pairs.num_rows
        else (pairs.append_column("cut", pa.array([], pa.int64())))
    )
    made = tables_of_pairs(cut)
    write_public(folder, "copies", task.bucket, made.public["copies"])
    write(folder, folder.path("rows", "pair", bucket_name(task.bucket)), made.rows["pair"])
    folder.write_json(task.done, {"copies": pairs.num_rows, "grouped": grouped.groups.num_rows})


def describe_groups(task: BucketTask, *, context: Context) -> None:
    """The public table of groups, of a bucket of groups."""
    folder = context.folder
    members = read_bucket(folder, "members_of_groups", task.bucket, _MEMBERS_OF_GROUPS)
    found = story_groups(members)
    write_public(folder, "story_groups", task.bucket, found)
    folder.write_json(task.done, {"story_groups": found.num_rows})
