"""Measures pages a second by number of workers, and the parent's share of the processor time.

    python -m benchmarks.scaling CORPORA [--only NAME…] [--sample N] [--rounds N] [--workers N…] [--out F]

Pages in memory go through `crawler.runs.drive.drive` into a SQLite file, as in `copydesk ingest` after they
are read. The numbers of workers take turns. Elapsed time is measured, from the first page to the last commit.
On a machine that has other work, only the parent's share and the processor time are meaningful.

For comparison, independent processes measure what the machine itself can do: each processes its part of the
same pages, without a parent and without storing. Cores share memory and caches, and virtual cores may share a
core, so two of them may do less than twice the work of one.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import charts, machine, pages
from benchmarks.medians import Spread, spread
from crawler.runs.drive import drive
from pipeline.document import Document
from pipeline.process import process_document
from pipeline.settings import Settings
from storage.database import open_database

SETTINGS = Settings()
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Turn:
    """One run: elapsed seconds, and processor time of parent and workers."""

    seconds: float
    usage: machine.Usage


@dataclass(frozen=True, slots=True)
class Scaling:
    """The runs with one number of workers."""

    workers: int
    documents: int
    turns: tuple[Turn, ...]

    @property
    def pace(self) -> Spread:
        """Pages a second."""
        return spread([self.documents / turn.seconds for turn in self.turns])

    @property
    def parent(self) -> Spread:
        """The parent's share of all processor time."""
        return spread([turn.usage.share for turn in self.turns])

    @property
    def milliseconds(self) -> Spread:
        """Processor time a page, of all processes."""
        return spread([turn.usage.whole * 1000 / self.documents for turn in self.turns])

    def times(self, one: Scaling) -> Spread:
        """The speed relative to one worker, turn by turn."""
        both = zip(self.turns, one.turns, strict=True)
        return spread([theirs.seconds / ours.seconds for ours, theirs in both])


def measure(documents: Sequence[Document], workers: Sequence[int], rounds: int = ROUNDS) -> list[Scaling]:
    """Runs with each number of workers, in turn. The very first run is left out: it fills the caches."""
    one_turn(documents[:16], max(workers))
    turns: dict[int, list[Turn]] = {number: [] for number in workers}
    for _ in range(rounds):
        for number in workers:
            turns[number].append(one_turn(documents, number))
    return [Scaling(number, len(documents), tuple(found)) for number, found in turns.items()]


def unaided(documents: Sequence[Document], workers: Sequence[int], rounds: int = ROUNDS) -> dict[int, Spread]:
    """The speed of so many independent processes relative to one: what the machine itself can do."""
    from pipeline.warm import warm_up

    warm_up()  # before the processes fork, so that they share what it loads
    seconds: dict[int, list[float]] = {number: [] for number in workers}
    for _ in range(rounds):
        for number in workers:
            seconds[number].append(_seconds([documents[n::number] for n in range(number)]))
    one = seconds[workers[0]]
    return {
        number: spread([first / own for first, own in zip(one, found, strict=True)])
        for number, found in seconds.items()
    }


def _seconds(parts: Sequence[Sequence[Document]]) -> float:
    """Elapsed seconds until a process for each part has done it."""
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_process_all, args=(part,)) for part in parts]
    began = time.perf_counter()
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return time.perf_counter() - began


def _process_all(documents: Sequence[Document]) -> None:
    for document in documents:
        process_document(document, SETTINGS)


def one_turn(documents: Sequence[Document], workers: int) -> Turn:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{folder}/scaling.db")
        before, began = machine.usage(), time.perf_counter()
        drive(engine, documents, workers=workers, settings=SETTINGS, command="scaling")
        seconds, after = time.perf_counter() - began, machine.usage()
        engine.dispose()
    return Turn(seconds, after - before)


def up_to(cores: int) -> list[int]:
    """1, 2, 4 … and the number of cores."""
    return sorted(
        {1, 2, cores, *(1 << n for n in range(cores.bit_length()))} & {*range(1, max(2, cores) + 1)}
    )


def as_markdown(found: Sequence[Scaling], machine_gives: Mapping[int, Spread]) -> str:
    lines = [
        "| workers | pages/s | times one worker | processes alone | parent's share | processor ms a page |",
        "|---|---|---|---|---|---|",
    ]
    for one in found:
        share = f"{one.parent.median:.1%} ({one.parent.least:.1%} to {one.parent.greatest:.1%})"
        lines.append(
            f"| {one.workers} | {one.pace.shown(1)} | {one.times(found[0]).shown()}"
            f" | {machine_gives[one.workers].shown()} | {share} | {one.milliseconds.shown(1)} |"
        )
    return "\n".join(lines)


def draw(found: Sequence[Scaling], corpus: str, path: Path) -> None:
    workers = [float(one.workers) for one in found]
    first = found[0].pace.median
    curves = {
        "measured": (workers, [one.pace.median for one in found]),
        "one worker, times their number": (workers, [first * number for number in workers]),
    }
    charts.lines(f"Scaling by workers, {corpus}", "workers", "pages/s", curves, path, marker="o")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = pages.arguments_of(__doc__, ROUNDS)
    parser.add_argument("--workers", type=int, nargs="*", help="default: 1, 2, 4 … up to the cores")
    parser.add_argument("--out", type=Path, help="folder for the plots")
    options = parser.parse_args(arguments)
    corpora = list(pages.corpora_with_pages(options.corpora, options.only))
    if not corpora:
        sys.exit(f"{options.corpora}: no such corpus with pages (see benchmarks/README.md)")
    for corpus in corpora:
        documents = pages.read_pages(corpus, options.sample)
        workers = options.workers or up_to(os.cpu_count() or 1)
        found = measure(documents, workers, options.rounds)
        alone = unaided(documents, workers, options.rounds)
        print(f"\n{corpus.name}: {len(documents)} pages\n\n{as_markdown(found, alone)}", flush=True)
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            draw(found, corpus.name, options.out / f"scaling-{corpus.name}.png")


if __name__ == "__main__":
    main()
