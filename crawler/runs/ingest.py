"""Ingests files and folders: documents are processed on all cores and stored in the order of the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from crawler.files import DocumentOrRejection
from crawler.runs.drive import Finished, Progress, drive
from crawler.workers import FileReader, Process, process_document
from pipeline.document import Document
from pipeline.metadata import parse_time
from pipeline.settings import Settings
from storage.writer import require_one_fingerprint
from storage.writing import learn, with_learned

if TYPE_CHECKING:
    from storage.database import Engine


class PageSource(Iterable[DocumentOrRejection], Protocol):
    """Documents that a process fetches, as `crawler.page_process.PageReader`."""

    def pids(self) -> Sequence[int]:
        """The process ids of its processes."""


def ingest(
    engine: Engine,
    paths: Sequence[str],
    *,
    workers: int,
    settings: Settings,
    progress: Progress | None = None,
    command: str = "ingest",
    job: str | None = None,
    process: Process = process_document,
    pages: PageSource | None = None,
) -> Finished:
    """Ingest files and folders (see `crawler.files.read_paths`); return when everything is committed.

    pages: further documents, after those of the files.
    Documents that are stored already, by the same rules, count as unchanged. Lines that were learned about a
    site earlier are removed; new ones are learned at the end. For interruption and other errors see
    `crawler.runs.drive.drive`. Raises OperatorError where a path does not exist, and DatabaseError where the
    database has fingerprints of another version than the settings'.
    """
    with FileReader(paths, settings) as source:
        return ingest_documents(
            engine,
            source if pages is None else chain(source, pages),
            workers=workers,
            settings=settings,
            progress=progress,
            command=command,
            job=job,
            process=process,
            pids=source.pids if pages is None else lambda: [*source.pids(), *pages.pids()],
        )


def ingest_documents(
    engine: Engine,
    source: Iterable[DocumentOrRejection],
    *,
    workers: int,
    settings: Settings,
    progress: Progress | None = None,
    command: str = "ingest",
    job: str | None = None,
    process: Process = process_document,
    pids: Callable[[], Sequence[int]] = list,
) -> Finished:
    """As `ingest`, of documents that a program gives. pids: see `crawler.runs.drive.drive`."""
    require_one_fingerprint(engine, settings)
    dates = _UnreadDates(source)
    done = drive(
        engine,
        dates,
        workers=workers,
        settings=with_learned(engine, settings),
        command=command,
        job=job,
        progress=progress,
        process=process,
        pids=pids,
    )
    done = replace(done, unread_dates=dates.count)
    return done if done.is_interrupted else replace(done, lesson=learn(engine, soon=True))


class _UnreadDates:
    """Passes on what a source gives, and counts the records whose date of publication cannot be read."""

    def __init__(self, source: Iterable[DocumentOrRejection]) -> None:
        self._source = source
        self.count = 0

    def __iter__(self) -> Iterator[DocumentOrRejection]:
        for one in self._source:
            stated = one.claims.published_at if isinstance(one, Document) else None
            if stated and isinstance(one, Document) and parse_time(stated, one.fetched_at) is None:
                self.count += 1
            yield one
