"""The first stage: the documents of a part through the pipeline, into the tables of outcomes and pages."""

from __future__ import annotations

from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crawler.backfill.fetching import on_this_machine
from crawler.backfill.folder import Folder
from crawler.backfill.inputs import Found, Part
from crawler.backfill.pools import drop_pools, worker_pool
from crawler.files import DocumentOrRejection
from crawler.workers import FileReader, PoolBroken, Process, process_document
from pipeline.batch import OUTCOMES, PAGES, outcomes_table, pages_table, shard_of
from pipeline.document import Article, Document, Outcome
from pipeline.settings import Settings
from storage.base import checked

STAGE = "process"

LINKS = pa.schema([("shard", pa.int32()), ("other", pa.int32())])
"""Shards that must be settled together, because outcomes of both have the same location. shard < other."""

# Documents and bytes of a part between reading and writing, and of a row group.
_WINDOW_DOCUMENTS = 1_024
_WINDOW_BYTES = 48 << 20
_GROUP_DOCUMENTS = 2_000
_GROUP_BYTES = 24 << 20
# The ordinal of a document within its part has so many bits of its sequence.
ORDINAL_BITS = 32


@dataclass(frozen=True, slots=True)
class ProcessTask:
    """A part to be processed."""

    name: str
    done: str
    part: Part


def process_tasks(folder: Folder, parts: Sequence[Part]) -> list[ProcessTask]:
    """A task for each part, the largest first, so that the last to end are small."""
    tasks = [
        ProcessTask(name, folder.done(STAGE, name), part)
        for part, name in ((part, f"part-{part.number:06}") for part in parts)
    ]
    return sorted(tasks, key=lambda task: -task.part.size)


def process_part(
    task: ProcessTask,
    *,
    folder: Folder,
    settings: Settings,
    workers: int,
    report: Callable[[int], None] | None = None,
    process: Process = process_document,
) -> None:
    """Process a part and write its outcomes, pages and links.

    report: takes how many more documents are done. process: as of `WorkerPool`.
    Raises OperatorError where a remote file cannot be fetched, and PoolBroken where no worker can be started.
    """
    name = f"{task.name}.parquet"
    try:
        with (
            folder.replacing(folder.path("outcomes", name)) as outcomes,
            folder.replacing(folder.path("pages", name)) as pages,
            folder.replacing(folder.work(f"links/{name}")) as links,
        ):
            with _Writer(outcomes, pages, task.part.number << ORDINAL_BITS) as writer:
                for outcome in _outcomes(task.part, settings, workers, process):
                    writer.add(outcome)
                    if report is not None:
                        report(1)
            pq.write_table(writer.links(), links)
    except PoolBroken:
        drop_pools()  # another attempt begins with new workers
        raise
    folder.write_json(task.done, writer.counts)


def _outcomes(part: Part, settings: Settings, workers: int, process: Process) -> Iterator[Outcome]:
    """The outcomes of the documents of a part, in their order."""
    pool = worker_pool(settings, workers, process)
    waiting: deque[tuple[Outcome | Future[Outcome], int]] = deque()
    held = 0
    try:
        for item in _documents(part.files, settings):
            size = len(item.body) if isinstance(item, Document) else 0
            waiting.append((pool.submit(item) if isinstance(item, Document) else item, size))
            held += size
            while waiting and (
                len(waiting) > _WINDOW_DOCUMENTS or held > _WINDOW_BYTES or _is_done(waiting[0][0])
            ):
                outcome, size = waiting.popleft()
                held -= size
                yield outcome.result() if isinstance(outcome, Future) else outcome
        while waiting:
            outcome, _ = waiting.popleft()
            yield outcome.result() if isinstance(outcome, Future) else outcome
    finally:
        for outcome, _ in waiting:
            if isinstance(outcome, Future):
                outcome.cancel()


def _is_done(outcome: Outcome | Future[Outcome]) -> bool:
    return not isinstance(outcome, Future) or outcome.done()


def _documents(files: Sequence[Found], settings: Settings) -> Iterator[DocumentOrRejection]:
    with ExitStack() as fetched:
        here = (fetched.enter_context(on_this_machine(file, settings)) for file in files)
        reader = fetched.enter_context(FileReader.of_files(here, settings))
        yield from reader


class _Writer:
    """Writes outcomes and their pages in row groups, and notes which shards belong together."""

    def __init__(self, outcomes: str, pages: str, first: int) -> None:
        self.counts: Counter[str] = Counter()
        self._next = first
        self._group: list[Outcome] = []
        self._size = 0
        # Shards of each outcome: of its location, and of what it is settled by.
        self._shards = array("i"), array("i")
        # Bodies are compressed already.
        self._outcomes = pq.ParquetWriter(outcomes, OUTCOMES, compression="zstd")
        self._pages = pq.ParquetWriter(pages, PAGES, compression="none", use_dictionary=False)

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._flush()
        self._outcomes.close()
        self._pages.close()

    def add(self, outcome: Outcome) -> None:
        stored = checked(outcome)
        self.counts["outcomes"] += 1
        if isinstance(stored, Article):
            self.counts["articles"] += 1
            self._note(stored.location, stored.url)
        else:
            self.counts["rejections"] += 1
            self.counts["faults"] += stored.reason.is_fault
            self._note(stored.location, stored.location)
        self._group.append(stored)
        self._size += 4_000 + (len(stored.page.compressed) if stored.page else 0)
        if len(self._group) >= _GROUP_DOCUMENTS or self._size >= _GROUP_BYTES:
            self._flush()

    def links(self) -> pa.Table:
        """The table LINKS: outcomes of one location are settled together, whichever URLs they have."""
        location, key = (np.frombuffer(shards, dtype=np.int32) for shards in self._shards)
        order = np.lexsort((key, location))
        location, key = location[order], key[order]
        is_linked = (location[1:] == location[:-1]) & (key[1:] != key[:-1])
        found = np.unique(np.stack((key[:-1][is_linked], key[1:][is_linked]), axis=1), axis=0)
        return pa.table([found[:, 0], found[:, 1]], schema=LINKS)

    def _note(self, location: str, key: str) -> None:
        for shards, name in zip(self._shards, (location, key), strict=True):
            shards.append(shard_of(name))

    def _flush(self) -> None:
        if self._group:
            sequences = range(self._next, self._next + len(self._group))
            outcomes = outcomes_table(self._group, sequences)
            self.counts["bytes"] += outcomes.nbytes
            self._outcomes.write_table(outcomes)
            self._pages.write_table(pages_table(self._group, sequences))
            self._next += len(self._group)
            self._group, self._size = [], 0
