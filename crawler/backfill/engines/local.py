"""The engine of one machine: tasks in worker processes, exchanges by DuckDB.

Memory is limited: each task gets its share of `memory_bytes`, and DuckDB writes to the disk what does not
fit.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from typing import Any, Self

import duckdb

from crawler.backfill.engines.duck import connected, copy_query, create_views, write_empty
from crawler.backfill.engines.protocol import AnyTask, Progress, Silent, Stopped, begin_stage
from crawler.backfill.folder import Folder
from crawler.backfill.pools import drop_pools, worker_pids
from crawler.workers import TaskFailed, WorkerPool
from pipeline.errors import OperatorError
from pipeline.settings import Settings

# Parts that are processed at once. They share the workers: one is read while the end of another is awaited.
_PARTS_AT_ONCE = 3
_ATTEMPTS = 3
# Tasks take as long as they take; what hangs is a page, and that has a limit of its own.
_NO_LIMIT = 7 * 24 * 3600.0
# The address space of a worker is limited, of which allocators take much more than they use.
_ADDRESSES = 4
_CHECK_SECONDS = 0.2


class LocalEngine:
    """`Engine` on one machine. A context manager; leaving it ends its processes.

    is_stopped: whether a signal asked for the end.
    """

    def __init__(
        self,
        folder: Folder,
        *,
        workers: int,
        memory_bytes: int,
        progress: Progress | None = None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._folder = folder
        self._workers = workers
        self._memory_bytes = memory_bytes
        self._progress = progress or Silent()
        self._is_stopped = is_stopped
        self._pool: WorkerPool | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.kill()

    def worker_pids(self) -> list[int]:
        """The process ids of all processes that work for it now."""
        return worker_pids() + (self._pool.worker_pids() if self._pool else [])

    def tasks(
        self,
        stage: str,
        tasks: Sequence[AnyTask],
        function: Callable[[AnyTask], None],
        *,
        has_workers: bool = False,
    ) -> None:
        """As `Engine.tasks`."""
        left = begin_stage(self._progress, stage, tasks)
        if not left:
            return
        if has_workers:
            self._in_threads(left, function)
        else:
            self._in_processes(left, function)

    def exchange(self, stage: str, sql: str, inputs: Mapping[str, str], out: str, *, by_bucket: bool) -> None:
        """As `Engine.exchange`."""
        self._progress.stage(stage, 0)
        if os.path.isdir(out):
            return
        with (
            self._folder.replacing(out) as temporary,
            connected(self._folder.temporary, self._memory_bytes, self._workers) as connection,
        ):
            create_views(connection, inputs)
            os.makedirs(temporary)
            query = copy_query(sql, temporary, by_bucket=by_bucket)
            self._interruptible(connection, query)
            write_empty(temporary, connection.sql(sql).limit(0).to_arrow_table())

    def report(self) -> Callable[[int], None] | None:
        """As `Engine.report`."""
        lock = threading.Lock()

        def report(documents: int) -> None:
            with lock:
                self._progress.advance(documents=documents)

        return report

    def _interruptible(self, connection: duckdb.DuckDBPyConnection, query: str) -> None:
        done = threading.Event()

        def watch() -> None:
            while not done.wait(_CHECK_SECONDS):
                if self._is_stopped():
                    connection.interrupt()
                    return

        watcher = threading.Thread(target=watch, name="copydesk-stop", daemon=True)
        watcher.start()
        try:
            connection.execute(query)
        except duckdb.InterruptException as error:
            raise Stopped from error
        except duckdb.OutOfMemoryException as error:
            raise OperatorError(
                f"more memory is needed than --memory allows: {_first_line(error)}"
            ) from error
        finally:
            done.set()
            watcher.join()

    def _in_threads(self, tasks: Sequence[AnyTask], function: Callable[[AnyTask], None]) -> None:
        executor = ThreadPoolExecutor(min(_PARTS_AT_ONCE, len(tasks)), thread_name_prefix="copydesk-part")
        waiting = {executor.submit(function, task) for task in tasks}
        try:
            for _ in self._finished(waiting):
                self._progress.advance(tasks=1)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
            drop_pools()
            executor.shutdown(wait=True)

    def _in_processes(self, tasks: Sequence[AnyTask], function: Callable[[AnyTask], None]) -> None:
        pool = self._started()
        queue = deque((task, 1) for task in tasks)
        running: dict[Future[None], tuple[AnyTask, int]] = {}
        while queue or running:
            while queue and len(running) < self._workers:
                task, attempt = queue.popleft()
                running[pool.run(function, task)] = task, attempt
            for future in self._finished(set(running), only_next=True):
                task, attempt = running.pop(future)
                error = future.exception()
                if isinstance(error, TaskFailed) and attempt < _ATTEMPTS:
                    queue.append((task, attempt + 1))
                elif isinstance(error, TaskFailed):
                    raise OperatorError(f"{task.name}: {error}") from error
                elif error is not None:
                    raise error
                else:
                    self._progress.advance(tasks=1)

    def _started(self) -> WorkerPool:
        if self._pool is None:
            share = self._memory_bytes // self._workers
            limits = Settings(timeout_seconds=_NO_LIMIT)
            pool = WorkerPool(limits, self._workers, memory_bytes=_ADDRESSES * share + (2 << 30))
            self._pool = pool.__enter__()
        return self._pool

    def _finished(self, waiting: set[Future[Any]], *, only_next: bool = False) -> Iterator[Future[Any]]:
        """Yield futures as they finish. Raises Stopped after a signal, and what a thread raised."""
        while waiting:
            done, waiting = wait(waiting, timeout=_CHECK_SECONDS, return_when=FIRST_COMPLETED)
            if self._is_stopped():
                raise Stopped
            for future in done:
                if not only_next:
                    try:
                        future.result()
                    except CancelledError as error:
                        raise Stopped from error
                yield future
            if done and only_next:
                return


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
