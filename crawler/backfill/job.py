"""A backfill as a command asks for it: finds the inputs, takes the folder, runs the stages on an engine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from crawler.backfill.engines import LocalEngine, Progress, SparkEngine, spark_session
from crawler.backfill.folder import Folder
from crawler.backfill.inputs import find_parts
from crawler.backfill.plan import Result, backfill
from crawler.runs import stopping
from pipeline.settings import Settings

ENGINES = ("local", "spark")


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done.

    inputs: as `find_parts` takes them, with prefix and is_listing. out: the folder to be filled. engine: one
    of ENGINES. master: of Spark; None under spark-submit. workers: worker processes, on Spark of each task.
    memory_bytes: for sorting, on Spark of each task. rows_per_bucket: outcomes that are settled at once.
    """

    inputs: Sequence[str]
    out: str
    settings: Settings
    engine: str = "local"
    master: str | None = None
    workers: int = 1
    memory_bytes: int = 2 << 30
    rows_per_bucket: int = 20_000
    prefix: str = ""
    is_listing: bool = False


def run_job(job: Job, progress: Progress) -> Result:
    """Run it to its end, or until a first SIGINT or SIGTERM, which raises `Stopped`.

    Raises FolderBusy where another process fills the folder, OperatorError for what an operator can put
    right, and PoolBroken.
    """
    parts = find_parts(job.inputs, job.settings, prefix=job.prefix, is_listing=job.is_listing)
    folder = Folder(os.path.abspath(job.out))
    with folder.locked(), _engine(job, folder, progress) as engine:
        is_local = isinstance(engine, LocalEngine)
        return backfill(
            engine,
            folder,
            parts,
            job.settings,
            workers=job.workers,
            rows_per_bucket=job.rows_per_bucket,
            task_memory=job.memory_bytes // job.workers if is_local else job.memory_bytes,
            temporary=folder.temporary if is_local else None,
        )


@contextmanager
def _engine(job: Job, folder: Folder, progress: Progress) -> Iterator[LocalEngine | SparkEngine]:
    pids: list[LocalEngine] = []
    with stopping(lambda: [pid for engine in pids for pid in engine.worker_pids()]) as is_stopped:
        if job.engine == "local":
            with LocalEngine(
                folder,
                workers=job.workers,
                memory_bytes=job.memory_bytes,
                progress=progress,
                is_stopped=is_stopped,
            ) as engine:
                pids.append(engine)
                yield engine
            return
        session = spark_session(job.master)
        try:
            yield SparkEngine(folder, session, progress=progress, is_stopped=is_stopped)
        finally:
            session.stop()
