"""DuckDB within limits: what does not fit into the memory is sorted on a disk, by several tasks at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crawler.backfill.datasets import in_order

ROOT = Path(__file__).parents[4]
MEMORY = 64 << 20
SCHEMA = pa.schema([("key", pa.int64()), ("text", pa.string())])


def test_tasks_sort_more_than_their_memory_in_one_folder(tmp_path: Path) -> None:
    keys = np.random.default_rng(1).permutation(600_000)
    table = pa.table([keys, pa.array([f"{key:0200}" for key in keys.tolist()])], schema=SCHEMA)
    assert table.nbytes > 1.8 * MEMORY
    path = str(tmp_path / "a.parquet")
    pq.write_table(table, path)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    several = [
        in_order([path], SCHEMA, ["key"], temporary=str(temporary), memory_bytes=MEMORY) for _ in range(2)
    ]
    at = 0
    for one, other in zip(*several, strict=True):
        assert one["key"].to_numpy().tolist() == list(range(at, at + len(one)))
        assert one.equals(other)
        at += len(one)
    assert at == keys.size
    assert os.listdir(temporary) == []


def test_a_worker_process_shows_no_progress_on_standard_output(tmp_path: Path) -> None:
    # DuckDB takes a process whose main module has no file for a person at a prompt; workers are such.
    program = (
        "from crawler.backfill.engines import connected\n"
        f"with connected({str(tmp_path)!r}, {MEMORY}) as connection:\n"
        "    print(connection.sql(\"SELECT current_setting('enable_progress_bar')\").fetchall())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[(False,)]\n", "")
