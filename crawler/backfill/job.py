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
from pipeline.errors import OperatorError
from pipeline.settings import Settings

ENGINES = ("local", "spark")

# What sorting may use, if nobody says how much: of this machine, and of each task on Spark.
_MEMORY = {"local": 2 << 30, "spark": 512 << 20}


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done.

    inputs: as `find_parts` takes them, with prefix and is_listing. out: the folder to be filled. engine: one
    of ENGINES. master: of Spark; None under spark-submit. workers: worker processes, one a core for None; on
    Spark of each task, one for None. memory_bytes: for sorting, 2 GiB for None; on Spark of each task, 512
    MiB for None. rows_per_bucket: outcomes that are settled at once.
    """

    inputs: Sequence[str]
    out: str
    settings: Settings
    engine: str = "local"
    master: str | None = None
    workers: int | None = None
    memory_bytes: int | None = None
    rows_per_bucket: int = 20_000
    prefix: str = ""
    is_listing: bool = False


def run_job(job: Job, progress: Progress) -> Result:
    """Run it to its end, or until a first SIGINT or SIGTERM, which raises `Stopped`.

    Raises FolderBusy where another process fills the folder, OperatorError for what an operator can put
    right, and PoolBroken.
    """
    if job.engine not in ENGINES:
        raise OperatorError(f"engine {job.engine}: write one of {', '.join(ENGINES)}")
    if job.master is not None and job.engine != "spark":
        raise OperatorError("a master is for the engine spark")
    is_local = job.engine == "local"
    workers = job.workers or ((os.cpu_count() or 1) if is_local else 1)
    memory = job.memory_bytes or _MEMORY[job.engine]
    parts = find_parts(job.inputs, job.settings, prefix=job.prefix, is_listing=job.is_listing)
    folder = Folder(os.path.abspath(job.out))
    with folder.locked(), _engine(job, folder, progress, workers, memory) as engine:
        return backfill(
            engine,
            folder,
            parts,
            job.settings,
            workers=workers,
            rows_per_bucket=job.rows_per_bucket,
            task_memory=memory // workers if is_local else memory,
            temporary=folder.temporary if is_local else None,
        )


@contextmanager
def _engine(
    job: Job, folder: Folder, progress: Progress, workers: int, memory_bytes: int
) -> Iterator[LocalEngine | SparkEngine]:
    pids: list[LocalEngine] = []
    with stopping(lambda: [pid for engine in pids for pid in engine.worker_pids()]) as is_stopped:
        if job.engine == "local":
            with LocalEngine(
                folder,
                workers=workers,
                memory_bytes=memory_bytes,
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
