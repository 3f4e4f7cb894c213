"""A pool of worker processes: documents through the pipeline, or calls of a function, each with hard limits.

A page, feed or sitemap may crash a parser, keep it busy without end or fill the memory. So each one is
processed in a process that may die of it, under a time limit and a memory limit, and costs itself alone.

Each worker has a socket of its own, and one thread of the parent serves all of them without blocking. Pools
whose workers share a pipe and a lock, such as pebble's and concurrent.futures', do not survive a worker that
is killed while it holds the lock or is in the middle of a message (pebble 5.2 hangs).

A worker is sent several messages ahead, so that it never waits for the parent. Where many documents wait, a
message has several. When a worker dies, its current message is at fault and the rest go to another worker. If
that message has several documents, each is then sent alone, and the one at fault fails again.

Calls go before documents. During a crawl they read feeds and sitemaps, and a site whose feed waits behind the
documents of another site would not get its share of the crawl.
"""

from __future__ import annotations

import atexit
import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from itertools import takewhile
from multiprocessing.context import ForkServerProcess
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar, cast

from crawler.workers.fork_server import (
    cannot_start,
    kill_process,
    manner_of_death,
    start_fork_server,
    start_worker,
)
from crawler.workers.messages import Call, Raised, TaskFailed, answer, complete, frame
from crawler.workers.worker import Process, process_document, rejection, serve
from pipeline.document import Document, Outcome, Reason, Rejection, has_cost_worker
from pipeline.errors import OperatorError
from pipeline.settings import Settings

T = TypeVar("T")

# For the sizes of messages see docs/tuning.md, "Messages to workers".
# Limits of the messages that a worker is sent ahead, besides its current one: their number, their size
# together, and their time, estimated from other documents.
_MESSAGES_AHEAD = 8
_AHEAD_BYTES = 4 << 20
_AHEAD_SECONDS = 0.4
# Limits of one message: its documents, their size together, their time, and the part of the queue that one
# worker gets at once, so that the last documents are spread evenly.
MESSAGE_DOCUMENTS = 16
MESSAGE_BYTES = 3 << 20
_MESSAGE_SECONDS = 0.25
_PART_OF_QUEUE = 8
# A worker is replaced after so many tasks, or when it holds more than half of its memory limit: parsers and
# date libraries keep caches that grow.
_MAX_TASKS = 5_000
MEMORY_BYTES = 2 << 30
# Starting includes importing the pipeline, on a loaded machine.
_START_SECONDS = 120.0
_START_ATTEMPTS = 3
# The pause after a start that failed, multiplied by the number of failures in a row. A fork server that was
# killed needs a moment until it is started again.
_START_PAUSE = 0.1
_RECEIVE_BYTES = 1 << 20


def modules_of_workers(process: Process) -> list[str]:
    """The modules that workers need, to be imported once, by the fork server."""
    needed = "pipeline.warm" if process is process_document else process.__module__
    return ["crawler.workers.worker", needed]


class PoolBroken(OperatorError):
    """No worker can be started. It ends the run.

    Raised by `WorkerPool.__enter__`, `submit`, `run` and their futures.
    """


class PoolClosed(PoolBroken):
    """The pool was left or killed before the task was submitted, as at Ctrl-C."""


class BudgetSpent(Exception):
    """The account of a task was spent before a worker took it. Raised by its future."""


class Account(Protocol):
    """What the time of workers is charged to; called in the pool's thread."""

    def charge(self, seconds: float, *, has_failed: bool) -> None:
        """Charge the seconds that a task took in a worker. has_failed: it hung or killed the worker."""

    @property
    def is_spent(self) -> bool:
        """True if no further task may begin."""


@dataclass(slots=True)
class _Task:
    work: Document | Call
    future: Future[Any]
    account: Account | None = None
    is_suspect: bool = False  # one of several in the message of a worker that died: is sent alone

    @property
    def size(self) -> int:
        return len(self.work.body) if isinstance(self.work, Document) else 0

    @property
    def goes_alone(self) -> bool:
        return self.is_suspect or isinstance(self.work, Call)


@dataclass(frozen=True, slots=True)
class _Sent:
    """The tasks of one message that is not answered yet. size: in bytes."""

    tasks: list[_Task]
    size: int


@dataclass(slots=True)
class _Worker:
    """A process, the parent's end of its socket, and the messages that it has not answered yet."""

    process: ForkServerProcess
    channel: socket.socket
    since: float  # when it began what it is doing now: starting, or the first of `sent`
    is_ready: bool = False
    is_retiring: bool = False
    tasks_sent: int = 0
    sent: deque[_Sent] = field(default_factory=deque)
    outgoing: deque[memoryview] = field(default_factory=deque)
    incoming: bytearray = field(default_factory=bytearray)

    @property
    def is_busy(self) -> bool:
        return bool(self.sent) or not self.is_ready

    @property
    def held_tasks(self) -> int:
        return sum(len(sent.tasks) for sent in self.sent)

    @property
    def held_bytes(self) -> int:
        return sum(sent.size for sent in self.sent)


class WorkerPool:
    """Processes documents and makes calls in `workers` processes.

    A context manager; leaving it waits for everything that was submitted.
    process: what is done with a document, importable by name. memory_bytes: what a worker may use beyond what
    it has at its start. max_tasks: after how many documents and calls it is replaced.
    """

    def __init__(
        self,
        settings: Settings,
        workers: int,
        *,
        process: Process = process_document,
        memory_bytes: int = MEMORY_BYTES,
        max_tasks: int = _MAX_TASKS,
    ) -> None:
        if workers < 1:
            raise ValueError(f"workers = {workers}: must be at least 1")
        self._settings = settings
        self._size = workers
        self._process = process
        self._memory_bytes = memory_bytes
        self._max_tasks = max_tasks
        self._lock = threading.Lock()
        self._queue: deque[_Task] = deque()
        self._is_closing = self._is_killed = self._is_stopped = False
        self._broken: str | None = None
        self._failed_starts = 0
        # Moving average of the seconds that a document takes in a worker.
        self._pace = _MESSAGE_SECONDS
        self._workers: list[_Worker] = []
        # What the starting thread has made: a process and our end of its socket, or the reason for none.
        self._started: deque[tuple[ForkServerProcess, socket.socket] | Exception] = deque()
        self._starting_since: float | None = None
        self._next_start = 0.0
        self._fault = ""
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._thread = threading.Thread(target=self._serve, name="copydesk-workers", daemon=True)

    def __enter__(self) -> Self:
        try:
            start_fork_server(modules_of_workers(self._process))
        except OSError as error:
            raise PoolBroken(cannot_start(error)) from error
        self._selector.register(self._wake_out, selectors.EVENT_READ)
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

    def submit(self, document: Document, account: Account | None = None) -> Future[Outcome]:
        """Queue a document and return at once. The future ends with an outcome, never with an exception.

        A document over the time limit is a Rejection of reason TIMEOUT, a crash or too much memory
        WORKER_DIED, both with the page; an exception INTERNAL_ERROR. account: is charged the time in a
        worker; where it is spent before a worker takes the document, the future raises BudgetSpent. Only
        `kill` and `cancel_waiting` cancel futures. Where no worker can be started, PoolBroken is raised here
        and by the futures. The queue has no limit: the caller keeps count. Callbacks run in the pool's
        thread: keep them short.
        """
        return self._enqueue(document, account)

    def run(self, function: Callable[..., T], *arguments: Any, account: Account | None = None) -> Future[T]:
        """Queue a call of a function that a worker can import by its name; return at once.

        It goes before the documents that wait, and after the calls that do. The future ends with what the
        function returns or raises. It raises TaskFailed where the call took too long (the settings'
        timeout_seconds), or the worker died or ran out of memory. As for the rest, see `submit`.
        """
        return self._enqueue(Call(function, arguments), account)

    def cancel_waiting(self) -> None:
        """Cancel the futures of tasks that were not sent to a worker yet."""
        with self._lock:
            waiting, self._queue = self._queue, deque()
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

    def _enqueue(self, work: Document | Call, account: Account | None) -> Future[Any]:
        task = _Task(work, Future(), account)
        with self._lock:
            if self._broken is not None:
                raise PoolBroken(self._broken)
            if self._is_closing:
                raise PoolClosed("the pool is closed")
            if isinstance(work, Call):
                self._queue.insert(_first_document(self._queue), task)
            else:
                self._queue.append(task)
        self._wake()
        return task.future

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):  # full: the thread is going to wake up anyway
            self._wake_in.send(b"\0")

    # Everything below runs in the pool's thread.

    def _serve(self) -> None:
        try:
            while not self._is_done():
                self._start_workers()
                if self._broken is not None:
                    break
                self._assign()
                events = self._selector.select(self._seconds_until_overdue())
                now = time.monotonic()
                for key, mask in events:
                    if key.data is None:
                        self._wake_out.recv(4096)
                        continue
                    worker = cast(_Worker, key.data)
                    if mask & selectors.EVENT_READ:
                        self._read(worker, now)
                    if mask & selectors.EVENT_WRITE and worker in self._workers:
                        self._write(worker)
                self._end_overdue(now)
        except Exception as error:  # none is expected; without this every future would wait for ever
            self._broken = f"the thread of the workers failed: {type(error).__name__}: {error}"
        finally:
            self._stop()

    def _is_done(self) -> bool:
        with self._lock:
            if self._is_killed or self._broken is not None:
                return True
            return self._is_closing and not self._queue and not any(w.sent for w in self._workers)

    def _seconds_until_overdue(self) -> float | None:
        """Return seconds until something is overdue, or the next worker may be started; None for neither."""
        ends = [worker.since + self._limit(worker) for worker in self._workers if worker.is_busy]
        if self._starting_since is not None:
            ends.append(self._starting_since + _START_SECONDS)
        elif self._missing_workers():
            ends.append(self._next_start)
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    def _limit(self, worker: _Worker) -> float:
        return self._settings.timeout_seconds if worker.is_ready else _START_SECONDS

    def _missing_workers(self) -> int:
        return self._size - sum(not worker.is_retiring for worker in self._workers)

    def _start_workers(self) -> None:
        """Keep as many workers as asked for; one that retires is replaced before it has finished.

        Another thread starts them, one at a time: while the fork server is stopped, a start does not return.
        """
        now = time.monotonic()
        if self._started:
            self._take_started(self._started.popleft(), now)
        if self._starting_since is not None:
            if now >= self._starting_since + _START_SECONDS:
                self._broken = (
                    f"the server that starts worker processes did not answer for {_START_SECONDS:g} s"
                )
        elif self._missing_workers() and now >= self._next_start:
            if self._failed_starts >= _START_ATTEMPTS * self._size:
                self._broken = self._fault
                return
            self._starting_since = now
            threading.Thread(target=self._start_process, name="copydesk-start", daemon=True).start()

    def _start_process(self) -> None:
        """Start a worker process; what the starting thread does."""
        ours, theirs = socket.socketpair()
        try:
            process = start_worker(serve, (theirs, self._settings, self._process, self._memory_bytes))
        except Exception as error:
            ours.close()
            self._started.append(error)
        else:
            with self._lock:
                if self._is_stopped:
                    kill_process(process)
                    ours.close()
                    return
                self._started.append((process, ours))
        finally:
            theirs.close()
        self._wake()

    def _take_started(self, started: tuple[ForkServerProcess, socket.socket] | Exception, now: float) -> None:
        self._starting_since = None
        if isinstance(started, Exception):
            self._note_failed_start(cannot_start(started))
            return
        process, ours = started
        ours.setblocking(False)
        # Room for what is sent ahead, so that the parent need not wait until the worker reads.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * _AHEAD_BYTES)
        worker = _Worker(process, ours, now)
        self._workers.append(worker)
        self._selector.register(ours, selectors.EVENT_READ, worker)

    def _note_failed_start(self, fault: str) -> None:
        self._failed_starts += 1
        self._fault = f"{fault} ({self._failed_starts} attempts)"
        self._next_start = time.monotonic() + _START_PAUSE * self._failed_starts

    def _assign(self) -> None:
        """Send tasks from the queue to workers with room: to each its first message before any its second."""
        for depth in range(_MESSAGES_AHEAD + 1):
            for worker in self._workers:
                if worker.is_retiring or not worker.is_ready or len(worker.sent) > depth:
                    continue
                tasks: list[_Task] = []
                while not tasks:
                    with self._lock:
                        if not self._queue or len(self._queue) < depth * self._size:
                            return  # few are left: the worker that is free first takes them
                        if depth and not self._has_room(worker, self._queue[0].size):
                            break
                        tasks = self._next_tasks(self._max_tasks - worker.tasks_sent)
                    tasks = _within_budget(tasks)
                if tasks:
                    self._send(worker, tasks)

    def _has_room(self, worker: _Worker, size: int) -> bool:
        is_soon_done = worker.held_tasks * self._pace <= _AHEAD_SECONDS
        return worker.held_bytes + size <= _AHEAD_BYTES and is_soon_done

    def _next_tasks(self, most: int) -> list[_Task]:
        """Take the next message off the queue: a call alone, or some documents. Needs the lock."""
        fair = len(self._queue) // (_PART_OF_QUEUE * self._size)
        most = min(most, MESSAGE_DOCUMENTS, fair, int(_MESSAGE_SECONDS / self._pace))
        tasks = [self._queue.popleft()]
        size = tasks[0].size
        while len(tasks) < most and not tasks[0].goes_alone and not self._queue[0].goes_alone:
            size += self._queue[0].size
            if size > MESSAGE_BYTES:
                break
            tasks.append(self._queue.popleft())
        return [task for task in tasks if not task.future.cancelled()]

    def _send(self, worker: _Worker, tasks: list[_Task]) -> None:
        first = tasks[0].work
        try:
            message = frame(first if isinstance(first, Call) else [task.work for task in tasks])
        except Exception as error:  # a function or an argument that cannot be pickled
            for task in tasks:
                self._fail(task, Reason.INTERNAL_ERROR, f"cannot be sent: {type(error).__name__}: {error}")
            return
        if not worker.sent:
            worker.since = time.monotonic()
        worker.sent.append(_Sent(tasks, len(message)))
        worker.outgoing.append(message)
        worker.tasks_sent += len(tasks)
        worker.is_retiring = worker.is_retiring or worker.tasks_sent >= self._max_tasks
        self._write(worker)

    def _write(self, worker: _Worker) -> None:
        try:
            while worker.outgoing:
                message = worker.outgoing[0]
                sent = worker.channel.send(message)
                if sent == len(message):
                    worker.outgoing.popleft()
                else:
                    worker.outgoing[0] = message[sent:]
        except BlockingIOError:
            pass
        except OSError:
            return  # dead: reading shows it next
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.outgoing else 0)
        if self._selector.get_key(worker.channel).events != wanted:
            self._selector.modify(worker.channel, wanted, worker)

    def _read(self, worker: _Worker, now: float) -> None:
        try:
            data = worker.channel.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._bury(worker, None)
            return
        worker.incoming += data
        for content in complete(worker.incoming):
            self._take(worker, content, now)
        if worker.is_retiring and not worker.sent:
            self._dismiss(worker)

    def _take(self, worker: _Worker, content: bytes, now: float) -> None:
        """Take a worker's answer to its current message."""
        began, worker.since = worker.since, now
        if not worker.is_ready:
            worker.is_ready = True
            self._failed_starts = 0
            return
        tasks = worker.sent.popleft().tasks
        _charge(tasks, now - began, has_failed=False)
        if isinstance(tasks[0].work, Document):
            self._pace += ((now - began) / len(tasks) - self._pace) / 8
        try:
            found = answer(content)
        except Exception as error:
            for task in tasks:
                self._fail(task, Reason.INTERNAL_ERROR, f"unreadable answer: {error}")
            return
        worker.is_retiring = worker.is_retiring or found.is_spent
        for task, result in zip(tasks, found.results, strict=True):
            if isinstance(result, Raised):
                _settle(task, error=result.error)
            elif isinstance(task.work, Document):
                _settle(task, _with_page(result, task.work))
            else:
                _settle(task, result)

    def _fail(self, task: _Task, reason: Reason, detail: str) -> None:
        """End a task without a result: a document with a Rejection, a call with TaskFailed."""
        if isinstance(task.work, Document):
            _settle(task, _with_page(rejection(task.work, self._settings, reason, detail), task.work))
        else:
            _settle(task, error=TaskFailed(reason, detail))

    def _end_overdue(self, now: float) -> None:
        for worker in list(self._workers):
            if worker.is_busy and now >= worker.since + self._limit(worker):
                kill_process(worker.process)
                limit = self._settings.timeout_seconds
                detail = f"not done within {limit:g} seconds (timeout_seconds)" if worker.is_ready else None
                self._bury(worker, detail)

    def _bury(self, worker: _Worker, overdue: str | None) -> None:
        """Remove a dead worker. Its current task failed; the other tasks go back to the queue."""
        self._dismiss(worker)
        tasks = [task for sent in worker.sent for task in sent.tasks]
        in_hand = worker.sent[0].tasks if worker.sent else []
        worker.sent.clear()
        if worker.is_ready and in_hand:
            _charge(in_hand, time.monotonic() - worker.since, has_failed=True)
        if not worker.is_ready:
            self._note_failed_start("worker processes end as soon as they start")
        elif len(in_hand) > 1:
            for task in in_hand:
                task.is_suspect = True
        elif in_hand:
            reason = Reason.WORKER_DIED if overdue is None else Reason.TIMEOUT
            self._fail(tasks.pop(0), reason, overdue or manner_of_death(worker.process))
        with self._lock:
            self._queue.extendleft(reversed(tasks))

    def _dismiss(self, worker: _Worker) -> None:
        """Forget a worker; an idle one ends when its socket is closed."""
        if worker in self._workers:
            self._workers.remove(worker)
            self._selector.unregister(worker.channel)
            worker.channel.close()

    def _stop(self) -> None:
        with self._lock:
            self._is_closing = self._is_stopped = True
            waiting, self._queue = self._queue, deque()
            unused, self._started = self._started, deque()
        for started in unused:
            if not isinstance(started, Exception):
                kill_process(started[0])
                started[1].close()
        for worker in list(self._workers):
            if worker.is_busy:
                kill_process(worker.process)
            waiting.extend(task for sent in worker.sent for task in sent.tasks)
            self._dismiss(worker)
        for task in waiting:
            if self._broken is None:
                task.future.cancel()
            else:
                _settle(task, error=PoolBroken(self._broken))
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()


def _first_document(queue: Iterable[_Task]) -> int:
    """The place of the first document in a queue; its length where there is none."""
    return sum(1 for _ in takewhile(lambda task: isinstance(task.work, Call), queue))


def _within_budget(tasks: Sequence[_Task]) -> list[_Task]:
    """The tasks without those whose account is spent, which end here."""
    kept = []
    for task in tasks:
        if task.account is not None and task.account.is_spent:
            _settle(task, error=BudgetSpent("its budget is spent"))
        else:
            kept.append(task)
    return kept


def _charge(tasks: Sequence[_Task], seconds: float, *, has_failed: bool) -> None:
    """Charge the time of a message, in equal parts, to the accounts of its tasks."""
    for task in tasks:
        if task.account is not None:
            task.account.charge(seconds / len(tasks), has_failed=has_failed)


def _with_page(outcome: Outcome, document: Document) -> Outcome:
    """The outcome; with the page where the worker hung or died, so that it can be tried again."""
    if not isinstance(outcome, Rejection) or outcome.page is not None or not has_cost_worker(outcome):
        return outcome
    from pipeline.page import compressed_page  # the parent needs no parsers but for this

    return replace(outcome, page=compressed_page(document))


def _settle(task: _Task, result: Any = None, error: Exception | None = None) -> None:
    # A future stays pending until now, so that its owner may cancel it at any time.
    if not task.future.set_running_or_notify_cancel():
        return
    if error is not None:
        task.future.set_exception(error)
    else:
        task.future.set_result(result)
