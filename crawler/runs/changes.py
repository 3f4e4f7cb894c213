"""Compares each stored document with its outcome under different rules, and counts the changes."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.document import (
    Document,
    Outcome,
    Reason,
    Rejection,
    RightsStatement,
    has_cost_worker,
)
from pipeline.settings import Settings
from storage.base import FAILURES, storable
from storage.upkeep import COMPARED_COLUMNS, StoredPage
from storage.writer import BatchCounts, write_batch
from storage.writing import quarantine

if TYPE_CHECKING:
    from storage.database import Engine

# Most samples that are kept of each kind of change.
_SAMPLES = 3


class ChangeKind(StrEnum):
    """How a stored page changed. TEXT to REMOVED may occur together."""

    TEXT = "text"
    TITLE = "title"
    METADATA = "metadata"
    URL = "url"
    REMOVED = "removed lines"
    ACCEPTED = "accepted"  # was rejected, is an article now
    REFUSED = "refused"  # was an article, is rejected now
    REASON = "other reason"  # is rejected as before, but for a different reason
    FAILED = "failed"  # time limit or internal error; stays as it is stored


@dataclass(frozen=True, slots=True)
class ChangeSample:
    """One change. before, after: the values; whole texts; of removed lines, one on each line with its rule.

    field: which of the metadata changed; "" for what is no metadata.
    """

    what: ChangeKind
    location: str
    article_id: int | None
    before: str
    after: str
    field: str = ""


@dataclass(slots=True)
class Changes:
    """How many documents changed in which way, and a few samples of each. documents: those with any change.

    fields: how many changed in each field of the METADATA. reasons: of those that FAILED.
    """

    documents: int = 0
    counts: Counter[ChangeKind] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)
    samples: list[ChangeSample] = field(default_factory=list)


class Comparison:
    """Compares the documents of a run with their outcomes, in their order. changes: the result."""

    def __init__(self) -> None:
        self.changes = Changes()
        self._stored: deque[StoredPage] = deque()

    def reading(self, pages: Iterator[StoredPage]) -> Iterator[Document]:
        """Pass on the documents of stored pages. Runs in the reading thread; a deque is safe to share."""
        for page in pages:
            self._stored.append(page)
            yield page.document

    def write(
        self, engine: Engine, run_id: int, outcomes: Sequence[Outcome], settings: Settings
    ) -> BatchCounts:
        """Write a batch without its failed documents; count all of them.

        A document that hung or killed its worker counts towards its quarantine. What is stored of it stays,
        unless that is an earlier failure.
        """
        written: list[Outcome] = []
        kept: list[Outcome] = []
        for outcome, (page, _) in zip(outcomes, self._note(outcomes), strict=True):
            has_failed_before = page.reason in FAILURES and has_cost_worker(outcome)
            (written if has_failed_before or not _is_failed(outcome) else kept).append(outcome)
        counts = BatchCounts()
        if written:
            counts = write_batch(engine, run_id, written, settings, is_news=False)
        quarantine.note_failures(engine, [o for o in kept if has_cost_worker(o)], settings)
        return counts + _failures(kept)

    def dry_run_write(
        self, engine: Engine, run_id: int, outcomes: Sequence[Outcome], settings: Settings
    ) -> BatchCounts:
        """Write nothing; count what `write` would probably count."""
        ends: Counter[str] = Counter()
        reasons: Counter[Reason] = Counter()
        for outcome, (page, samples) in zip(outcomes, self._note(outcomes), strict=True):
            if isinstance(outcome, Rejection):
                if not _is_failed(outcome):
                    ends["rejected"] += 1
                    reasons[outcome.reason] += 1
            elif page.text is None:
                ends["stored"] += 1
            else:
                ends["updated" if samples else "unchanged"] += 1
        counts = BatchCounts(seen=ends.total(), **ends, reasons=reasons)
        return counts + _failures(outcomes)

    def _note(self, outcomes: Sequence[Outcome]) -> list[tuple[StoredPage, list[ChangeSample]]]:
        """Count the changes in these outcomes, which belong to the next pages in `_stored`."""
        noted = []
        for outcome in outcomes:
            page = self._stored.popleft()
            assert page.document.location == outcome.location
            samples = _differences(page, storable(outcome))
            changes = self.changes
            changes.documents += bool(samples) and not _is_failed(outcome)
            changes.counts.update({sample.what for sample in samples})
            changes.fields.update(sample.field for sample in samples if sample.field)
            if isinstance(outcome, Rejection) and _is_failed(outcome):
                changes.reasons[outcome.reason] += 1
            for sample in samples:
                if sum(sample.what is kept.what for kept in changes.samples) < _SAMPLES:
                    changes.samples.append(sample)
            noted.append((page, samples))
        return noted


def _is_failed(outcome: Outcome) -> bool:
    return isinstance(outcome, Rejection) and outcome.reason in FAILURES


def _failures(outcomes: Sequence[Outcome]) -> BatchCounts:
    reasons = Counter(o.reason for o in outcomes if isinstance(o, Rejection) and _is_failed(o))
    return BatchCounts(seen=reasons.total(), rejected=reasons.total(), reasons=reasons)


_METADATA = tuple(name for name in COMPARED_COLUMNS if name not in ("title", "text"))


def _differences(page: StoredPage, outcome: Outcome) -> list[ChangeSample]:
    location = page.document.location
    stored = page.text
    id = stored.article_id if stored else None
    if isinstance(outcome, Rejection):
        said = f"{outcome.reason}: {outcome.detail}"
        if _is_failed(outcome):
            return [ChangeSample(ChangeKind.FAILED, location, id, "", said)]
        if stored:
            return [ChangeSample(ChangeKind.REFUSED, location, id, stored.columns["title"], said)]
        if page.reason is not outcome.reason:
            return [ChangeSample(ChangeKind.REASON, location, None, str(page.reason), said)]
        return []
    if stored is None:
        return [ChangeSample(ChangeKind.ACCEPTED, location, None, str(page.reason), outcome.title)]
    found = [
        ChangeSample(what, location, id, before, after)
        for what, before, after in (
            (ChangeKind.TEXT, stored.columns["text"], outcome.text),
            (ChangeKind.TITLE, stored.columns["title"], outcome.title),
            (ChangeKind.URL, stored.url, outcome.url),
        )
        if before != after
    ]
    if outcome.removed != stored.removed:
        lines = ("\n".join(f"{r.text} [{r.rule}]" for r in of) for of in (stored.removed, outcome.removed))
        found.append(ChangeSample(ChangeKind.REMOVED, location, id, *lines))
    for name in _METADATA:
        before, after = _shown(stored.columns[name]), _shown(getattr(outcome, name))
        if before != after:
            found.append(ChangeSample(ChangeKind.METADATA, location, id, before, after, field=name))
    return found


def _shown(value: object) -> str:
    """A value of the metadata as text; times to the second, as they are stored.

    A statement on rights is a record in an outcome and an object in the database, whose keys have any order.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    if isinstance(value, RightsStatement):
        value = asdict(value)
    if isinstance(value, Mapping):
        return json.dumps(dict(value), sort_keys=True, ensure_ascii=False)
    return "" if value is None else str(value)
