"""Measures texts a second from JSON Lines to committed rows, and in datasketch's loop in memory.

    python -m benchmarks.text_ingest CORPORA [--only NAME…] [--rounds N] [--workers N…]

Every corpus with `documents.jsonl` (or .gz) goes through `crawler.runs.ingest.ingest`, which is all that
`copydesk ingest` does with it: reading, cleaning, language, fingerprint, pages, search index, groups, into a
SQLite file. The loop has the same texts in memory; it makes their list of shingles, calls update_batch, query
and insert, and writes nothing. All take turns. Elapsed time is meaningful if the machine is idle; otherwise
compare the processor time of a document. "At best" is the ratio on idle cores, if each worker and the parent
had a core of its own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.extraction import FETCHED_AT
from benchmarks.grouping import datasketch_lsh
from benchmarks.medians import Spread, spread
from benchmarks.writer_capacity import corpora, read_corpus
from crawler.runs.ingest import ingest
from pipeline.copies import ArticleCopy
from pipeline.settings import Settings
from storage.database import open_database

ROUNDS = 5
FILES = ("documents.jsonl", "documents.jsonl.gz")


@dataclass(frozen=True, slots=True)
class Turn:
    """Elapsed seconds, and processor time of this process and of its workers."""

    wall: float
    own: float
    others: float = 0.0


@dataclass(frozen=True, slots=True)
class TextIn:
    """The runs with one number of workers, and the runs of the loop between them."""

    workers: int
    documents: int
    ours: tuple[Turn, ...]
    theirs: tuple[Turn, ...]

    @property
    def pace(self) -> Spread:
        """Documents a second by the clock."""
        return spread([self.documents / turn.wall for turn in self.ours])

    @property
    def ratio(self) -> Spread:
        """The speed relative to the loop, by elapsed time."""
        both = zip(self.ours, self.theirs, strict=True)
        return spread([loop.wall / turn.wall for turn, loop in both])

    @property
    def milliseconds(self) -> tuple[Spread, Spread, Spread]:
        """Processor time a document: of the parent, of all workers, of the loop."""
        each = 1000 / self.documents
        return (
            spread([turn.own * each for turn in self.ours]),
            spread([turn.others * each for turn in self.ours]),
            spread([turn.own * each for turn in self.theirs]),
        )

    @property
    def at_best(self) -> float:
        """The speed relative to the loop if parent and workers have a core each."""
        parent, workers, loop = (time.median for time in self.milliseconds)
        return loop / max(parent, workers / self.workers)


def measure(path: Path, workers: Sequence[int], rounds: int = ROUNDS) -> list[TextIn]:
    """Runs with each number of workers and the loop, in turn. The very first run is left out."""
    texts = [
        ArticleCopy(number, "", "", document.body.decode("utf-8", "replace"), FETCHED_AT)
        for number, document in enumerate(read_corpus(path.parent))
    ]
    loop = datasketch_lsh(Settings().fingerprint.shingle_words, 0.5)
    theirs: list[Turn] = []
    ours: dict[int, list[Turn]] = {number: [] for number in workers}
    ours_once(path, max(workers))
    for _ in range(rounds):
        began, began_used = time.perf_counter(), time.process_time()
        loop(texts)
        theirs.append(Turn(time.perf_counter() - began, time.process_time() - began_used))
        for number in workers:
            ours[number].append(ours_once(path, number))
    return [TextIn(n, len(texts), tuple(turns), tuple(theirs)) for n, turns in ours.items()]


def ours_once(path: Path, workers: int) -> Turn:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{folder}/text.db")
        before, began = machine.usage(), time.perf_counter()
        ingest(engine, [str(path)], workers=workers, settings=Settings())
        wall, used = time.perf_counter() - began, machine.usage() - before
        engine.dispose()
    return Turn(wall, used.own, used.others)


def as_markdown(found: Sequence[TextIn]) -> str:
    lines = [
        "| workers | documents/s | to the loop's | parent, ms | workers, ms | loop, ms | at best, to it |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in found:
        parent, workers, loop = one.milliseconds
        cells = (one.pace.shown(0), one.ratio.shown(), parent.shown(), workers.shown(), loop.shown())
        lines.append(f"| {one.workers} | {' | '.join(cells)} | {one.at_best:.2f} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path, help="folder of corpora")
    parser.add_argument("--only", nargs="*", default=(), help="names of corpora, default all of texts")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--workers", type=int, nargs="*", default=(1, 2))
    options = parser.parse_args(arguments)
    paths = [
        corpus / name
        for corpus in corpora(options.corpora, options.only)
        for name in FILES
        if (corpus / name).exists()
    ]
    if not paths:
        sys.exit(f"{options.corpora}: no corpus with documents.jsonl (see benchmarks/README.md)")
    for path in paths:
        found = measure(path, options.workers, options.rounds)
        print(f"\n{path.parent.name}: {found[0].documents} texts\n\n{as_markdown(found)}", flush=True)


if __name__ == "__main__":
    main()
