"""Parts are processed in workers that a page may kill; what is repeated at one location is linked."""

from __future__ import annotations

import json
import os
import warnings
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from crawler.backfill import Folder, find_parts
from crawler.backfill.engines import Engine, LocalEngine
from crawler.backfill.pools import drop_pools, worker_pool
from crawler.backfill.stages import process_part, process_tasks
from crawler.workers import process_document
from pipeline.batch import shard_of
from pipeline.settings import Settings
from tests.crawler import misbehaving

SETTINGS = Settings(timeout_seconds=2.5)
ORDERS = ("length", "kill", "length", "hang", "crash", "length")


def rows(folder: Folder, name: str) -> list[dict[str, Any]]:
    found = [pq.read_table(path).to_pylist() for path in sorted(Path(folder.path(name)).glob("*.parquet"))]
    return [row for part in found for row in part]


def test_a_page_that_hangs_or_kills_its_process_costs_itself(tmp_path: Path) -> None:
    check_bad_pages(lambda folder: LocalEngine(folder, workers=2, memory_bytes=256 << 20), tmp_path)


def check_bad_pages(make_engine: Callable[[Folder], Engine], tmp_path: Path) -> None:
    """Each document that hangs or kills its worker is a rejection, and no other."""
    lines = [json.dumps({"text": order, "url": f"https://a.example/{n}"}) for n, order in enumerate(ORDERS)]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines))
    folder = Folder(str(tmp_path / "out"))
    tasks = process_tasks(folder, find_parts([str(path)], SETTINGS))
    function = partial(process_part, folder=folder, settings=SETTINGS, workers=1, process=misbehaving.process)
    make_engine(folder).tasks("process", tasks, function, has_workers=True)
    ends = [(row["location"].rpartition("#")[2], row["reason"]) for row in rows(folder, "outcomes")]
    expected = {"kill": "worker died", "hang": "timeout", "crash": "worker died", "length": "no article"}
    assert ends == [(str(n), expected[order]) for n, order in enumerate(ORDERS, 1)]
    # Who cost a worker is kept with its page, to be tried again by later rules.
    assert [row["sequence"] for row in rows(folder, "pages")] == [1, 3, 4]
    counts = folder.counts("process")
    assert counts.pop("bytes") > 0
    assert counts == {"outcomes": 6, "rejections": 6, "faults": 0}


def test_workers_outlive_a_task() -> None:
    try:
        pool = worker_pool(SETTINGS, 1, process_document)
        assert worker_pool(SETTINGS, 1, process_document) is pool
        assert worker_pool(SETTINGS, 1, misbehaving.process) is not pool
    finally:
        drop_pools()


def test_outcomes_at_one_location_are_linked(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore", UserWarning)
        for number in range(2):
            link = f'<link rel="canonical" href="https://a.example/{number}">'
            text = (
                f"The council met for the {number + 5}th time, and it was decided to build the bridge. " * 9
            )
            archive.writestr("page.html", f"<html><head>{link}</head><body><p>{text}</p></body></html>")
    folder = Folder(str(tmp_path / "out"))
    (task,) = process_tasks(folder, find_parts([str(path)], Settings()))
    try:
        process_part(task, folder=folder, settings=Settings(), workers=1)
    finally:
        drop_pools()
    outcomes = rows(folder, "outcomes")
    assert [row["url"] for row in outcomes] == ["https://a.example/0", "https://a.example/1"]
    shards = sorted(shard_of(row["url"]) for row in outcomes)
    assert rows(folder, "work/links") == [{"shard": shards[0], "other": shards[1]}]
    assert os.listdir(folder.temporary) == []
