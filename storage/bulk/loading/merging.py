"""Merges a folder into a database that has articles: its outcomes are written as `ingest` would write them.

Nothing of what the folder says of groups, ids or revisions is used: what it was that the documents gave is
enough. So tombstones, URLs and texts of the database count as they do for every run, and a merge that was
killed is completed by running it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa
from sqlalchemy import Engine

from pipeline.batch import outcomes_of
from pipeline.document import Article, Outcome
from pipeline.settings import Settings
from pipeline.text import make_search_words
from storage.base import SourceKey, page_digest
from storage.bulk.loading.filling import Stopped, Watch
from storage.bulk.loading.folder import BackfillFolder, batches_of
from storage.bulk.loading.rows import body_reader, sequence_ranges
from storage.reader import known
from storage.writer import BatchCounts, finish_run, killed_run_before, start_run, write_batch
from storage.writing import Lesson, learn, quarantine

# Outcomes of one transaction, as in `crawler.runs.drive`.
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Merged:
    """How a merge ended. lesson: None if it was interrupted."""

    run_id: int
    counts: BatchCounts
    lesson: Lesson | None


def merge(
    engine: Engine, folder: BackfillFolder, settings: Settings, command: str, job: str, watch: Watch
) -> Merged:
    """Writes the outcomes of a folder in their order, then learns. Raises DatabaseError.

    Documents that the database has by the same rules, and those in quarantine, count as unchanged.
    """
    run_id = start_run(engine, command, datetime.now(UTC), job=job)
    killed_run = killed_run_before(engine, run_id)
    counts = BatchCounts()
    body_of = body_reader([part for part, _, _ in sequence_ranges(folder.parts("pages"))])
    is_interrupted = False
    try:
        for outcomes in _outcomes(folder):
            stored = _stored(engine, [outcome for _, outcome in outcomes], settings, killed_run)
            new = [
                _whole(outcome, at, body_of) for n, (at, outcome) in enumerate(outcomes) if n not in stored
            ]
            counts += write_batch(engine, run_id, new, settings)
            counts += BatchCounts(seen=len(stored), unchanged=len(stored))
            watch.loaded(len(outcomes))
    except Stopped:
        is_interrupted = True
    finish_run(engine, run_id, counts, datetime.now(UTC))
    return Merged(run_id, counts, None if is_interrupted else learn(engine, soon=True))


def outcome_count(folder: BackfillFolder) -> int:
    return folder.row_count("outcomes")


def _outcomes(folder: BackfillFolder) -> Iterator[list[tuple[int, Outcome]]]:
    """The outcomes with their sequences, in the order of these, some at a time; pages without their bytes."""
    for part, _, _ in sequence_ranges(folder.parts("outcomes")):
        for batch in batches_of(part, _AT_ONCE):
            sequences = batch.column("sequence").to_pylist()
            yield list(zip(sequences, outcomes_of(pa.Table.from_batches([batch])), strict=True))


def _stored(
    engine: Engine, outcomes: Sequence[Outcome], settings: Settings, killed_run: int | None
) -> set[int]:
    """Which outcomes are of documents that are stored already or in quarantine, as `drive` skips them."""
    pages = {number: outcome.page for number, outcome in enumerate(outcomes) if outcome.page is not None}
    keys = {number: SourceKey(outcomes[number].location, page_digest(page)) for number, page in pages.items()}
    stored = known(engine, keys.values(), settings.rules_version, settings.site_rules, killed_run=killed_run)
    urls = {keys[number]: page.url for number, page in pages.items()}
    stored |= quarantine.held_documents(engine, urls, settings)
    return {number for number, key in keys.items() if key in stored}


def _whole(outcome: Outcome, sequence: int, body_of: Callable[[int], bytes]) -> Outcome:
    """The outcome with the bytes of its page and the words of search, which the folder has elsewhere."""
    page = outcome.page
    if page is not None:
        outcome = replace(outcome, page=replace(page, compressed=body_of(sequence)))
    if isinstance(outcome, Article):
        outcome = replace(outcome, search_words=make_search_words(outcome.title, outcome.text))
    return outcome
