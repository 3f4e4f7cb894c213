"""Brings the documents of a source through the workers into the database; used by `ingest` and `reprocess`.

Outcomes are written in the order of the source, whichever worker finishes first, and each batch is one
transaction. So the database always has the outcomes of the first documents of the source, without gaps. A
run that was killed at any moment and is started again ends with the same articles, groups, copies, removed
lines and rejections as one that was not, ids included. Where a batch ends depends on the clock. So what is
counted by batch differs between any two runs: the ids of pages, the blocks of sightings, the numbers of
changes, and `grouped` in `runs`. A document that hung or killed its worker in a run that was killed later is
not tried again by the next start, but by the one after it, as after a run that ended.

Memory is limited by the documents between reading and writing (`_WINDOW_BYTES`, `_WINDOW_DOCUMENTS`), and not
by the size of the source.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from crawler.files import DocumentOrRejection
from crawler.runs.stopping import stopping
from crawler.workers import (
    PoolBroken,
    Process,
    ReadAhead,
    WorkerPool,
    body_size,
    process_document,
    reading_ahead,
)
from pipeline.document import Document, Outcome
from pipeline.settings import Settings
from storage.base import source_key
from storage.reader import known
from storage.writer import BatchCounts, finish_run, killed_run_before, start_run, write_batch
from storage.writing import quarantine

if TYPE_CHECKING:
    from storage.database import Engine
    from storage.writing import Lesson

# Most outcomes of one transaction (docs/tuning.md: BATCH_SIZE); how long a finished outcome waits for others,
# and the processor time that a transaction may take, by that of the one before.
BATCH_SIZE = 256
BATCH_SECONDS = 2.0
# Most documents and bytes between reading and writing. Many documents, because all of them wait for the
# first, which may take until its time limit.
_WINDOW_DOCUMENTS = 2048
_WINDOW_BYTES = 96 << 20
# How long an interrupted run waits for the documents in the workers.
_GRACE_SECONDS = 5.0
# How often a waiting run checks for a signal.
_CHECK_SECONDS = 0.1


class Progress(Protocol):
    """Shows the progress of a run; called in the thread that called `drive`, a few times a second."""

    def advance(self, counts: BatchCounts) -> None:
        """Show the run's counts so far; `seen` documents are done."""

    def total(self, documents: int) -> None:
        """Show how many documents the source has; called as soon as that is known."""


Write = Callable[["Engine", int, Sequence[Outcome], Settings], BatchCounts]


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended. is_interrupted: by a signal; the same command continues it.

    run_id: its row in `runs`, 0 if it has none. lesson: what was learned about sites at its end; None if it
    was interrupted. unread_dates: records whose date of publication could not be read.
    """

    run_id: int
    counts: BatchCounts
    is_interrupted: bool
    lesson: Lesson | None = None
    unread_dates: int = 0


def drive(
    engine: Engine,
    source: Iterable[DocumentOrRejection],
    *,
    workers: int,
    settings: Settings,
    command: str | None,
    job: str | None = None,
    progress: Progress | None = None,
    process: Process | None = None,
    skips_known: bool = True,
    write: Write | None = None,
    expected: int | None = None,
    pids: Callable[[], Sequence[int]] = list,
) -> Finished:
    """Bring the documents of a source into the database; return when everything is committed.

    SIGINT and SIGTERM end the run early: the documents in the workers are finished, within seconds, and
    written; a second signal ends the program at once. (Signals are caught in the main thread only.) Raises
    DatabaseError where the database cannot be written, PoolBroken where no worker can be started. What the
    source raises is raised after what was read is written. What was committed stays.

    command: as `runs` shows it; None for a run without a row there. job: see `storage.writer.start_run`.
    process: instead of `pipeline.process.process_document`. skips_known: documents that are stored already,
    by the same rules, or that are in quarantine, are not processed again and count as unchanged. write:
    instead of `storage.writer.write_batch`. expected: how many documents the source has, if that is known.
    pids: of processes of the source, which a second signal kills.
    """
    pool = WorkerPool(settings, workers, process=process or process_document)
    with stopping(lambda: [*pool.worker_pids(), *pids()]) as is_stopped, pool:
        run_id = 0 if command is None else start_run(engine, command, datetime.now(UTC), job=job)
        run = _Run(engine, run_id, settings, pool, is_stopped, progress, skips_known, write or write_batch)
        if progress and expected is not None:
            progress.total(expected)
        with reading_ahead(source, run.wake) as ahead:
            run.drive(ahead)
        if is_stopped():
            pool.kill()
        if command is not None:
            finish_run(engine, run_id, run.counts, datetime.now(UTC))
    if ahead.error is not None:
        raise ahead.error
    return Finished(run_id, run.counts, is_stopped())


@dataclass(slots=True)
class _Pending:
    """An outcome, or the future of one, in the source's order. size: of the document's body, in bytes."""

    outcome: Outcome | Future[Outcome]
    size: int

    @property
    def is_done(self) -> bool:
        return not isinstance(self.outcome, Future) or self.outcome.done()


class _Run:
    """The state of a run: the documents in the workers, and the outcomes to be written.

    wake: is set by the reading thread and by finished futures, and never by a signal handler, which might
    interrupt this thread while it holds the event's lock.
    """

    def __init__(
        self,
        engine: Engine,
        run_id: int,
        settings: Settings,
        pool: WorkerPool,
        is_stopped: Callable[[], bool],
        progress: Progress | None,
        skips_known: bool,
        write: Write,
    ) -> None:
        self.counts = BatchCounts()
        self.wake = threading.Event()
        self._engine = engine
        self._run_id = run_id
        self._settings = settings
        self._pool = pool
        self._is_stopped = is_stopped
        self._progress = progress
        self._skips_known = skips_known
        self._killed_run = killed_run_before(engine, run_id) if skips_known else None
        self._write_batch = write
        self._pending: deque[_Pending] = deque()
        self._pending_bytes = 0
        self._batch: list[Outcome] = []
        self._batch_since = 0.0
        self._batch_size = BATCH_SIZE

    def drive(self, ahead: ReadAhead) -> None:
        """Bring the documents from the source into the database, until its end or a signal."""
        try:
            self._drive_until_stopped(ahead)
        except PoolBroken:
            self._write()
            raise

    def _drive_until_stopped(self, ahead: ReadAhead) -> None:
        is_total_known = False
        while not self._is_stopped():
            self.wake.clear()
            self._admit(ahead)
            if ahead.is_done and not is_total_known:
                is_total_known = True
                if self._progress:
                    self._progress.total(ahead.documents)
            self._collect(self._is_stopped)
            if ahead.is_done and not self._pending:
                break
            self._write_if_due()
            self.wake.wait(_CHECK_SECONDS)
        if self._is_stopped():
            self._finish_begun()
        self._write()

    def _admit(self, ahead: ReadAhead) -> None:
        """Take what was read, as far as the window goes: skip known documents, submit the others."""
        while ahead.has_chunks and self._has_room():
            chunk: list[DocumentOrRejection] = []  # several, so that one query looks up many
            while ahead.has_chunks and len(chunk) < BATCH_SIZE and self._has_room():
                taken = ahead.take()
                self._pending_bytes += sum(map(body_size, taken))
                chunk += taken
            stored = self._stored(chunk) if self._skips_known else set()
            for number, item in enumerate(chunk):
                if number in stored:
                    self._pending_bytes -= body_size(item)
                elif isinstance(item, Document):
                    future = self._pool.submit(item)
                    future.add_done_callback(lambda _: self.wake.set())
                    self._pending.append(_Pending(future, len(item.body)))
                else:
                    self._pending.append(_Pending(item, 0))
            if stored:
                self._count(BatchCounts(seen=len(stored), unchanged=len(stored)))

    def _has_room(self) -> bool:
        return len(self._pending) < _WINDOW_DOCUMENTS and self._pending_bytes < _WINDOW_BYTES

    def _stored(self, chunk: Sequence[DocumentOrRejection]) -> set[int]:
        """The documents of a chunk that are stored already or in quarantine, by their number in it."""
        documents = {number: item for number, item in enumerate(chunk) if isinstance(item, Document)}
        keys = {number: source_key(document) for number, document in documents.items()}
        rules = self._settings.rules_version, self._settings.site_rules
        stored = known(self._engine, keys.values(), *rules, killed_run=self._killed_run)
        urls = {keys[number]: document.url for number, document in documents.items()}
        stored |= quarantine.held_documents(self._engine, urls, self._settings)
        return {number for number, key in keys.items() if key in stored}

    def _collect(self, is_over: Callable[[], bool]) -> None:
        """Move finished outcomes from the head of the window to the batch; write it when it is full.

        is_over: whether no more is to be moved. The window may hold many full batches.
        """
        while self._pending and self._pending[0].is_done and not is_over():
            pending = self._pending.popleft()
            self._pending_bytes -= pending.size
            outcome = pending.outcome.result() if isinstance(pending.outcome, Future) else pending.outcome
            if not self._batch:
                self._batch_since = time.monotonic()
            self._batch.append(outcome)
            if len(self._batch) >= self._batch_size:
                self._write()

    def _finish_begun(self) -> None:
        """Wait a little for the documents in the workers; the others are left for the next run."""
        self._pool.cancel_waiting()
        end = time.monotonic() + _GRACE_SECONDS
        try:
            while self._pending and time.monotonic() < end:
                self.wake.clear()
                self._collect(lambda: time.monotonic() >= end)
                if self._pending:
                    self.wake.wait(_CHECK_SECONDS)
        except CancelledError:
            pass  # what comes after a cancelled document is not written: no gaps

    def _write_if_due(self) -> None:
        if self._batch and time.monotonic() - self._batch_since >= BATCH_SECONDS:
            self._write()

    def _write(self) -> None:
        if self._batch:
            began = time.thread_time()
            counts = self._write_batch(self._engine, self._run_id, self._batch, self._settings)
            each = (time.thread_time() - began) / len(self._batch)
            # Pages of one template are compared with very many others. Readers, other writers and a signal do
            # not wait for 256 of them. Waiting for other writers is no processor time, and shortens no batch.
            self._batch_size = max(1, min(BATCH_SIZE, int(BATCH_SECONDS / max(each, 1e-6))))
            self._batch = []
            self._count(counts)

    def _count(self, counts: BatchCounts) -> None:
        self.counts = self.counts + counts
        if self._progress:
            self._progress.advance(self.counts)
