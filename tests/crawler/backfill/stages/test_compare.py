"""Stages that find copies."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crawler.backfill import Folder
from crawler.backfill.datasets import write
from crawler.backfill.stages import BucketTask, Context, bucket_tasks, bundle_candidates, bundle_pairs
from pipeline.batch import PLACED
from pipeline.settings import Settings

PAIRS = 600_000
MEMORY = 64 << 20


@pytest.mark.parametrize(
    ("stage", "read", "bundled"),
    [(bundle_candidates, "candidates", "bundles"), (bundle_pairs, "pairs", "group_bundles")],
)
def test_pairs_of_all_articles_are_bundled_in_slices(
    stage: Callable[..., None], read: str, bundled: str, tmp_path: Path
) -> None:
    folder = Folder(str(tmp_path))
    os.makedirs(folder.temporary)
    # Components of two pairs, and their pairs far from each other.
    first = np.random.default_rng(1).permutation(PAIRS // 2) * 3 + 1
    a, b = np.concatenate((first, first + 1)), np.concatenate((first + 1, first + 2))
    for part in range(4):
        columns = [a[part::4], b[part::4], a[part::4]]
        write(folder, folder.work(f"{read}/{part}.parquet"), pa.table(columns, schema=PLACED))
    folder.write_json(folder.done("index", "bucket-000000"), {"articles": PAIRS // 2 * 3})
    (task,) = bucket_tasks(folder, "bundles", [0])

    peak = _peak(stage, task, Context(folder, Settings(), MEMORY, folder.temporary))

    assert peak < 16 * PAIRS  # what the pairs alone take
    assert os.listdir(folder.temporary) == []
    made = pq.read_table(folder.work(f"{bundled}/all.parquet"))
    assert made["a"].to_numpy().tolist() == sorted(a.tolist())
    assert (made["b"].to_numpy() == made["a"].to_numpy() + 1).all()
    last = made["bundle"][-1].as_py()
    assert folder.counts("bundles") == {"bundles": last + 1, "pairs": PAIRS}
    assert made["bundle"].unique().to_pylist() == list(range(last + 1))


def _peak(stage: Callable[..., None], task: BucketTask, context: Context) -> int:
    """Most bytes that Python and numpy held at once. DuckDB has a limit of its own."""
    tracemalloc.start()
    try:
        stage(task, context=context)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
