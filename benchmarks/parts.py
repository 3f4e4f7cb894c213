"""The parts of a run of all benchmarks: what each measures, and its line in the summary."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.report import Report, printed

# The corpora for which speed has a limit, and the number of pages of each in a quick run.
OF_SPEED = ("multi-dev", "wcxb-dev")
QUICK_PAGES = 160


@dataclass(frozen=True, slots=True)
class Run:
    """The options of a run. corpora: their folder; None if none was given.

    figures: names and values of the main results; each part adds its own. The report ends with them, and so
    does docs/explanation/performance.md.
    """

    corpora: Path | None
    report: Report
    is_full: bool
    figures: list[tuple[str, str]] = field(default_factory=list)

    def with_pages(self, preferred: Sequence[str] = ()) -> list[Path]:
        """The corpora with pages; only preferred ones if there are any. Raises MissingCorpus."""
        from benchmarks.pages import corpora_with_pages

        found = list(corpora_with_pages(self.folder))
        chosen = [corpus for corpus in found if corpus.name in preferred] or found
        if not chosen:
            raise MissingCorpus(f"no corpus with pages in {self.folder}")
        return chosen

    @property
    def folder(self) -> Path:
        if self.corpora is None:
            raise MissingCorpus("no folder of corpora was given")
        return self.corpora

    def step(self, corpus: Path) -> int:
        """The step between the pages of a corpus that are taken."""
        with (corpus / "truth.jsonl").open("rb") as lines:
            count = sum(1 for _ in lines)
        return 1 if self.is_full else max(1, count // QUICK_PAGES)


class MissingCorpus(LookupError):
    """There is no corpus to measure on. Raised by `Run`, and shown in the report in the place of the part."""


def speed(run: Run) -> str:
    from benchmarks import pages
    from benchmarks import speed as measured

    speeds = [
        measured.measure(corpus.name, pages.read_pages(corpus, run.step(corpus)))
        for corpus in run.with_pages(() if run.is_full else OF_SPEED)
    ]
    measured.draw(speeds, run.report.folder / "stages.png")
    for found in speeds:
        pace, ratio = found.ours.shown(1), found.ratio.shown()
        run.figures.append((f"one core, {found.corpus}", f"{pace} pages/s, {ratio} times Trafilatura alone"))
    return measured.as_markdown(speeds) + run.report.plot("stages.png")


def scaling(run: Run) -> str:
    from benchmarks import pages
    from benchmarks import scaling as measured

    body = ""
    workers = measured.up_to(os.cpu_count() or 1)
    rounds = 5 if run.is_full else 3
    for corpus in run.with_pages(OF_SPEED)[: None if run.is_full else 1]:
        documents = pages.read_pages(corpus, run.step(corpus))
        found = measured.measure(documents, workers, rounds)
        alone = measured.unaided(documents, workers, rounds)
        for one in found[1:]:
            share = f"parent {one.parent.median:.1%} of the processor"
            shown = f"{one.times(found[0]).shown()} times one (processes alone {alone[one.workers].shown()})"
            run.figures.append((f"{one.workers} workers, {corpus.name}", f"{shown}, {share}"))
        name = f"scaling-{corpus.name}.png"
        measured.draw(found, corpus.name, run.report.folder / name)
        body += f"{corpus.name}:\n\n{measured.as_markdown(found, alone)}{run.report.plot(name)}\n\n"
    return body


def replay(run: Run) -> str:
    from benchmarks import writer_capacity as measured

    lines = [f"| {' | '.join(measured.COLUMNS)} |", f"|{'---|' * len(measured.COLUMNS)}"]
    # a larger corpus of pages: short runs would measure how a run begins and ends
    corpora = measured.corpora(run.folder, () if run.is_full else ("wcxb-dev", "wire"))
    if not corpora:
        raise MissingCorpus(f"no corpus with pages or documents in {run.folder}")
    for corpus in corpora:
        documents = measured.read_corpus(corpus)
        some = documents if run.is_full else documents[:: max(1, len(documents) // 1000)]
        found = measured.measure(some, rounds=5 if run.is_full else 3)
        lines.append(measured.as_row(corpus.name, found))
        shown = f"keeps up with {found.workers.shown(0)} workers, {found.pace:.0f} documents/s"
        run.figures.append((f"one writer, {corpus.name}", shown))
    return "\n".join(lines)


def text_in(run: Run) -> str:
    from benchmarks import text_ingest as measured

    paths = [path for name in measured.FILES for path in sorted(run.folder.glob(f"*/{name}"))]
    if not paths:
        raise MissingCorpus(f"no corpus of texts ({' or '.join(measured.FILES)}) in {run.folder}")
    workers = sorted({1, 2, os.cpu_count() or 1})
    rounds = 5 if run.is_full else 3
    tables = []
    for path in paths:
        found = measured.measure(path, workers, rounds)
        tables.append(f"{path.parent.name}:\n\n{measured.as_markdown(found)}")
        for one in found:
            shown = f"{one.pace.shown(0)} documents/s, {one.ratio.shown()} times datasketch's loop in memory"
            run.figures.append((f"texts, {path.parent.name}, workers: {one.workers}", shown))
    return "\n\n".join(tables)


def steady(run: Run) -> str:
    from benchmarks import long_run as measured

    workers = os.cpu_count() or 1
    found = (
        measured.measure(measured.DOCUMENTS, workers)
        if run.is_full
        else measured.measure(10_000, workers, recycle=2000)
    )
    measured.draw(found, run.report.folder)
    (first, _), (last, _) = found.pace(0.0, 0.1), found.pace(0.9, 1.0)
    held = found.looks[-1].parent, max(max(look.workers.values(), default=0) for look in found.looks)
    shown = f"last tenth {last / first:.2f} of the first; parent {held[0]:.0f} MB, a worker {held[1]:.0f} MB"
    run.figures.append((f"a run of {found.documents:,} pages", shown))
    plots = run.report.plot("memory.png") + run.report.plot("throughput.png")
    return measured.as_markdown(found) + plots


def growth(run: Run) -> str:
    from benchmarks import growth as measured

    options = ["--out", str(run.report.folder), "--filled", "50000" if run.is_full else "10000"]
    options += [] if run.is_full else ["--articles", "50000", "--minutes", "3"]
    body = []
    for database in ("sqlite", "postgresql") if run.is_full else ("sqlite",):
        shown = printed(partial(measured.main, [*options, "--database", database]))
        body.append(shown + run.report.plot(f"growth-{database}.png"))
    return "\n\n".join(body)


def extraction(run: Run) -> str:
    from benchmarks import extraction as measured

    run.with_pages()
    workers = ["--workers", str(os.cpu_count() or 1)]
    sample = [] if run.is_full else ["--sample", "5"]
    return printed(partial(measured.main, [str(run.folder), *workers, *sample]))


def grouping(run: Run) -> str:
    from benchmarks import grouping as measured

    return printed(partial(measured.main, [str(run.folder)]))


def hazards(run: Run) -> str:
    from benchmarks import hazards as measured

    sample = [] if run.is_full else ["--cases", "100"]
    return printed(partial(measured.main, [str(run.folder), *sample]))


def latency(run: Run) -> str:
    from benchmarks import latency as measured

    found = measured.measure()
    for one in found[1:]:
        shown = f"{one.processor.shown()} s of processor time, {one.clock.shown()} s by the clock"
        run.figures.append((f"`{one.command}`", shown))
    return measured.as_markdown(found)


def reactor(run: Run) -> str:
    from benchmarks import reactor as measured

    found = measured.measure(articles=2000 if run.is_full else 200)
    longest, late = max(found.busy) * 1000, max(found.late) * 1000
    shown = f"{longest:.0f} ms of processor time at the longest, {late:.0f} ms by the clock"
    run.figures.append(("a crawl's reactor, kept from its work", shown))
    return measured.as_markdown(found)


def instructions(run: Run) -> str:
    from benchmarks import instructions as measured

    del run
    way = measured.choose_way()
    known = measured.recorded().get(measured.key_of(way), {})
    return measured.as_markdown(measured.measure(way), known, way)


@dataclass(frozen=True, slots=True)
class Part:
    title: str
    measured: Callable[[Run], str]
    is_quick: bool = True


PARTS = {
    "speed": Part("One core: the whole path beside Trafilatura alone", speed),
    "scaling": Part("All cores: scaling by workers", scaling),
    "replay": Part("The writer: runs that replay what extraction gave", replay),
    "text-in": Part("Texts: JSON Lines to rows beside datasketch's loop", text_in),
    "steady": Part("A long run", steady),
    "hazards": Part("Made pairs: look-alikes, and edited copies", hazards),
    "latency": Part("Latency of commands", latency),
    "reactor": Part("A crawl's reactor under load", reactor),
    "growth": Part("Growth of the database", growth),
    "extraction": Part("Quality of extraction", extraction),
    "grouping": Part("Quality and cost of grouping", grouping),
    "instructions": Part("Instructions of the hottest functions", instructions, is_quick=False),
}


def part_measured(name: str, run: Run) -> tuple[str, list[tuple[str, str]]]:
    """Measure a part; returns its results in Markdown, and its figures."""
    try:
        return PARTS[name].measured(run), run.figures
    except MissingCorpus as missing:
        return f"Not measured: {missing}.", run.figures
