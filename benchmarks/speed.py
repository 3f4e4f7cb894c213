"""Measures pages a second on one core, of the whole path and of Trafilatura alone, and a profile by stage.

    python -m benchmarks.speed CORPORA [--only NAME…] [--sample N] [--rounds N] [--alone] [--out FOLDER]

Ours is a page's whole path: `process_documents` from bytes to outcomes, with as many pages at a time as a
worker gets when many wait (`--alone`: one at a time, as in a crawl that waits for its sites), and
`write_batch` of each 256 to a SQLite file. Theirs is `trafilatura.bare_extraction(html, url=…,
with_metadata=True, include_comments=False)` on decoded text, whatever the result. A round runs both over all
pages of a corpus, message by message in turn. At any time the two are in different halves of the corpus, so
that neither finds a page in the caches. Each round runs in a forked process, which is as warm as a worker: it
has processed the pages of the tests, but none of the corpus. Seconds are processor time.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import trafilatura

from benchmarks import charts, pages
from benchmarks.medians import Spread, spread
from benchmarks.own_process import apart
from benchmarks.repository import article_pages
from benchmarks.stages import REST, STAGES, Spent, timed
from crawler.runs.drive import BATCH_SIZE
from crawler.workers.pool import MESSAGE_BYTES, MESSAGE_DOCUMENTS
from pipeline import process
from pipeline.document import Article, Document, Outcome
from pipeline.page.decode import decode_body
from pipeline.settings import Settings
from storage import writer
from storage.database import open_database

SETTINGS = Settings()
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of processor time of one round over a corpus; `failed`: pages on which Trafilatura failed."""

    ours: float
    storing: float
    theirs: float
    articles: int
    failed: int

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours


@dataclass(frozen=True, slots=True)
class Speed:
    """Rounds over one corpus, and our time by stage."""

    corpus: str
    documents: int
    size: int
    rounds: tuple[Round, ...]
    profile: Spent

    @property
    def ratio(self) -> Spread:
        return spread([turn.ratio for turn in self.rounds])

    @property
    def ours(self) -> Spread:
        return spread([self.documents / turn.ours for turn in self.rounds])

    @property
    def theirs(self) -> Spread:
        return spread([self.documents / turn.theirs for turn in self.rounds])

    @property
    def milliseconds(self) -> dict[str, float]:
        """The time of each stage for a page."""
        return {name: self.profile.seconds[name] * 1000 / self.documents for name in (*STAGES, REST)}


def measure(
    corpus: str, documents: Sequence[Document], rounds: int = ROUNDS, most: int = MESSAGE_DOCUMENTS
) -> Speed:
    """Run rounds over some pages, at most so many at a time; raises `benchmarks.stages.StageGone`."""
    _warm_up()
    htmls = [decode_body(document.body, document.encoding, document.media_type) for document in documents]
    found = tuple(apart(one_round, documents, htmls, most) for _ in range(rounds))
    size = sum(len(document.body) for document in documents)
    return Speed(corpus, len(documents), size, found, apart(profiled, documents, most))


def messages(documents: Sequence[Document], most: int = MESSAGE_DOCUMENTS) -> Iterator[range]:
    """The pages by number, in messages of the size that `crawler.workers.pool` sends when many wait."""
    start, size = 0, 0
    for place, document in enumerate(documents):
        size += len(document.body)
        if place > start and (place - start == most or size > MESSAGE_BYTES):
            yield range(start, place)
            start, size = place, len(document.body)
    if documents:
        yield range(start, len(documents))


@cache
def _warm_up() -> None:
    """Import what a worker imports, and run both over the pages of the tests, to load what is loaded late."""
    import pipeline.warm  # noqa: F401

    outcomes = []
    for document in article_pages():
        outcomes.append(process.process_document(document, SETTINGS))
        _theirs(decode_body(document.body, None, document.media_type), document.url)
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{folder}/warm.db")
        run = writer.start_run(engine, "speed", datetime.now(UTC))
        writer.write_batch(engine, run, outcomes, SETTINGS)
        engine.dispose()


def one_round(documents: Sequence[Document], htmls: Sequence[str], most: int = MESSAGE_DOCUMENTS) -> Round:
    """Run both over all pages, message by message in turn."""
    ours = storing = theirs = 0.0
    articles = failed = 0
    half = len(documents) // 2
    waiting: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{folder}/speed.db")
        run = writer.start_run(engine, "speed", datetime.now(UTC))
        for places in messages(documents, most):
            others = [(place + half) % len(documents) for place in places]
            message = documents[places.start : places.stop]
            began = time.process_time()
            outcomes = process.process_documents(message, SETTINGS)
            between = time.process_time()
            extracted = [_theirs(htmls[other], documents[other].url) for other in others]
            ended = time.process_time()
            ours += between - began
            theirs += ended - between
            failed += extracted.count(False)
            articles += sum(isinstance(outcome, Article) for outcome in outcomes)
            waiting += outcomes
            while len(waiting) >= BATCH_SIZE or (waiting and places.stop == len(documents)):
                began = time.process_time()
                writer.write_batch(engine, run, waiting[:BATCH_SIZE], SETTINGS)
                storing += time.process_time() - began
                del waiting[:BATCH_SIZE]
        engine.dispose()
    return Round(ours + storing, storing, theirs, articles, failed)


def _theirs(html: str, url: str) -> bool:
    """Whether Trafilatura succeeded; there are pages on which it fails."""
    try:
        trafilatura.bare_extraction(html, url=url, with_metadata=True, include_comments=False)
    except Exception:
        return False
    return True


def profiled(documents: Sequence[Document], most: int = MESSAGE_DOCUMENTS) -> Spent:
    """Run ours once more, timed by stage."""
    with tempfile.TemporaryDirectory() as folder, timed() as spent:
        engine = open_database(f"sqlite:///{folder}/speed.db")
        run = writer.start_run(engine, "speed", datetime.now(UTC))
        for start in range(0, len(documents), BATCH_SIZE):
            batch = documents[start : start + BATCH_SIZE]
            outcomes = [
                outcome
                for places in messages(batch, most)
                for outcome in process.process_documents(batch[places.start : places.stop], SETTINGS)
            ]
            writer.write_batch(engine, run, outcomes, SETTINGS)
        engine.dispose()
    return spent


def as_markdown(speeds: Sequence[Speed]) -> str:
    lines = [
        "| corpus | pages | kB a page | Copydesk, pages/s | Trafilatura, pages/s | ratio (least to most) |",
        "|---|---|---|---|---|---|",
    ]
    for speed in speeds:
        kilobytes = speed.size / 1000 / speed.documents
        lines.append(
            f"| {speed.corpus} | {speed.documents} | {kilobytes:.0f} | {speed.ours.shown(1)}"
            f" | {speed.theirs.shown(1)} | {speed.ratio.shown()} |"
        )
    failed = sum(speed.rounds[0].failed for speed in speeds)
    if failed:
        lines += ["", f"Trafilatura failed on {failed} of the pages; the time until then is counted."]
    return "\n".join([*lines, "", *_profile_lines(speeds)])


def _profile_lines(speeds: Sequence[Speed]) -> list[str]:
    named = " | ".join(f"{speed.corpus}, ms a page (share)" for speed in speeds)
    lines = [f"| stage | {named} |", f"|---|{'---|' * len(speeds)}"]
    for stage in (*STAGES, REST):
        cells = []
        for speed in speeds:
            whole = sum(speed.milliseconds.values())
            taken = speed.milliseconds[stage]
            cells.append(f"{taken:.2f} ({taken / whole:.0%})")
        lines.append(f"| {stage} | {' | '.join(cells)} |")
    wholes = " | ".join(f"{sum(speed.milliseconds.values()):.2f}" for speed in speeds)
    return [*lines, f"| all | {wholes} |"]


def draw(speeds: Sequence[Speed], path: Path) -> None:
    rows: Mapping[str, Mapping[str, float]] = {speed.corpus: speed.milliseconds for speed in speeds}
    charts.stacked_bars(
        "Where a page's time goes", "ms of processor time a page, bytes to committed row", rows, path
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = pages.arguments_of(__doc__, ROUNDS)
    parser.add_argument("--alone", action="store_true", help="one page at a time")
    parser.add_argument("--out", type=Path, help="folder for the plot")
    options = parser.parse_args(arguments)
    for name in pages.missing(options.corpora, options.only):
        print(f"{name}: no such corpus with pages in {options.corpora}", file=sys.stderr)
    speeds = [
        measure(
            corpus.name,
            pages.read_pages(corpus, options.sample),
            options.rounds,
            1 if options.alone else MESSAGE_DOCUMENTS,
        )
        for corpus in pages.corpora_with_pages(options.corpora, options.only)
    ]
    if not speeds:
        sys.exit(f"{options.corpora}: no corpus with pages (see benchmarks/README.md)")
    print(as_markdown(speeds))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        draw(speeds, options.out / "stages.png")


if __name__ == "__main__":
    main()
