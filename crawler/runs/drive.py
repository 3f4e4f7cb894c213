"""Drives documents through the workers into the base: what `ingest` and `reprocess` have in common.

Outcomes are written in the order in which the source gave their documents, whatever worker was done
first, and a batch is one transaction. So the database always holds the outcomes of a prefix of the
source, and a run that was killed at any moment and started again ends with the same rows, ids
included, as one that was not.

Memory is bounded by what is on its way (`_WINDOW_BYTES`, `_WINDOW_DOCUMENTS`), not by the source.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from crawler.files import DocumentOrRejection
from crawler.runs.pool import WorkerPool
from crawler.runs.worker import Process, process_document
from pipeline.document import Document, Outcome
from pipeline.settings import Settings
from storage.base import source_key
from storage.reader import known, seen_locations
from storage.writer import BatchCounts, finish_run, start_run, write_batch

if TYPE_CHECKING:
    from storage.database import Engine
    from storage.writing import Lesson

# Outcomes a transaction: large enough that what every statement and commit costs is spread (64 take 1.5 times
# the processor of 256, and 512 no less), small enough that a kill costs little; and how long a finished
# outcome waits for the others.
BATCH_SIZE = 256
BATCH_SECONDS = 2.0
# What may be on its way at once, from read to written. Many documents, because the whole window waits
# behind one that takes until its time limit.
_WINDOW_DOCUMENTS = 2048
_WINDOW_BYTES = 96 << 20
# What is read ahead: chunks of this many documents or bytes, this many of them.
_CHUNK_DOCUMENTS = 64
_CHUNK_BYTES = 1 << 20
_CHUNKS_AHEAD = 4
# How long an interrupted run waits for the documents in the workers.
_GRACE_SECONDS = 5.0
# How often a waiting run looks for a signal.
_LOOK_SECONDS = 0.1


class Progress(Protocol):
    """Who watches a run; called in the thread that called `drive`, a few times a second."""

    def advance(self, counts: BatchCounts) -> None:
        """Take note of the run's counts so far; `seen` of them are done."""

    def total(self, documents: int) -> None:
        """Take note of how many documents the source has, as soon as that is known."""


Write = Callable[["Engine", int, Sequence[Outcome], Settings], BatchCounts]


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended. is_interrupted: by a signal; running the same again goes on from there.

    run_id: its row in `runs`; 0 where it has none. lesson: what was learned of sites when it was over; None
    where it was interrupted.
    """

    run_id: int
    counts: BatchCounts
    is_interrupted: bool
    lesson: Lesson | None = None


def drive(
    engine: Engine,
    source: Iterable[DocumentOrRejection],
    *,
    workers: int,
    settings: Settings,
    command: str | None,
    progress: Progress | None = None,
    process: Process | None = None,
    skips_known: bool = True,
    write: Write | None = None,
    expected: int | None = None,
) -> Finished:
    """Bring the documents of a source into the base; returns when everything is committed.

    Documents that are stored already, by the same rules, are not processed again where `skips_known`: they
    count as unchanged. SIGINT and SIGTERM end the run early: what is in the workers is finished, within
    seconds, and written; a second signal ends the program at once. (Signals are caught only in the main
    thread.) Raises DatabaseError where the database cannot be written, and what the source raises, after
    what was read is written; what was committed stays.

    command: how the run is called in `runs`; None for one that leaves no trace there. process: in place of
    `pipeline.process.process_document`. write: in place of `storage.writer.write_batch`. expected: how many
    documents the source has, where that is known beforehand.
    """
    pool = WorkerPool(settings, workers, process=process or process_document)
    with stopping(pool) as is_stopped, pool, program_at_rest():
        run_id = 0 if command is None else start_run(engine, command, datetime.now(UTC))
        run = _Run(engine, run_id, settings, pool, is_stopped, progress, skips_known, write or write_batch)
        if progress and expected is not None:
            progress.total(expected)
        with _reading_ahead(source, run) as ahead:
            run.drive(ahead)
        if is_stopped():
            pool.kill()
        if command is not None:
            finish_run(engine, run_id, run.counts, datetime.now(UTC))
    if ahead.error is not None:
        raise ahead.error
    return Finished(run_id, run.counts, is_stopped())


@contextmanager
def program_at_rest() -> Iterator[None]:
    """What is in memory now, the program above all, is not searched for garbage again and again.

    A tenth of the processor time of storing is saved by it.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@dataclass(slots=True)
class _Ahead:
    """What the reading thread has read and the run has not taken: chunks, then `is_done`."""

    chunks: deque[list[DocumentOrRejection]] = field(default_factory=deque)
    room: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_CHUNKS_AHEAD))
    documents: int = 0
    is_done: bool = False
    is_abandoned: bool = False
    error: Exception | None = None


@dataclass(slots=True)
class _Pending:
    """An outcome, or the future that becomes one, in its place in the source's order."""

    outcome: Outcome | Future[Outcome]
    size: int

    @property
    def is_done(self) -> bool:
        return not isinstance(self.outcome, Future) or self.outcome.done()


class _Run:
    """The state of one run: what is on its way, and what is ready to be written."""

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
        # Set by the reading thread and by finished futures; never by a signal handler, which may
        # interrupt this very thread while it holds the event's lock.
        self.wake = threading.Event()
        self._engine = engine
        self._run_id = run_id
        self._settings = settings
        self._pool = pool
        self._is_stopped = is_stopped
        self._progress = progress
        self._skips_known = skips_known
        self._write_batch = write
        self._pending: deque[_Pending] = deque()
        self._pending_bytes = 0
        self._batch: list[Outcome] = []
        self._batch_since = 0.0

    def drive(self, ahead: _Ahead) -> None:
        """Bring the documents from the source into the database, to the last one or until a signal."""
        is_total_told = False
        while not self._is_stopped():
            self.wake.clear()
            self._admit(ahead)
            if ahead.is_done and not ahead.chunks and not is_total_told:
                is_total_told = True
                if self._progress:
                    self._progress.total(ahead.documents)
            self._collect()
            if ahead.is_done and not ahead.chunks and not self._pending:
                break
            self._write_if_due()
            self.wake.wait(_LOOK_SECONDS)
        if self._is_stopped():
            self._finish_begun()
        self._write()

    def _admit(self, ahead: _Ahead) -> None:
        """Take chunks that were read, as far as the window goes: skip what is known, submit the rest."""
        while ahead.chunks and self._has_room():
            # All that were read while a batch was written: the base is asked once, which takes a millisecond.
            chunk: list[DocumentOrRejection] = []
            while ahead.chunks and len(chunk) < BATCH_SIZE and self._has_room():
                read = ahead.chunks.popleft()
                ahead.room.release()
                self._pending_bytes += sum(map(_size, read))
                chunk += read
            stored = self._stored(chunk) if self._skips_known else set()
            for number, item in enumerate(chunk):
                if number in stored:
                    self._pending_bytes -= _size(item)
                elif isinstance(item, Document):
                    future = self._pool.submit(item)
                    future.add_done_callback(self._on_done)
                    self._pending.append(_Pending(future, len(item.body)))
                else:
                    self._pending.append(_Pending(item, 0))
            if stored:
                self._count(BatchCounts(seen=len(stored), unchanged=len(stored)))

    def _has_room(self) -> bool:
        return len(self._pending) < _WINDOW_DOCUMENTS and self._pending_bytes < _WINDOW_BYTES

    def _stored(self, chunk: Sequence[DocumentOrRejection]) -> set[int]:
        """Which documents of a chunk are stored already, by their number in it.

        Where nothing is stored of a document's location, as of nearly all when a base grows, its body need
        not be hashed.
        """
        documents = [(number, item) for number, item in enumerate(chunk) if isinstance(item, Document)]
        seen = seen_locations(self._engine, [document.location for _, document in documents])
        keys = {number: source_key(document) for number, document in documents if document.location in seen}
        rules, own = self._settings.rules_version, self._settings.site_rules
        stored = known(self._engine, keys.values(), rules, own) if keys else set()
        return {number for number, key in keys.items() if key in stored}

    def _on_done(self, _: Future[Outcome]) -> None:
        if not self.wake.is_set():  # which asks for no lock
            self.wake.set()

    def _collect(self) -> None:
        """Move finished outcomes from the window's head into the batch; write it whenever it is full."""
        while self._pending and self._pending[0].is_done:
            pending = self._pending.popleft()
            self._pending_bytes -= pending.size
            outcome = pending.outcome.result() if isinstance(pending.outcome, Future) else pending.outcome
            if not self._batch:
                self._batch_since = time.monotonic()
            self._batch.append(outcome)
            if len(self._batch) >= BATCH_SIZE:
                self._write()

    def _finish_begun(self) -> None:
        """Wait a little for what the workers have in hand; what they have not begun is for the next run."""
        self._pool.cancel_waiting()
        end = time.monotonic() + _GRACE_SECONDS
        try:
            while self._pending and time.monotonic() < end:
                self.wake.clear()
                self._collect()
                if self._pending:
                    self.wake.wait(_LOOK_SECONDS)
        except CancelledError:
            pass  # only a prefix of the source is ever written

    def _write_if_due(self) -> None:
        if self._batch and time.monotonic() - self._batch_since >= BATCH_SECONDS:
            self._write()

    def _write(self) -> None:
        if self._batch:
            counts = self._write_batch(self._engine, self._run_id, self._batch, self._settings)
            self._batch = []
            self._count(counts)

    def _count(self, counts: BatchCounts) -> None:
        self.counts = self.counts + counts
        if self._progress:
            self._progress.advance(self.counts)


def _size(item: DocumentOrRejection) -> int:
    return len(item.body) if isinstance(item, Document) else 0


@contextmanager
def _reading_ahead(source: Iterable[DocumentOrRejection], run: _Run) -> Iterator[_Ahead]:
    """Read the source in a thread of its own, so that a slow disk or pipe keeps nobody waiting.

    A thread that is blocked in reading a pipe when the run ends is left behind: it is a daemon.
    """
    ahead = _Ahead()
    thread = threading.Thread(
        target=_read_ahead, args=(source, ahead, run.wake), name="copydesk-reader", daemon=True
    )
    thread.start()
    try:
        yield ahead
    finally:
        ahead.is_abandoned = True
        ahead.room.release()


def _read_ahead(source: Iterable[DocumentOrRejection], ahead: _Ahead, wake: threading.Event) -> None:
    chunk: list[DocumentOrRejection] = []
    size = 0
    try:
        for item in source:
            is_document = isinstance(item, Document)
            chunk.append(item)
            size += _size(item)
            ahead.documents += 1
            # A consumer with nothing to do is not kept waiting for a full chunk.
            if len(chunk) >= _CHUNK_DOCUMENTS or size >= _CHUNK_BYTES or (is_document and not ahead.chunks):
                ahead.room.acquire()
                if ahead.is_abandoned:
                    return
                ahead.chunks.append(chunk)
                chunk, size = [], 0
                wake.set()
    except Exception as error:  # raised again by `drive`, when what was read is written
        ahead.error = error
    if chunk:
        ahead.chunks.append(chunk)
    ahead.is_done = True
    wake.set()


@contextmanager
def stopping(pool: WorkerPool | None = None) -> Iterator[Callable[[], bool]]:
    """Turn the first SIGINT or SIGTERM into a flag, and the second into the end of the program."""
    received: list[int] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            for pid in pool.worker_pids() if pool else ():
                os.kill(pid, signal.SIGKILL)
            os._exit(128 + number)

    def is_stopped() -> bool:
        return bool(received)

    if threading.current_thread() is not threading.main_thread():
        yield is_stopped
        return
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield is_stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
