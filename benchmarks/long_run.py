"""Measures whether a long run keeps its speed and its memory.

    python -m benchmarks.long_run [--documents N] [--text] [--workers N] [--recycle N] [--out FOLDER]

Pages of invented news (`benchmarks.newsroom`), no two alike, go through `crawler.runs.drive.drive` into a
SQLite file, 100,000 of them by default. Throughput and processor time of the first tenth are compared with
those of the last. The memory of the parent and of each worker is sampled twice a second and plotted, with a
line wherever a worker was replaced. The parent also makes the pages, in a millisecond each.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice, pairwise
from pathlib import Path

import psutil

from benchmarks import charts, machine
from benchmarks.newsroom import Newsroom
from crawler.runs import drive as run
from crawler.workers import WorkerPool
from pipeline.settings import Settings
from storage.database import open_database
from storage.writer import BatchCounts

SETTINGS = Settings()
DOCUMENTS = 100_000
LOOK_SECONDS = 0.5
# Seconds after the replacement of a worker in which a dip would show.
DIP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Look:
    """A sample of a run: seconds since its start, committed documents, processor seconds, megabytes held."""

    seconds: float
    documents: int
    processor: float
    parent: float
    workers: dict[int, float]


@dataclass(frozen=True, slots=True)
class Steady:
    """A run as a series of samples."""

    documents: int
    looks: tuple[Look, ...]

    def pace(self, begin: float, end: float) -> tuple[float, float]:
        """Documents a second and processor milliseconds a document, between two parts of the whole.

        Time begins when the first documents are done, because workers start before that. NaN if the run was
        so short that there is no sample in between.
        """
        first, last = (self._at(max(1, self.documents * part)) for part in (begin, end))
        done = last.documents - first.documents
        if not done:
            return math.nan, math.nan
        return (
            done / (last.seconds - first.seconds),
            (last.processor - first.processor) * 1000 / done,
        )

    def _at(self, documents: float) -> Look:
        """The first sample at which so many documents were done."""
        return next((look for look in self.looks if look.documents >= documents), self.looks[-1])

    @property
    def replaced(self) -> list[float]:
        """The times at which workers that replace others were first seen."""
        known = {pid for look in self.looks if look.documents == 0 for pid in look.workers}
        moments = []
        for look in self.looks:
            if new := look.workers.keys() - known:
                moments += [look.seconds] * (len(new) if known else 0)
                known |= new
        return moments

    def around_replacements(self) -> tuple[float, float] | None:
        """Median documents a second while a worker was replaced, and otherwise; None without samples."""
        near: list[float] = []
        far: list[float] = []
        step = max(1, round(DIP_SECONDS / LOOK_SECONDS))
        for first, last in zip(self.looks[::step], self.looks[step::step], strict=False):
            is_near = any(first.seconds <= at <= last.seconds for at in self.replaced)
            pace = (last.documents - first.documents) / (last.seconds - first.seconds)
            (near if is_near else far).append(pace)
        return (statistics.median(near), statistics.median(far)) if near and far else None


def measure(documents: int, workers: int, recycle: int | None = None, *, text: bool = False) -> Steady:
    """Measure a run over so many pages, or plain texts. recycle: a worker is replaced after so many."""
    looks: list[Look] = []
    with tempfile.TemporaryDirectory() as folder, _recycling(recycle):
        engine = open_database(f"sqlite:///{folder}/steady.db")
        newsroom = Newsroom()
        source = islice(newsroom.texts() if text else newsroom.documents(), documents)
        progress = _Progress()
        with _looking(progress, looks):
            run.drive(engine, source, workers=workers, settings=SETTINGS, command="steady", progress=progress)
        engine.dispose()
    return Steady(documents, tuple(looks))


class _Progress:
    def __init__(self) -> None:
        self.documents = 0

    def advance(self, counts: BatchCounts) -> None:
        self.documents = counts.seen

    def total(self, documents: int) -> None:
        pass


@contextmanager
def _recycling(documents: int | None) -> Iterator[None]:
    """While it lasts, runs replace a worker after so many documents."""
    if documents is None:
        yield
        return
    names = vars(run)
    names["WorkerPool"] = partial(names["WorkerPool"], max_tasks=documents)
    try:
        yield
    finally:
        names["WorkerPool"] = WorkerPool


@contextmanager
def _looking(progress: _Progress, looks: list[Look]) -> Iterator[None]:
    ended = threading.Event()
    began, before = time.perf_counter(), machine.usage()

    def look() -> None:
        own = psutil.Process()
        direct = {child.pid for child in own.children()}
        pids = [child.pid for child in own.children(recursive=True) if child.pid not in direct]
        held = machine.resident([own.pid, *pids])
        parent = held.pop(own.pid)
        spent = (machine.usage() - before).whole
        looks.append(Look(time.perf_counter() - began, progress.documents, spent, parent, held))

    def keep_looking() -> None:
        while not ended.wait(LOOK_SECONDS):
            look()

    thread = threading.Thread(target=keep_looking, name="steady-look", daemon=True)
    look()
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        look()


def as_markdown(steady: Steady) -> str:
    rows = [("throughput, documents/s", 0, 1), ("processor time, ms a document", 1, 2)]
    lines = ["| | first tenth | last tenth | last by first |", "|---|---|---|---|"]
    first, last = steady.pace(0.0, 0.1), steady.pace(0.9, 1.0)
    for name, which, digits in rows:
        a, b = first[which], last[which]
        lines.append(f"| {name} | {a:.{digits}f} | {b:.{digits}f} | {b / a:.3f} |")
    tenth = steady._at(steady.documents / 10)
    half = [look for look in steady.looks if look.documents >= steady.documents / 2]
    early = [look for look in steady.looks if tenth.documents <= look.documents < steady.documents / 2]
    for name, of in (("parent", _parent), ("largest worker", _largest)):
        a, b = max(map(of, early or half)), max(map(of, half))
        lines.append(
            f"| memory of the {name}, MB (second to fifth tenth, then the second half) | {a:.0f} | {b:.0f}"
            f" | {b / a if a else math.nan:.3f} |"
        )
    lines += ["", f"{steady.documents:,} documents; {len(steady.replaced)} workers were replaced."]
    if dip := steady.around_replacements():
        near, far = dip
        lines[-1] += f" While one was, {near:.1f} documents/s were done, at other times {far:.1f} (medians)."
    return "\n".join(lines)


def _parent(look: Look) -> float:
    return look.parent


def _largest(look: Look) -> float:
    return max(look.workers.values(), default=0.0)


def draw(steady: Steady, folder: Path) -> None:
    """Write memory.png and throughput.png."""
    seconds = [look.seconds for look in steady.looks]
    memory = {
        "parent": (seconds, [look.parent for look in steady.looks]),
        "largest worker": (seconds, [_largest(look) for look in steady.looks]),
        "all workers": (seconds, [sum(look.workers.values()) for look in steady.looks]),
    }
    charts.lines(
        f"Memory while {steady.documents:,} documents are taken in (dotted: a worker is replaced)",
        "seconds",
        "MB held",
        memory,
        folder / "memory.png",
        marks=steady.replaced,
    )
    step = max(1, len(steady.looks) // 100)
    some = steady.looks[::step]
    done = [float(last.documents) for last in some[1:]]
    paces = [
        (last.documents - first.documents) / (last.seconds - first.seconds) for first, last in pairwise(some)
    ]
    charts.lines(
        "Throughput as a run goes on",
        "documents",
        "documents/s",
        {"documents/s": (done, paces)},
        folder / "throughput.png",
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--text", action="store_true", help="stories as plain text, in a fifth of the time")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--recycle", type=int, metavar="N", help="replace a worker after N documents")
    parser.add_argument("--out", type=Path, help="folder for steady.json and the plots")
    options = parser.parse_args(arguments)
    steady = measure(options.documents, options.workers, options.recycle, text=options.text)
    print(as_markdown(steady))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "steady.json").write_text(json.dumps(asdict(steady)))
        draw(steady, options.out)


if __name__ == "__main__":
    main()
