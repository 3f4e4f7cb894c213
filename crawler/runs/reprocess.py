"""Runs today's rules over stored pages, without fetching them again, and tells what that changed.

Documents are processed and written as those of files are (`crawler.runs.drive`). What is done is recognised
by the version of the rules that it was made by, so an interrupted run goes on where it stopped. Readers read
on: each batch is a transaction, in which an article's text, index entry and group change together.

A document that runs into the time limit, or into a fault of ours, stays as it was stored; the next run
tries it again.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from crawler.runs.drive import Progress, drive, stopping
from crawler.runs.worker import Process
from pipeline.document import Document, Outcome, Reason, Rejection
from pipeline.settings import Settings
from storage.base import TRANSIENT, storable
from storage.upkeep import (
    COMPARED_COLUMNS,
    SiteRulesUse,
    StoredPage,
    count_outdated,
    count_pruned,
    outdated,
    partition,
    site_rules_use,
)
from storage.writer import (
    BatchCounts,
    count_refingerprint,
    refingerprint_batch,
    refingerprint_revisions,
    require_one_fingerprint,
    write_batch,
)
from storage.writing import Lesson, learn, with_learned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from storage.database import Engine

# Samples that are kept of each kind of change.
_SAMPLES = 3


class What(StrEnum):
    """What other rules made of a stored page. TEXT to REMOVED may come together."""

    TEXT = "text"
    TITLE = "title"
    METADATA = "metadata"
    URL = "url"
    REMOVED = "removed lines"
    ACCEPTED = "accepted"  # was turned away, is an article now
    REFUSED = "refused"  # was an article, is turned away now
    REASON = "other reason"  # is turned away as before, but for another reason
    FAILED = "failed"  # was not done for a time limit or a fault, and stays as it is


@dataclass(frozen=True, slots=True)
class Sample:
    """One change. before, after: the values; of text, the whole texts; of removed
    lines, a line each with its rule. field: which of the metadata."""

    what: What
    location: str
    article_id: int | None
    before: str
    after: str
    field: str = ""


@dataclass(slots=True)
class Changes:
    """How many documents changed in what, and a few samples of each. documents: those with any change.

    fields: of METADATA, how many changed in which. reasons: of FAILED.
    """

    documents: int = 0
    counts: Counter[What] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Regrouped:
    """articles: how many changed their group; before, after: groups of more than one article."""

    articles: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Reprocessed:
    """How a run ended. regrouped: None where nothing was written (a dry run). pruned: texts and rejections
    that other rules made, and that stay as they are because their pages are gone. site_rules: what sites'
    own rules made of what is stored now, that of sites which the settings do not know among it.
    """

    run_id: int
    counts: BatchCounts
    is_interrupted: bool
    changes: Changes
    regrouped: Regrouped | None
    pruned: int
    site_rules: list[SiteRulesUse]
    lesson: Lesson | None = None


def reprocess(
    engine: Engine,
    *,
    workers: int,
    settings: Settings,
    site: str | None = None,
    since: datetime | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
    command: str = "reprocess",
    process: Process | None = None,
) -> Reprocessed:
    """Process the stored pages that other rules made texts and rejections of; returns when all is committed.

    Of rules that are a site's own (`Settings.site_rules`) other ones outdate the pages of that site alone,
    and so do lines that were learned of it since, or are clutter no more.
    site: of this site only. since: fetched from then on. dry_run: tell what would change, write nothing.
    For interruption and errors see `crawler.runs.drive.drive`; DatabaseError where the base has fingerprints
    of another version than the settings', which `refingerprint` mends.
    """
    if not dry_run:
        require_one_fingerprint(engine, settings)
    settings = with_learned(engine, settings)
    rules, own = settings.rules_version, settings.site_rules
    watch = _Watch(settings)
    before = None if dry_run else partition(engine)
    end = drive(
        engine,
        watch.reading(outdated(engine, rules, site_rules=own, site=site, since=since)),
        workers=workers,
        settings=settings,
        command=None if dry_run else command,
        progress=progress,
        process=process,
        skips_known=False,
        write=watch.only_look if dry_run else watch.write,
        expected=count_outdated(engine, rules, site_rules=own, site=site, since=since),
    )
    regrouped = None if before is None else _regrouped(before, partition(engine))
    pruned = count_pruned(engine, rules, site_rules=own, site=site, since=since)
    return Reprocessed(
        end.run_id,
        end.counts,
        end.is_interrupted,
        watch.changes,
        regrouped,
        pruned,
        site_rules_use(engine, own),
        None if dry_run or end.is_interrupted else learn(engine, soon=True),
    )


@dataclass(frozen=True, slots=True)
class Refingerprinted:
    """How a run ended. articles: how many were done."""

    articles: int
    is_interrupted: bool
    regrouped: Regrouped


def refingerprint(engine: Engine, *, settings: Settings, progress: Progress | None = None) -> Refingerprinted:
    """Make the fingerprints that other settings or another Copydesk made anew, from the stored texts.

    In place, group by group, each few groups in a transaction: readers never see a group without its
    copies, and a run that is interrupted goes on where it stopped. SIGINT and SIGTERM end it in order.
    """
    before = partition(engine)
    if progress:
        progress.total(count_refingerprint(engine, settings))
    done, after = 0, 0
    is_renewed = False  # whether the present pass over the groups made any
    with stopping() as is_stopped:
        while not is_stopped():
            count, last = refingerprint_batch(engine, settings, after)
            done += count
            is_renewed |= count > 0
            if progress and count:
                progress.advance(BatchCounts(seen=done, updated=done))
            if last is not None:
                after = last
            elif (
                is_renewed
            ):  # another pass: somebody wrote meanwhile, or a group came to stand before `after`
                after, is_renewed = 0, False
            else:
                refingerprint_revisions(engine, settings)
                break
        is_interrupted = is_stopped()
    return Refingerprinted(done, is_interrupted, _regrouped(before, partition(engine)))


class _Watch:
    """Sees every document of a run twice, in the same order: as it is stored, and as it came out."""

    def __init__(self, settings: Settings) -> None:
        self.changes = Changes()
        self._settings = settings
        self._stored: deque[StoredPage] = deque()

    def reading(self, pages: Iterator[StoredPage]) -> Iterator[Document]:
        """Runs in the thread that reads ahead; a deque is safe to share."""
        for page in pages:
            self._stored.append(page)
            yield page.document

    def write(
        self, engine: Engine, run_id: int, outcomes: Sequence[Outcome], settings: Settings
    ) -> BatchCounts:
        sound = [outcome for outcome in outcomes if not _is_failed(outcome)]
        counts = write_batch(engine, run_id, sound, settings) if sound else BatchCounts()
        self._note(outcomes)
        return counts + _failures(outcomes)

    def only_look(
        self, engine: Engine, run_id: int, outcomes: Sequence[Outcome], settings: Settings
    ) -> BatchCounts:
        """In place of `write`: counts what writing would be likely to, and writes nothing."""
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

    def _note(self, outcomes: Sequence[Outcome]) -> list[tuple[StoredPage, list[Sample]]]:
        """Counts what is new in the outcomes, which are the next of those read."""
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
    return isinstance(outcome, Rejection) and outcome.reason in TRANSIENT


def _failures(outcomes: Sequence[Outcome]) -> BatchCounts:
    reasons = Counter(o.reason for o in outcomes if isinstance(o, Rejection) and _is_failed(o))
    return BatchCounts(seen=reasons.total(), rejected=reasons.total(), reasons=reasons)


_METADATA = tuple(name for name in COMPARED_COLUMNS if name not in ("title", "text"))


def _differences(page: StoredPage, outcome: Outcome) -> list[Sample]:
    location = page.document.location
    stored = page.text
    id = stored.article_id if stored else None
    if isinstance(outcome, Rejection):
        said = f"{outcome.reason}: {outcome.detail}"
        if _is_failed(outcome):
            return [Sample(What.FAILED, location, id, "", said)]
        if stored:
            return [Sample(What.REFUSED, location, id, stored.columns["title"], said)]
        if page.reason is not outcome.reason:
            return [Sample(What.REASON, location, None, str(page.reason), said)]
        return []
    if stored is None:
        return [Sample(What.ACCEPTED, location, None, str(page.reason), outcome.title)]
    found = [
        Sample(what, location, id, before, after)
        for what, before, after in (
            (What.TEXT, stored.columns["text"], outcome.text),
            (What.TITLE, stored.columns["title"], outcome.title),
            (What.URL, stored.url, outcome.url),
        )
        if before != after
    ]
    if outcome.removed != stored.removed:
        lines = ("\n".join(f"{r.text} [{r.rule}]" for r in of) for of in (stored.removed, outcome.removed))
        found.append(Sample(What.REMOVED, location, id, *lines))
    for name in _METADATA:
        before, after = _shown(stored.columns[name]), _shown(getattr(outcome, name))
        if before != after:
            found.append(Sample(What.METADATA, location, id, before, after, field=name))
    return found


def _shown(value: object) -> str:
    """A value of the metadata as text, times to the second, as they are stored."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    if isinstance(value, list | tuple):
        return ", ".join(value)
    return "" if value is None else str(value)


_Partition = tuple["NDArray[np.int64]", "NDArray[np.int64]"]


def _regrouped(before: _Partition, after: _Partition) -> Regrouped:
    """What changed for the articles that are in both."""
    _, ours, theirs = np.intersect1d(before[0], after[0], assume_unique=True, return_indices=True)
    moved = int(np.count_nonzero(before[1][ours] != after[1][theirs]))
    return Regrouped(moved, _copied(before[1]), _copied(after[1]))


def _copied(groups: NDArray[np.int64]) -> int:
    """How many groups have more than one article."""
    return int(np.count_nonzero(np.unique(groups, return_counts=True)[1] > 1))
