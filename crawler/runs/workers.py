"""Worker processes: submit a document, get a future that never fails.

What a page can do to the program that reads it is not known beforehand: a parser crashes, an
expression never ends, a tree fills the memory. So each document is processed in a process that may
die of it, under a hard time limit and a memory limit, and costs itself alone.

Each worker has a socket of its own, and one thread of the parent serves them all without blocking.
(Pools whose workers share a pipe and a lock, pebble's and concurrent.futures' among them, do not
survive a worker that is killed while it holds the lock, or in the middle of a message.)
A worker is sent a few documents ahead, so that it never waits for the parent, and where many wait, several
at a time, which spares both sides most of what a message costs, and the worker what takes as long for several
as for one. When it dies, the one in hand
is at fault and the others go to another worker; if it had several in hand, each of them goes alone, and
whichever is at fault shows it again.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import resource
import selectors
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from types import TracebackType
from typing import Self, cast

from crawler.runs.messages import (
    documents_message,
    messages,
    packed,
    receive_documents,
    send_message,
    unpacked,
)
from crawler.runs.safe_start import safe_start
from pipeline.document import Document, Outcome, Reason, Rejection, Stage
from pipeline.settings import Settings

Process = Callable[[Document, Settings], Outcome]


def process_document(document: Document, settings: Settings) -> Outcome:
    """`pipeline.process.process_document`, imported where it runs: the parent never needs the parsers."""
    from pipeline import process

    return process.process_document(document, settings)


# Parcels that a worker is sent beside the one in hand, how large they may be together, and what it may hold,
# by the time that others took, and be sent another one: enough that a worker never waits, few enough that
# the last ones of a run are spread evenly, and that an interrupted run soon has what its workers hold.
_AHEAD = 8
_AHEAD_BYTES = 4 << 20
_AHEAD_SECONDS = 0.4
# Documents of a parcel, how large they may be together, and how long they may take by what others took. A
# parcel is a small part of what waits, so that the last ones are of one document. Wire texts took the parent
# three quarters of the time that they took it one at a time. Pages of multi-dev, and of wcxb-dev, take a
# worker .96 and .98 of the time of one alone where there are two of them, .88 and .92 of four, .83 and .90 of
# eight, and of sixteen as of eight.
PARCEL = 16
PARCEL_BYTES = 3 << 20
_PARCEL_SECONDS = 0.25
_PART_OF_WAITING = 8
# A worker is replaced after this many documents, or when it holds more than half of its memory limit:
# parsers and date libraries keep caches that grow.
_MAX_DOCUMENTS = 5_000
_MEMORY_BYTES = 2 << 30
# Starting includes importing the pipeline, on a loaded machine.
_START_SECONDS = 120.0
_START_ATTEMPTS = 3
_PIECE = 1 << 20
_RETIRE, _STAY = b"r", b"s"
# Workers share the cores already; threads of a linear algebra library in each would only fight.
_FORK_SERVER_VARIABLES = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class PoolBroken(RuntimeError):
    """No worker can be started. Raised by `WorkerPool.submit` and its futures; not caught: the run ends."""


@dataclass(slots=True)
class _Task:
    document: Document
    future: Future[Outcome]
    is_suspect: bool = False  # one of several that a worker had in hand when it died


@dataclass(frozen=True, slots=True)
class _Parcel:
    """What a worker is sent at once, and answers at once."""

    tasks: list[_Task]
    size: int


@dataclass(slots=True)
class _Worker:
    """A process, the parent's end of its socket, and what it was sent and has not answered yet."""

    process: ForkServerProcess
    channel: socket.socket
    since: float  # when it began with what it is doing now: to start, or the first of `parcels`
    is_ready: bool = False
    is_retiring: bool = False
    served: int = 0
    held_bytes: int = 0  # in `parcels`
    parcels: deque[_Parcel] = field(default_factory=deque)
    outgoing: deque[memoryview] = field(default_factory=deque)
    incoming: bytearray = field(default_factory=bytearray)

    @property
    def held_documents(self) -> int:
        return sum([len(parcel.tasks) for parcel in self.parcels])


class WorkerPool:
    """Processes documents in `workers` processes. A context manager; leaving it waits for what was submitted.

    process: what runs in the worker, importable by name. memory_bytes: what a worker may use beyond what
    it has at its start. max_documents: after how many it is replaced.
    """

    def __init__(
        self,
        settings: Settings,
        workers: int,
        *,
        process: Process = process_document,
        memory_bytes: int = _MEMORY_BYTES,
        max_documents: int = _MAX_DOCUMENTS,
    ) -> None:
        if workers < 1:
            raise ValueError(f"workers = {workers}: must be at least 1")
        self._settings = settings
        self._size = workers
        self._arguments = (settings, process, memory_bytes, max_documents)
        self._max_documents = max_documents
        self._lock = threading.Lock()
        self._waiting: deque[_Task] = deque()
        self._is_closing = self._is_killed = False
        self._broken: str | None = None
        self._failed_starts = 0
        # Seconds that a document lately took in a worker.
        self._pace = _PARCEL_SECONDS
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._is_woken = False
        self._thread = threading.Thread(target=self._serve, name="copydesk-workers", daemon=True)

    def __enter__(self) -> Self:
        self._selector.register(self._wake_out, selectors.EVENT_READ)
        _start_fork_server(self._arguments[1])
        atexit.register(self.kill)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        with self._lock:
            self._is_closing = True
        self._wake()
        self._thread.join()
        atexit.unregister(self.kill)

    def submit(self, document: Document) -> Future[Outcome]:
        """Queue a document and return at once. The future ends with an outcome, never with an exception.

        A hang is a Rejection of reason TIMEOUT, a crash or too much memory WORKER_DIED, an exception
        INTERNAL_ERROR. (Only `kill` and `cancel_waiting` cancel futures, and a pool that cannot start
        workers has no outcome to give: then PoolBroken is raised here and by the futures.)
        Queues without bound: the caller keeps count. Callbacks run in the pool's thread: keep them short.
        """
        task = _Task(document, Future())
        with self._lock:
            if self._broken is not None:
                raise PoolBroken(self._broken)
            if self._is_closing:
                raise PoolBroken("the pool is closed")
            self._waiting.append(task)
        self._wake()
        return task.future

    def cancel_waiting(self) -> None:
        """Cancel the futures of documents that no worker was sent yet."""
        with self._lock:
            waiting, self._waiting = self._waiting, deque()
        for task in waiting:
            task.future.cancel()
        self._wake()

    def kill(self) -> None:
        """End all workers at once and cancel what they had not finished. May be called from any thread."""
        with self._lock:
            self._is_killed = self._is_closing = True
        self._wake()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(10)

    def worker_pids(self) -> list[int]:
        """Return the process ids of the present workers."""
        return [worker.process.pid for worker in list(self._workers) if worker.process.pid is not None]

    def _wake(self) -> None:
        # A call to the system takes longer than all else that submitting does. The thread looks for what
        # there is to do after it has said that it is awake, so one call is enough for all until then.
        if not self._is_woken:
            self._is_woken = True
            with contextlib.suppress(BlockingIOError, OSError):  # full: it is going to wake up anyway
                self._wake_in.send(b"\0")

    # Everything below runs in the pool's thread.

    def _serve(self) -> None:
        try:
            while not self._is_done():
                self._start_workers()
                if self._broken is not None:
                    break
                self._assign()
                events = self._selector.select(self._patience())
                now = time.monotonic()
                for key, mask in events:
                    if key.data is None:
                        self._wake_out.recv(4096)
                        self._is_woken = False
                        continue
                    worker = cast(_Worker, key.data)
                    if mask & selectors.EVENT_READ:
                        self._read(worker, now)
                    if mask & selectors.EVENT_WRITE and worker in self._workers:
                        self._write(worker)
                self._end_overdue(now)
        finally:
            self._stop()

    def _is_done(self) -> bool:
        with self._lock:
            if self._is_killed or self._broken is not None:
                return True
            return self._is_closing and not self._waiting and not any(w.parcels for w in self._workers)

    def _patience(self) -> float | None:
        """Return seconds until the first worker is overdue; None where none is doing anything."""
        ends = [worker.since + self._limit(worker) for worker in self._workers if self._is_busy(worker)]
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    def _is_busy(self, worker: _Worker) -> bool:
        return bool(worker.parcels) or not worker.is_ready

    def _limit(self, worker: _Worker) -> float:
        return self._settings.timeout_seconds if worker.is_ready else _START_SECONDS

    def _start_workers(self) -> None:
        """Keep as many workers as asked for; one that retires is replaced before it has finished."""
        while sum(not worker.is_retiring for worker in self._workers) < self._size:
            if self._failed_starts >= _START_ATTEMPTS * self._size:
                self._broken = f"worker processes end as soon as they start ({self._failed_starts} of them)"
                return
            ours, theirs = socket.socketpair()
            process = multiprocessing.get_context("forkserver").Process(
                target=_work, args=(theirs, *self._arguments), name="copydesk-worker", daemon=True
            )
            try:
                # Starts the fork server anew if it has ended.
                with safe_start(_FORK_SERVER_VARIABLES):
                    process.start()
            except OSError as error:
                self._broken = f"no worker process can be started: {error}"
                ours.close()
                return
            finally:
                theirs.close()
            ours.setblocking(False)
            # So that a page is sent at once, and not when the worker has taken its first half.
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * _AHEAD_BYTES)
            worker = _Worker(process, ours, time.monotonic())
            self._workers.append(worker)
            self._selector.register(ours, selectors.EVENT_READ, worker)

    def _assign(self) -> None:
        """Send waiting documents to workers with room, evenly: to each its first before any its second."""
        for depth in range(1, _AHEAD + 2):
            for worker in self._workers:
                if worker.is_retiring or not worker.is_ready or len(worker.parcels) >= depth:
                    continue
                with self._lock:
                    if not self._waiting:
                        return
                    if len(self._waiting) < (depth - 1) * self._size:
                        return  # few are left: who is free first takes them
                    size = len(self._waiting[0].document.body)
                    if depth > 1 and (
                        worker.held_bytes + size > _AHEAD_BYTES
                        or worker.held_documents * self._pace > _AHEAD_SECONDS
                    ):
                        continue
                    tasks = self._next_parcel(self._max_documents - worker.served)
                if tasks:
                    self._send(worker, tasks)

    def _next_parcel(self, most: int) -> list[_Task]:
        """Take the first document that waits, and small ones after it, off the queue; holding its lock."""
        part = len(self._waiting) // (_PART_OF_WAITING * self._size)
        most = min(most, PARCEL, part, int(_PARCEL_SECONDS / self._pace))
        task = self._waiting.popleft()
        tasks, size = [task], len(task.document.body)
        while len(tasks) < most and not task.is_suspect:
            task = self._waiting[0]
            size += len(task.document.body)
            if task.is_suspect or size > PARCEL_BYTES:
                break
            tasks.append(self._waiting.popleft())
        return [task for task in tasks if not task.future.cancelled()]

    def _send(self, worker: _Worker, tasks: list[_Task]) -> None:
        if not worker.parcels:
            worker.since = time.monotonic()
        documents = [task.document for task in tasks]
        parcel = _Parcel(tasks, sum([len(document.body) for document in documents]))
        worker.parcels.append(parcel)
        worker.held_bytes += parcel.size
        worker.outgoing.extend(documents_message(documents))
        worker.served += len(tasks)
        worker.is_retiring = worker.is_retiring or worker.served >= self._max_documents
        self._write(worker)

    def _write(self, worker: _Worker) -> None:
        try:
            while worker.outgoing:
                sent = worker.channel.sendmsg(worker.outgoing)
                while sent:
                    part = worker.outgoing.popleft()
                    if sent < len(part):
                        worker.outgoing.appendleft(part[sent:])
                    sent -= min(sent, len(part))
        except BlockingIOError:
            pass
        except OSError:
            return  # dead: reading says so next
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.outgoing else 0)
        if self._selector.get_key(worker.channel).events != wanted:
            self._selector.modify(worker.channel, wanted, worker)

    def _read(self, worker: _Worker, now: float) -> None:
        try:
            data = worker.channel.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._bury(worker, None)
            return
        worker.incoming += data
        for message in messages(worker.incoming):
            self._take(worker, message, now)
        if worker.is_retiring and not worker.parcels:
            self._dismiss(worker)

    def _take(self, worker: _Worker, message: bytes, now: float) -> None:
        began, worker.since = worker.since, now
        if not worker.is_ready:
            worker.is_ready = True
            self._failed_starts = 0
            return
        worker.is_retiring = worker.is_retiring or message[:1] == _RETIRE
        parcel = worker.parcels.popleft()
        self._pace += ((now - began) / len(parcel.tasks) - self._pace) / 8
        worker.held_bytes -= parcel.size
        try:
            outcomes = unpacked(memoryview(message)[1:])
        except Exception as error:
            detail = f"unreadable answer: {error}"
            outcomes = [
                _rejection(task.document, self._settings, Reason.INTERNAL_ERROR, detail)
                for task in parcel.tasks
            ]
        for task, outcome in zip(parcel.tasks, outcomes, strict=True):
            _settle(task, outcome)

    def _end_overdue(self, now: float) -> None:
        for worker in list(self._workers):
            if self._is_busy(worker) and now >= worker.since + self._limit(worker):
                _kill(worker.process)
                limit = self._settings.timeout_seconds
                detail = f"not done within {limit:g} seconds (timeout_seconds)" if worker.is_ready else None
                self._bury(worker, detail)

    def _bury(self, worker: _Worker, overdue: str | None) -> None:
        """Take a dead worker out: the document in hand is its end, the others go back to the queue."""
        self._dismiss(worker)
        tasks = [task for parcel in worker.parcels for task in parcel.tasks]
        in_hand = worker.parcels[0].tasks if worker.parcels else []
        worker.parcels.clear()
        if not worker.is_ready:
            self._failed_starts += 1
        elif len(in_hand) > 1:
            for task in in_hand:
                task.is_suspect = True
        elif in_hand:
            task = tasks.pop(0)
            reason = Reason.WORKER_DIED if overdue is None else Reason.TIMEOUT
            detail = overdue or _manner_of_death(worker.process)
            _settle(task, _rejection(task.document, self._settings, reason, detail))
        with self._lock:
            self._waiting.extendleft(reversed(tasks))

    def _dismiss(self, worker: _Worker) -> None:
        """Forget a worker; an idle one ends by itself when its socket is closed."""
        if worker in self._workers:
            self._workers.remove(worker)
            self._selector.unregister(worker.channel)
            worker.channel.close()

    def _stop(self) -> None:
        with self._lock:
            self._is_closing = True
            waiting, self._waiting = self._waiting, deque()
        for worker in list(self._workers):
            if worker.parcels or not worker.is_ready:
                _kill(worker.process)
            waiting.extend(task for parcel in worker.parcels for task in parcel.tasks)
            self._dismiss(worker)
        for task in waiting:
            if self._broken is None:
                task.future.cancel()
            elif task.future.set_running_or_notify_cancel():
                task.future.set_exception(PoolBroken(self._broken))
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()


def _settle(task: _Task, outcome: Outcome) -> None:
    # A future stays pending until now, so that its owner may cancel it at any time.
    if task.future.set_running_or_notify_cancel():
        task.future.set_result(outcome)


def _rejection(document: Document, settings: Settings, reason: Reason, detail: str) -> Rejection:
    return Rejection(
        location=document.location,
        url=document.url,
        stage=Stage.WORKER,
        reason=reason,
        detail=detail[:500],
        at=document.fetched_at,
        rules_version=settings.rules_version,
    )


def _kill(process: ForkServerProcess) -> None:
    with contextlib.suppress(OSError, ValueError):
        process.kill()


def _manner_of_death(process: ForkServerProcess) -> str:
    process.join(5)
    code = process.exitcode
    if code is None or code >= 0:
        return f"the worker ended with status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"the worker was ended by {name}"


def _start_fork_server(process: Process) -> None:
    """Start what workers are forked from, once a program, with the pipeline read and warm for all of them.

    Not fork: the parent has threads. Not spawn: every replaced worker would import again, for seconds.
    """
    needed = "pipeline.warm" if process is process_document else process.__module__
    multiprocessing.get_context("forkserver").set_forkserver_preload([__name__, needed, "datasketch"])
    with safe_start(_FORK_SERVER_VARIABLES):
        forkserver.ensure_running()


# What runs in the worker.


def _work(
    channel: socket.socket, settings: Settings, process: Process, memory_bytes: int, max_documents: int
) -> None:
    # Ctrl-C goes to the whole process group, a service manager's SIGTERM to the whole service; the
    # parent decides when a worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    allowed = _limit_memory(memory_bytes)
    send_message(channel, _STAY)
    with contextlib.suppress(ConnectionError):
        while (documents := receive_documents(channel)) is not None:
            # The parent kills a worker that is overdue; if the parent was killed, the alarm does.
            signal.setitimer(signal.ITIMER_REAL, 2 * settings.timeout_seconds + 5)
            outcomes = _process_all(process, documents, settings)
            signal.setitimer(signal.ITIMER_REAL, 0)
            is_spent = any(map(_is_out_of_memory, outcomes)) or _held_bytes() > allowed / 2
            answer = _packed(outcomes, documents, settings)
            send_message(channel, (_RETIRE if is_spent else _STAY) + answer)


def _process_all(process: Process, documents: Sequence[Document], settings: Settings) -> list[Outcome]:
    """The outcomes of the documents. Where something goes wrong with all together, each is tried alone."""
    if process is process_document and len(documents) > 1:
        from pipeline.process import process_documents

        with contextlib.suppress(Exception):
            return [_as_told(outcome) for outcome in process_documents(documents, settings)]
    return [_process(process, document, settings) for document in documents]


def _process(process: Process, document: Document, settings: Settings) -> Outcome:
    try:
        outcome = process(document, settings)
    except MemoryError:
        return _rejection(document, settings, Reason.WORKER_DIED, _OUT_OF_MEMORY)
    except BaseException as error:  # also SystemExit: whatever it is, it ends one document
        return _rejection(document, settings, Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
    return _as_told(outcome)


def _as_told(outcome: Outcome) -> Outcome:
    """The outcome; out of memory is no fault in the program, as other exceptions are."""
    if (
        isinstance(outcome, Rejection)
        and outcome.reason is Reason.INTERNAL_ERROR
        and outcome.detail.startswith("MemoryError")
    ):
        return replace(
            outcome, stage=Stage.WORKER, reason=Reason.WORKER_DIED, detail=_OUT_OF_MEMORY, page=None
        )
    return outcome


_OUT_OF_MEMORY = "out of memory (the worker's limit)"


def _is_out_of_memory(outcome: Outcome) -> bool:
    return isinstance(outcome, Rejection) and outcome.detail == _OUT_OF_MEMORY


def _packed(outcomes: Sequence[Outcome], documents: Sequence[Document], settings: Settings) -> bytes:
    try:
        return packed(outcomes)
    except Exception:
        return packed(
            [
                _sendable(outcome, document, settings)
                for outcome, document in zip(outcomes, documents, strict=True)
            ]
        )


def _sendable(outcome: Outcome, document: Document, settings: Settings) -> Outcome:
    try:
        packed([outcome])
        return outcome
    except Exception as error:
        detail = f"the outcome cannot be sent: {type(error).__name__}: {error}"
        return _rejection(document, settings, Reason.INTERNAL_ERROR, detail)


def _limit_memory(beyond: int) -> int:
    """Limit the address space to what it is now and `beyond` bytes; returns the limit on what is held."""
    held = _held_bytes()
    with contextlib.suppress(OSError, ValueError):  # where the system has no such limit, or a lower one
        limit = _address_bytes() + beyond
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        if hard == resource.RLIM_INFINITY or limit < hard:
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    # A crash is a Rejection with its reason; a file of the dead process's memory helps nobody.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    return held + beyond


def _address_bytes() -> int:
    return _statm(0)


def _held_bytes() -> int:
    return _statm(1)


def _statm(column: int) -> int:
    """Return a figure of /proc/self/statm in bytes; 0 where the system has none."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[column]) * resource.getpagesize()
    except OSError:
        return 0
