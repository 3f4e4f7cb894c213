"""Measures a backfill, stage by stage, beside an ingest of the same documents, and the load of what it made.

    python -m benchmarks.backfill [--documents 1000 10000] [--texts] [--database URL] [--workers N]

For each number of documents, invented pages (`benchmarks.newsroom`) go through `copydesk ingest` into SQLite,
through `copydesk backfill` on this machine, and from its folder through `copydesk load`: in bulk, and
one outcome after another as it merges into a database with articles, which is the writer of an ingest without
anything else. All is processor time of this process and its children, and on PostgreSQL of nothing else, so
there the seconds of the clock count. Every public view of the loaded database is compared with that of the
ingested one.

--texts: records of plain text in place of pages; extraction costs little then, and 100,000 take an hour. With
two numbers or more it says how each stage grows: with which power of the number of documents.
`python -m benchmarks.made_bands` measures neighbours of millions of articles.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from benchmarks import machine
from benchmarks.compare_rows import compare, read
from benchmarks.newsroom import Newsroom
from crawler.backfill import Folder, backfill, find_parts
from crawler.backfill.engines import AnyTask, Engine, LocalEngine
from crawler.runs import ingest
from pipeline.settings import Settings
from storage.bulk import load, plan_load
from storage.database import open_database

# Rows of a bucket, as the command has it, and what sorting may use.
ROWS, MEMORY = 20_000, 1 << 30

# Why columns of views differ between an ingest and a load (docs/how-to/backfill.md).
_MAY_DIFFER = {
    ("changes", "change"): "numbered in the order of ids",
    ("changes", "at"): "the clock",
    ("runs", "command"): "another command",
    ("runs", "started_at"): "the clock",
    ("runs", "finished_at"): "the clock",
    ("runs", "grouped"): "counted by batch",
}


@dataclass(slots=True)
class Stage:
    """What a stage took. seconds: of processor time. exchanged: bytes of Parquet that an exchange wrote."""

    name: str
    seconds: float = 0.0
    exchanged: int = 0


@dataclass(slots=True)
class Measured:
    """What so many documents took. ingest, load, merge: seconds of processor time. wall: of load, merge.

    rows: that load wrote. unequal: views that differ.
    """

    documents: int
    ingest: float
    stages: dict[str, Stage] = field(default_factory=dict)
    load: float = 0.0
    merge: float = 0.0
    load_wall: float = 0.0
    merge_wall: float = 0.0
    rows: int = 0
    unequal: list[str] = field(default_factory=list)

    def seconds(self, *names: str) -> float:
        """Of the stages whose names begin so; of all, if none is named."""
        return sum(s.seconds for s in self.stages.values() if not names or s.name.startswith(names))


class _Watching:
    """An engine that notes what each stage takes."""

    def __init__(self, engine: Engine, stages: dict[str, Stage]) -> None:
        self._engine = engine
        self._stages = stages

    def tasks(
        self,
        stage: str,
        tasks: Sequence[AnyTask],
        function: Callable[[AnyTask], None],
        *,
        has_workers: bool = False,
    ) -> None:
        with self._noting(stage):
            self._engine.tasks(stage, tasks, function, has_workers=has_workers)

    def exchange(self, stage: str, sql: str, inputs: Mapping[str, str], out: str, *, by_bucket: bool) -> None:
        with self._noting(stage) as noted:
            self._engine.exchange(stage, sql, inputs, out, by_bucket=by_bucket)
            noted.exchanged += sum(path.stat().st_size for path in Path(out).rglob("*.parquet"))

    def report(self) -> Callable[[int], None] | None:
        return self._engine.report()

    @contextmanager
    def _noting(self, name: str) -> Iterator[Stage]:
        noted = self._stages.setdefault(name, Stage(name))
        before = machine.usage().whole
        yield noted
        noted.seconds += machine.usage().whole - before


def measure(documents: int, folder: Path, *, workers: int, texts: bool, database: str | None) -> Measured:
    """database: an empty PostgreSQL database to load into, which is not emptied; a SQLite file for None."""
    inputs, settings = [str(folder / "news")], Settings()
    _write(documents, folder / "news", texts)
    wanted, made = f"sqlite:///{folder / 'ingested.db'}", database or f"sqlite:///{folder / 'loaded.db'}"
    ingested = open_database(wanted)
    spent, _ = _spent(lambda: ingest(ingested, inputs, workers=workers, settings=settings))
    found = Measured(documents, spent)
    ingested.dispose()
    out = Folder(str(folder / "out"))
    with out.locked(), LocalEngine(out, workers=workers, memory_bytes=MEMORY) as local:
        backfill(
            _Watching(local, found.stages),
            out,
            find_parts(inputs, settings),
            settings,
            workers=workers,
            rows_per_bucket=ROWS,
            task_memory=MEMORY // workers,
        )
    loaded = open_database(made)
    plan = plan_load(loaded, folder / "out", settings)
    found.rows = plan.total
    found.load, found.load_wall = _spent(lambda: load(loaded, plan, settings))
    merged = open_database(f"sqlite:///{folder / 'merged.db'}")
    merging = replace(plan_load(merged, folder / "out", settings), merges=True)
    found.merge, found.merge_wall = _spent(lambda: load(merged, merging, settings))
    loaded.dispose()
    merged.dispose()
    same = compare(read(wanted), read(made), _MAY_DIFFER)
    found.unequal = [*same.faults, *(name for name, view in same.views.items() if view.differences)]
    return found


def _spent(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of processor time, and of the clock."""
    before, start = machine.usage().whole, time.perf_counter()
    work()
    return machine.usage().whole - before, time.perf_counter() - start


def _write(documents: int, folder: Path, texts: bool) -> None:
    """JSON Lines, in files of a thousand."""
    folder.mkdir()
    news = Newsroom()
    stream = iter(news.texts() if texts else news.documents())
    for start in range(0, documents, 1000):
        with (folder / f"{start:09}.jsonl").open("w", encoding="utf-8") as file:
            for one in islice(stream, min(1000, documents - start)):
                body = one.body.decode()
                content = {"text": body} if texts else {"html": body}
                published = {"published_at": one.claims.published_at} if texts else {}
                title = {"title": body.split("\n")[0][:60]} if texts else {}
                fetched = datetime(2026, 7, 1, tzinfo=UTC).isoformat()
                record = {"url": one.url, "fetched_at": fetched, **title, **published, **content}
                file.write(json.dumps(record) + "\n")


def show(points: Sequence[Measured], workers: int) -> Iterator[str]:
    yield "| | " + " | ".join(f"{point.documents:,} documents" for point in points) + " | grows with |"
    yield "|---|" + "---|" * (len(points) + 1)

    def line(name: str, values: Sequence[float], form: str = ",.1f", power: bool = False) -> str:
        grows = _power(points, values) if power else ""
        return f"| {name} | " + " | ".join(f"{value:{form}}" for value in values) + f" | {grows} |"

    yield line("ingest, documents a core-second", [p.documents / p.ingest for p in points])
    yield line("backfill, documents a core-second", [p.documents / p.seconds() for p in points])
    yield line("backfill beside ingest", [p.ingest / p.seconds() for p in points], ",.2f")
    yield line("extraction, documents a core-second", [p.documents / p.seconds("process") for p in points])
    for name in dict.fromkeys(name for point in points for name in point.stages):
        seconds = [p.stages[name].seconds for p in points if name in p.stages]
        yield line(
            f"`{name}`, milliseconds a document",
            [1000 * s / p.documents for s, p in zip(seconds, points, strict=True)],
            ",.3f",
            power=True,
        )
    for name in dict.fromkeys(name for point in points for name in point.stages):
        sizes = [p.stages[name].exchanged for p in points if name in p.stages]
        if any(sizes):
            yield line(
                f"`{name}`, bytes a document",
                [size / p.documents for size, p in zip(sizes, points, strict=True)],
                ",.0f",
            )
    yield line("load, rows a second (clock)", [p.rows / p.load_wall for p in points], ",.0f")
    yield line("load, milliseconds a document", [1000 * p.load / p.documents for p in points], ",.2f")
    yield line("the writer, milliseconds a document", [1000 * p.merge / p.documents for p in points], ",.2f")
    yield line("load beside the writer, processor", [p.merge / p.load for p in points])
    yield line("load beside the writer, clock", [p.merge_wall / p.load_wall for p in points])
    for point in points:
        same = "; ".join(point.unequal) or "every public view is that of the ingest"
        yield f"\n{point.documents:,} documents, {workers} workers: {same}."


def _power(points: Sequence[Measured], values: Sequence[float]) -> str:
    """The power of the number of documents with which the whole cost grows, between the ends."""
    first, last = points[0], points[-1]
    costs = values[0] * first.documents, values[-1] * last.documents
    if first.documents == last.documents or min(costs) <= 0:
        return ""
    return f"n^{math.log(costs[1] / costs[0]) / math.log(last.documents / first.documents):.2f}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.backfill",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--documents", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--texts", action="store_true")
    parser.add_argument("--database", help="an empty PostgreSQL database, for one number of documents")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    print("\n".join(machine.described()), end="\n\n")
    points = []
    for documents in sorted(options.documents):
        folder = Path(tempfile.mkdtemp(prefix="copydesk-backfill-"))
        try:
            points.append(
                measure(
                    documents,
                    folder,
                    workers=options.workers,
                    texts=options.texts,
                    database=options.database,
                )
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(show(points, options.workers)))


if __name__ == "__main__":
    main()
