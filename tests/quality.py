"""Measures the outcomes of the pages in the repository, and compares them with pinned floors.

    python -m tests.quality             shows all measures, and every page that is not perfect
    python -m tests.quality --raise     raises floors that are now exceeded
    python -m tests.quality --lower     sets every floor to its measure, better or worse

`tests/test_quality.py` fails where a measure is under its floor in quality_floors.toml. Lowering a floor
is a decision, and shows as one in the diff.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from benchmarks import hazards
from benchmarks.measures import (
    adjusted_rand,
    normalised,
    page_score,
    partition_score,
    same_authors,
    same_day,
    same_title,
    text_score,
)
from pipeline.document import Article, Claims, Document, MediaType, Origin, Outcome, Rejection
from pipeline.process import process_document
from pipeline.settings import Settings
from pipeline.text import sentences
from storage.database import open_database
from storage.writer import start_run, write_batch
from tests.known_pages import FETCHED_AT, Known, copied_texts, examples, written_articles, written_rejections

FLOORS = Path(__file__).with_name("quality_floors.toml")
SETTINGS = Settings()

# Documents a transaction: small, so that grouping is measured over many of them, as in a real run.
BATCH = 20

# Cases of each line of made hazards.
HAZARDS = 20

Result = tuple[Known, Outcome]


@dataclass(frozen=True, slots=True)
class Report:
    """measures: name to value; a name ends in `_lost`, `_left` or `_wrong` where less is better.

    notes: a line for each fault.
    """

    measures: dict[str, float]
    notes: list[str] = field(default_factory=list)


def is_ceiling(name: str) -> bool:
    return name.endswith(("_lost", "_left", "_wrong"))


def measure() -> Report:
    """Runs every page through the pipeline and the writer."""
    results = [(known, outcome_of(known)) for known in _all_pages()]
    report = Report({})
    for folder in ("examples", "articles", "copied"):
        _measure_text(folder, [r for r in results if r[0].folder == folder and r[0].is_article], report)
    _measure_rejections(results, report)
    _measure_groups(results, report)
    _measure_hazards(results, report)
    _measure_canonical(results, report)
    return report


def _all_pages() -> Iterable[Known]:
    yield from examples(SETTINGS)
    yield from written_articles()
    yield from copied_texts()
    yield from written_rejections()


def outcome_of(known: Known) -> Outcome:
    """The outcome of a document after reading. A document that could not be read is a rejection already."""
    if isinstance(known.source, Rejection):
        return known.source
    return process_document(known.source, SETTINGS)


def _text(outcome: Outcome) -> str:
    return outcome.text if isinstance(outcome, Article) else ""


def _measure_text(folder: str, results: Sequence[Result], report: Report) -> None:
    score = text_score((known.text, _text(outcome)) for known, outcome in results)
    report.measures[f"{folder}.text_precision"] = score.precision
    report.measures[f"{folder}.text_recall"] = score.recall
    report.measures[f"{folder}.text_f1"] = score.f1
    lost = left = strings = 0
    right: dict[str, list[bool]] = {"title": [], "authors": [], "date": [], "language": [], "agency": []}
    for known, outcome in results:
        name = f"{folder}/{known.name}"
        if isinstance(outcome, Rejection):
            report.notes.append(f"{name}: rejected: {outcome.reason}: {outcome.detail}")
        text = _text(outcome)
        gone = lost_sentences(known.text, text)
        kept = [c for c in known.clutter if c in text]
        kept += [s for s in known.once if text.count(s) > 1]
        lost, left = lost + len(gone), left + len(kept)
        strings += len(known.clutter) + len(known.once)
        report.notes.extend(f"{name}: lost: {s}" for s in gone)
        report.notes.extend(f"{name}: left: {c}" for c in kept)
        if isinstance(outcome, Article):
            precision, _ = page_score(known.text, text)
            if precision is not None and precision < 0.995 and not kept:
                report.notes.extend(f"{name}: extra: {s}" for s in lost_sentences(text, known.text))
            for key, is_right, wanted, got in _metadata(known, outcome):
                right[key].append(is_right)
                if not is_right:
                    report.notes.append(f"{name}: {key}: {got!r}, expected {wanted!r}")
    report.measures[f"{folder}.sentences_lost"] = lost
    report.measures[f"{folder}.clutter_left"] = left / strings
    for key, values in right.items():
        if values:
            report.measures[f"{folder}.{key}_right"] = statistics.mean(values)


def _metadata(known: Known, article: Article) -> Iterable[tuple[str, bool, object, object]]:
    yield "title", same_title(known.title, article.title), known.title, article.title
    if known.authors is not None:
        yield "authors", same_authors(known.authors, article.authors), known.authors, article.authors
    if known.published_at is not None:
        got = article.published_at
        yield "date", same_day(known.published_at, got), known.published_at, str(got)
    if known.language is not None:
        yield "language", known.language == article.language, known.language, article.language
    if known.agency is not None:
        yield "agency", known.agency == article.agency, known.agency, article.agency


def lost_sentences(true: str, predicted: str) -> list[str]:
    """The sentences of `true` whose words do not stand, in order and unbroken, in `predicted`."""
    there = f" {normalised(predicted)} "
    return [s for s in sentences(true) if normalised(s) and f" {normalised(s)} " not in there]


def _measure_rejections(results: Sequence[Result], report: Report) -> None:
    articles = [outcome for known, outcome in results if known.is_article]
    report.measures["articles_rejected_wrong"] = sum(isinstance(o, Rejection) for o in articles) / len(
        articles
    )
    others = [(known, outcome) for known, outcome in results if not known.is_article]
    report.measures["others_rejected"] = statistics.mean(isinstance(o, Rejection) for _, o in others)
    right = []
    for known, outcome in others:
        if isinstance(outcome, Article):
            report.notes.append(f"{known.folder}/{known.name}: taken for an article: {outcome.text[:120]!r}")
            continue
        right.append(outcome.reason in known.reasons)
        if not right[-1]:
            wanted = " or ".join(known.reasons)
            report.notes.append(f"{known.folder}/{known.name}: {outcome.reason}, expected {wanted}")
    report.measures["reason_right"] = statistics.mean(right)


def _measure_groups(results: Sequence[Result], report: Report) -> None:
    groups = {location: group for location, group, _ in stored_copies([outcome for _, outcome in results])}
    known = [k for k, outcome in results if k.is_article]
    # A document that is not stored is in a group of its own.
    found = [str(groups.get(k.source.location, k.source.location)) for k in known]
    true = [k.story for k in known]
    score = partition_score(true, found)
    report.measures["groups.pair_precision"] = score.precision
    report.measures["groups.pair_recall"] = score.recall
    report.measures["groups.adjusted_rand"] = adjusted_rand(true, found)
    main = {story: Counter(f for t, f in zip(true, found, strict=True) if t == story) for story in set(true)}
    for k, group in zip(known, found, strict=True):
        together = sorted({t for t, f in zip(true, found, strict=True) if f == group} - {k.story})
        if together:
            report.notes.append(f"{k.folder}/{k.name}: grouped with {', '.join(together)}")
        if group != main[k.story].most_common(1)[0][0]:
            report.notes.append(f"{k.folder}/{k.name}: apart from the other copies of {k.story}")


def _measure_hazards(results: Sequence[Result], report: Report) -> None:
    """The share of each line that ends as it should: copies in one group, look-alikes in two."""
    bases = [hazards.Base(known.title, known.text) for known in _english_stories(results)]
    for name, grouped, count in hazards.measure(bases, count=HAZARDS):
        if count:
            right = grouped if hazards.LINES[name].copies else count - grouped
            report.measures[f"hazards.{name}"] = right / count


def _english_stories(results: Sequence[Result]) -> list[Known]:
    """One copy of each story of the examples."""
    found = {k.story: k for k, _ in results if k.folder == "examples" and k.is_article and k.language == "en"}
    return list(found.values())


def _measure_canonical(results: Sequence[Result], report: Report) -> None:
    """The share of made groups whose canonical copy is the one to read.

    own: the agency's own, whatever is longer or earlier. stub: the fullest, where the agency's own is a stub.
    fullest: the fullest of the first hours; neither the earliest fragment nor what was added the day after.
    """
    known = [k for k in _english_stories(results) if len(k.text.split()) >= 150]
    right: dict[str, list[bool]] = {"own": [], "stub": [], "fullest": []}
    for kind, of_kind in right.items():
        documents = [d for k, other in pairwise(known) for d in _copies(kind, k, other)]
        stored = stored_copies([process_document(document, SETTINGS) for document in documents])
        sizes = Counter(group for _, group, _ in stored)
        chosen = {
            location for location, group, is_canonical in stored if is_canonical and sizes[group] == COPIES
        }
        of_kind.extend(f"https://{_TO_READ[kind]}/{k.story}" in chosen for k in known[:-1])
        report.measures[f"canonical.{kind}"] = statistics.mean(of_kind)


# Of each made group.
COPIES = 3
_TO_READ = {"own": "apnews.com", "stub": "gazette.example", "fullest": "tribune.example"}


def _copies(kind: str, story: Known, other: Known) -> Iterable[Document]:
    """Three copies of a story; other: what an outlet's own paragraphs are taken of."""
    text, half = story.text, hazards.first_words(story.text, len(story.text.split()) // 2)
    made = {
        "own": (
            ("gazette.example", half, 0),
            ("tribune.example", f"{text}\n{hazards.first_words(other.text, 40)}", 1),
            ("apnews.com", text, 2),
        ),
        "stub": (
            ("apnews.com", hazards.first_words(text, 45), 0),
            ("gazette.example", text, 1),
            ("tribune.example", half, 2),
        ),
        "fullest": (
            ("gazette.example", half, 0),
            ("tribune.example", text, 3),
            ("courier.example", f"{text}\n{hazards.first_words(other.text, 60)}", 30),
        ),
    }
    for site, body, hours in made[kind]:
        url = f"https://{site}/{story.story}"
        published = FETCHED_AT - timedelta(days=3) + timedelta(hours=hours)
        yield Document(
            location=url,
            url=url,
            body=f"PORT CALLAN (AP) — {body}".encode(),
            media_type=MediaType.TEXT,
            fetched_at=FETCHED_AT,
            origin=Origin.JSONL,
            encoding="utf-8",
            claims=Claims(title=story.title, published_at=published.isoformat()),
        )


def stored_copies(outcomes: Sequence[Outcome]) -> list[tuple[str, int, bool]]:
    """Location, group and whether it is canonical, after the real writer has stored them in SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "quality.db"
        engine = open_database(f"sqlite:///{path}")
        run = start_run(engine, "quality", FETCHED_AT)
        for start in range(0, len(outcomes), BATCH):
            write_batch(engine, run, outcomes[start : start + BATCH], SETTINGS)
        engine.dispose()
        connection = sqlite3.connect(path)
        try:
            return connection.execute("SELECT location, group_id, is_canonical FROM articles").fetchall()
        finally:
            connection.close()


def read_floors() -> dict[str, float]:
    return dict(tomllib.loads(FLOORS.read_text(encoding="utf-8")).get("floors", {}))


def breaches(measures: dict[str, float], floors: dict[str, float]) -> list[str]:
    """Measures that are under their floor, have no floor, or are no longer measured."""
    found = [f"{name}: no floor" for name in measures if name not in floors]
    found += [f"{name}: not measured" for name in floors if name not in measures]
    for name in sorted(measures.keys() & floors.keys()):
        value, floor = measures[name], floors[name]
        if value > floor if is_ceiling(name) else value < floor:
            found.append(f"{name}: {value:.4f}, {'at most' if is_ceiling(name) else 'at least'} {floor:.4f}")
    return found


def _pinned(name: str, value: float) -> float:
    """To the fourth digit, on the side that the measure itself still passes."""
    scaled = value * 10_000
    return (-(-scaled // 1) if is_ceiling(name) else scaled // 1) / 10_000


def _write_floors(floors: dict[str, float]) -> None:
    head = FLOORS.read_text(encoding="utf-8").partition("[floors]")[0]
    lines = [f'"{name}" = {value:.4f}' for name, value in floors.items()]
    FLOORS.write_text(head + "[floors]\n" + "\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.quality", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--raise", dest="up", action="store_true", help="pin floors that are now exceeded")
    parser.add_argument("--lower", action="store_true", help="pin every floor to what is measured")
    options = parser.parse_args(arguments)
    report = measure()
    floors = read_floors()
    for note in report.notes:
        print(note)
    print()
    for name, value in report.measures.items():
        print(f"{name:32} {value:8.4f}   {floors.get(name, float('nan')):8.4f}")
    if options.up or options.lower:
        pinned = {name: _pinned(name, value) for name, value in report.measures.items()}
        if not options.lower:
            for name, old in floors.items():
                if name in pinned:
                    better = min if is_ceiling(name) else max
                    pinned[name] = better(old, pinned[name])
        _write_floors(pinned)
    found = breaches(report.measures, read_floors())
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
