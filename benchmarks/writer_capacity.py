"""Measures how many workers one writer keeps up with. The workers replay outcomes from before.

    python -m benchmarks.writer_capacity CORPORA [--only NAME…] [--sample N] [--rounds N] [--workers N]

Every document is first processed once in this process, which gives the processor time that a worker needs for
it. Then there are runs like those of `copydesk ingest`, into a SQLite file, with workers that only return the
outcome, which is sent to them in the place of the document's body. The processor time of this process in such
a run, in all threads, is the work of the parent: feed, receive, hash, look up, group, write, commit. The time
of extraction by that of the parent is the number of workers that it keeps up with. The database is empty at
first.

Corpora with pages are read as pages; one with `documents.jsonl` (or .gz) as JSON Lines.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import machine, pages
from benchmarks.medians import Spread, spread
from crawler.files.paths import read_paths
from crawler.runs.drive import drive
from pipeline.document import Document, Outcome
from pipeline.process import process_document
from pipeline.settings import Settings
from storage.database import Engine, open_database
from storage.writer import BatchCounts, write_batch

ROUNDS = 5
# Short runs would measure how a run begins and ends.
WARM = 64


@dataclass(frozen=True, slots=True)
class Replay:
    """Processor time in milliseconds a document: of extraction in a worker, of the parent, of its writing."""

    documents: int
    extraction: float
    parent: Spread
    writing: Spread

    @property
    def workers(self) -> Spread:
        """The number of workers that keep the parent busy."""
        parent = self.parent
        return Spread(*(self.extraction / time for time in (parent.median, parent.greatest, parent.least)))

    @property
    def pace(self) -> float:
        """The most documents a second that the parent can take."""
        return 1000 / self.parent.median

    @property
    def share(self) -> float:
        """The parent's share of a run's processor time, which is the same with any number of workers."""
        return self.parent.median / (self.parent.median + self.extraction)


def replayed(document: Document, settings: Settings) -> Outcome:
    """The function of a replaying worker: the document's body is its outcome."""
    del settings
    outcome: Outcome = pickle.loads(document.body)
    return outcome


def measure(documents: Sequence[Document], rounds: int = ROUNDS, workers: int = 2) -> Replay:
    settings = Settings()
    for document in documents[:WARM]:
        process_document(document, settings)
    began = time.process_time()
    outcomes = [process_document(document, settings) for document in documents]
    extraction = (time.process_time() - began) * 1000 / len(documents)
    tape = [_recorded(d, outcome) for d, outcome in zip(documents, outcomes, strict=True)]
    _turn(tape[:WARM], settings, workers)
    turns = [_turn(tape, settings, workers) for _ in range(rounds)]
    parent, writing = (spread([turn[n] * 1000 / len(tape) for turn in turns]) for n in (0, 1))
    return Replay(len(tape), extraction, parent, writing)


def _recorded(document: Document, outcome: Outcome) -> Document:
    """The document with its outcome as its body, padded to the same length, because sending it costs too."""
    body = pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)
    return replace(document, body=body + bytes(max(0, len(document.body) - len(body))))


def _turn(tape: Sequence[Document], settings: Settings, workers: int) -> tuple[float, float]:
    """Processor seconds of this process in one run, and those of writing."""
    spent = 0.0

    def write(engine: Engine, run_id: int, outcomes: Sequence[Outcome], settings: Settings) -> BatchCounts:
        nonlocal spent
        began = time.thread_time()
        counts = write_batch(engine, run_id, outcomes, settings)
        spent += time.thread_time() - began
        return counts

    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{folder}/replay.db")
        before = machine.usage()
        drive(
            engine, tape, workers=workers, settings=settings, command="replay", process=replayed, write=write
        )
        own = (machine.usage() - before).own
        engine.dispose()
    return own, spent


def read_corpus(corpus: Path, step: int = 1) -> list[Document]:
    """Every `step`-th document of a corpus: of its JSON Lines, or its pages."""
    for name in ("documents.jsonl", "documents.jsonl.gz"):
        if (corpus / name).exists():
            items = read_paths([str(corpus / name)], Settings())
            return [item for item in items if isinstance(item, Document)][::step]
    return pages.read_pages(corpus, step)


def corpora(folder: Path, only: Sequence[str] = ()) -> list[Path]:
    """Corpora with pages or JSON Lines, in order of name."""
    with_pages = set(pages.corpora_with_pages(folder, only))
    with_text = {path.parent for path in folder.glob("*/documents.jsonl*")}
    return sorted(with_pages | {path for path in with_text if not only or path.name in only})


COLUMNS = (
    "corpus",
    "documents",
    "extraction, ms",
    "parent, ms",
    "of it writing, ms",
    "documents/s it takes",
    "workers it keeps up with",
    "its share of a run",
)


def as_row(name: str, found: Replay) -> str:
    cells = (
        name,
        str(found.documents),
        f"{found.extraction:.2f}",
        found.parent.shown(),
        found.writing.shown(),
        f"{found.pace:.0f}",
        found.workers.shown(1),
        f"{found.share:.1%}",
    )
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path, help="folder of corpora")
    parser.add_argument("--only", nargs="*", default=(), help="names of corpora, default all")
    parser.add_argument("--sample", type=int, default=1, help="every Nth document only")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--workers", type=int, default=2, help="that replay")
    options = parser.parse_args(arguments)
    wanted = corpora(options.corpora, options.only)
    if not wanted:
        sys.exit(f"{options.corpora}: no such corpus (see benchmarks/README.md)")
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    for corpus in wanted:
        found = measure(read_corpus(corpus, options.sample), options.rounds, options.workers)
        print(as_row(corpus.name, found), flush=True)


if __name__ == "__main__":
    # Workers get `replayed` by its name, and `__main__` is another module there.
    from benchmarks import writer_capacity

    writer_capacity.main()
