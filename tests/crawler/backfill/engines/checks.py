"""What both engines must do: run tasks once each, run again those that die, and exchange the same rows."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crawler.backfill import Folder
from crawler.backfill.engines import Engine, Silent, Stopped
from pipeline.errors import OperatorError
from tests.crawler.backfill.engines.squares import number_tasks, square

MakeEngine = Callable[..., Engine]
Check = Callable[[MakeEngine, Folder], None]


class Seen(Silent):
    """Notes what an engine shows."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int]] = []
        self.tasks = 0

    def stage(self, name: str, tasks: int) -> None:
        self.stages.append((name, tasks))

    def advance(self, tasks: int = 0, documents: int = 0) -> None:
        self.tasks += tasks


def squares(folder: Folder) -> dict[str, int]:
    return {path.stem: int(path.read_text()) for path in Path(folder.work("squares")).iterdir()}


def attempts(folder: Folder, name: str) -> int:
    return len(Path(folder.root, f"{name}.attempts").read_text().split())


def write(folder: Folder, dataset: str, **columns: Any) -> str:
    os.makedirs(folder.work(dataset), exist_ok=True)
    pq.write_table(pa.table(columns), os.path.join(folder.work(dataset), "a.parquet"))
    return folder.work(dataset)


def check_tasks_run_once_and_finished_ones_never_again(make: MakeEngine, folder: Folder) -> None:
    seen = Seen()
    os.makedirs(folder.root)
    tasks = number_tasks(folder, 5)
    tasks[1] = replace(tasks[1], deaths=2)
    make(progress=seen).tasks("square", tasks, square)
    assert squares(folder) == {"n0": 0, "n1": 1, "n2": 4, "n3": 9, "n4": 16}
    assert (attempts(folder, "n0"), attempts(folder, "n1")) == (1, 3)
    assert folder.counts("square") == {"squares": 5}
    assert (seen.stages, seen.tasks) == ([("square", 5)], 5)

    os.remove(tasks[3].done)
    make().tasks("square", tasks, square)
    assert [attempts(folder, task.name) for task in tasks] == [1, 3, 1, 2, 1]


def check_an_error_of_ours_is_said_in_one_line(make: MakeEngine, folder: Folder) -> None:
    os.makedirs(folder.root)
    tasks = number_tasks(folder, 2)
    tasks[1] = replace(tasks[1], error="s3://bucket/a: access denied")
    with pytest.raises(OperatorError) as raised:
        make().tasks("square", tasks, square)
    assert str(raised.value) == "s3://bucket/a: access denied"


def check_an_exchange_brings_rows_of_a_bucket_together(make: MakeEngine, folder: Folder) -> None:
    numbers = write(folder, "numbers", n=list(range(-500, 500)), text=["x"] * 1000, body=[b"\0\xff"] * 1000)
    out = folder.work("exchanged")
    sql = (
        "SELECT numbers.n, numbers.text, numbers.body, CAST(abs(numbers.n % 3) AS INT) AS bucket FROM numbers"
    )
    make().exchange("by three", sql, {"numbers": numbers}, out, by_bucket=True)
    found: dict[str, list[int]] = {}
    for path in sorted(Path(out).rglob("*")):
        if path.is_file():
            table = pq.read_table(path, partitioning=None)
            assert table.column_names == ["n", "text", "body"]
            found.setdefault(path.parent.name, []).extend(table["n"].to_pylist())
            assert table["body"].to_pylist() == [b"\0\xff"] * table.num_rows
    assert {name: sorted(values) for name, values in found.items()} == {
        f"bucket={k}": [n for n in range(-500, 500) if abs(n) % 3 == k] for k in range(3)
    }

    # What it wrote can be read by the next exchange, with the bucket as a column.
    total = folder.work("total")
    sql = "SELECT sum(e.n) AS total, e.bucket AS of_bucket FROM exchanged e GROUP BY e.bucket"
    make().exchange("sum", sql, {"exchanged": out}, total, by_bucket=False)
    table = pa.concat_tables(pq.read_table(path) for path in Path(total).glob("*.parquet"))
    assert sorted(zip(*(table[name].to_pylist() for name in ("of_bucket", "total")), strict=True)) == [
        (0, 0),
        (1, sum(n for n in range(-500, 500) if abs(n) % 3 == 1)),
        (2, sum(n for n in range(-500, 500) if abs(n) % 3 == 2)),
    ]


def check_an_exchange_without_rows_can_be_read_by_the_next(make: MakeEngine, folder: Folder) -> None:
    numbers = write(folder, "numbers", n=[1, 2])
    none, count = folder.work("none"), folder.work("count")
    sql = "SELECT numbers.n, CAST(numbers.n AS INT) AS bucket FROM numbers WHERE numbers.n > 2"
    make().exchange("none", sql, {"numbers": numbers}, none, by_bucket=True)
    sql = "SELECT count(*) AS rows_, max(none.bucket) AS most FROM none"
    make().exchange("count", sql, {"none": none}, count, by_bucket=False)
    table = pa.concat_tables(pq.read_table(path) for path in Path(count).glob("*.parquet"))
    assert table.to_pylist() == [{"rows_": 0, "most": None}]


def check_an_exchange_is_done_once(make: MakeEngine, folder: Folder) -> None:
    numbers = write(folder, "numbers", n=[1])
    make().exchange("copy", "SELECT n FROM numbers", {"numbers": numbers}, folder.work("a"), by_bucket=False)
    # Nothing is read a second time, so the query may be wrong.
    make().exchange("copy", "SELECT m FROM numbers", {"numbers": numbers}, folder.work("a"), by_bucket=False)
    assert os.listdir(folder.temporary) == []


def check_a_signal_ends_tasks_and_exchanges(make: MakeEngine, folder: Folder) -> None:
    os.makedirs(folder.root)
    numbers = write(folder, "numbers", n=list(range(500)))
    stopped = make(is_stopped=lambda: True)
    with pytest.raises(Stopped):
        stopped.tasks("square", number_tasks(folder, 2), square)
    sql = "SELECT count(*) AS n FROM numbers a, numbers b, numbers c WHERE a.n + b.n + c.n = 7"
    with pytest.raises(Stopped):
        stopped.exchange("cube", sql, {"numbers": numbers}, folder.work("cube"), by_bucket=False)
    assert not os.path.exists(folder.work("cube"))


CHECKS: list[Check] = [
    check_tasks_run_once_and_finished_ones_never_again,
    check_an_error_of_ours_is_said_in_one_line,
    check_an_exchange_brings_rows_of_a_bucket_together,
    check_an_exchange_without_rows_can_be_read_by_the_next,
    check_an_exchange_is_done_once,
    check_a_signal_ends_tasks_and_exchanges,
]
