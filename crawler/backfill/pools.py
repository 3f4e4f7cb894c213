"""The worker pool of this process, which outlives the tasks that use it.

On Spark it lives in the Python process of an executor: a page that hangs or kills its worker costs itself,
not the task, and workers are not started anew for each part.
"""

from __future__ import annotations

import os
import pickle
import threading
from contextlib import suppress

from crawler.workers import Process, WorkerPool
from pipeline.settings import Settings

_lock = threading.Lock()
_pools: dict[tuple[int, bytes], WorkerPool] = {}


def worker_pool(settings: Settings, workers: int, process: Process) -> WorkerPool:
    """The pool for these settings, started if there is none. Raises PoolBroken.

    process: as of `WorkerPool`.
    """
    # A process that was forked has none of the workers of its parent.
    key = (os.getpid(), pickle.dumps((settings, workers, process)))
    with _lock:
        pool = _pools.get(key)
        if pool is None:
            pool = WorkerPool(settings, workers, process=process).__enter__()
            _pools[key] = pool
        return pool


def drop_pools() -> None:
    """End all workers at once; the next task starts new ones."""
    with _lock:
        pools = [pool for (pid, _), pool in _pools.items() if pid == os.getpid()]
        _pools.clear()
    for pool in pools:
        with suppress(Exception):
            pool.kill()


def worker_pids() -> list[int]:
    """The process ids of all present workers."""
    with _lock:
        return [pid for pool in _pools.values() for pid in pool.worker_pids()]
