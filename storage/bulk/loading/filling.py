"""What both databases are filled with besides the rows of files, and who is told how far it has come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow.parquet as pq
from sqlalchemy import Connection, literal, select

from pipeline.document import Reason
from storage import schema
from storage.base import set_counter
from storage.bulk.loading.folder import BackfillFolder
from storage.bulk.loading.rows import PAGE, SEARCH_ENTRY, SOURCES
from storage.database import DatabaseError, shown_url
from storage.writer import BatchCounts, finish_in, start_in
from storage.writing import learning


class Stopped(Exception):
    """Raised within a load that a signal has ended."""


@dataclass(frozen=True, slots=True)
class Watch:
    """advance: called with how many more rows were loaded. is_stopped: whether a signal has come."""

    advance: Callable[[int], None]
    is_stopped: Callable[[], bool]

    def loaded(self, rows: int) -> None:
        """Raises Stopped."""
        self.advance(rows)
        if self.is_stopped():
            raise Stopped


@dataclass(frozen=True, slots=True)
class Load:
    """A load into an empty database. command, job: of the run. at: when it began, aware.

    sketches: ids of index versions. counts: of the run. articles: ids and numbers of changes are 1 to this.
    """

    folder: BackfillFolder
    command: str
    job: str
    at: datetime
    sketches: dict[str, int]
    counts: BatchCounts
    articles: int
    pages: int

    def begin(self, connection: Connection) -> int:
        """Starts the run; returns its id. Raises DatabaseError if the database is not empty any more."""
        if not is_empty(connection):
            raise DatabaseError(
                f"{shown_url(connection.engine)} was written to in this moment: run the same command again"
            )
        return start_in(connection, self.command, self.at, job=self.job)

    def finish(self, connection: Connection, run_id: int) -> None:
        """Writes what follows from the rows: the next ids, and the counts of the run."""
        last = {"article": self.articles, "page": self.pages, learning.CURSOR: self.articles}
        for name, value in last.items():
            set_counter(connection, name, value)
        finish_in(connection, run_id, self.counts, datetime.now(UTC))


def is_empty(connection: Connection) -> bool:
    """Whether the database has nothing that an article could meet. There may be runs, and states of feeds."""
    return not any(connection.scalar(select(literal(1)).select_from(table).limit(1)) for table in _MET)


_MET = (
    schema.article,
    schema.change,
    schema.document,
    schema.page,
    schema.quarantine,
    schema.rejection,
    schema.sighting,
    schema.sketch,
    schema.tombstone,
    schema.watchlist,
)


def make_load(folder: BackfillFolder, command: str, job: str, at: datetime) -> Load:
    versions = sorted(
        {
            version
            for part in folder.parts("rows/signature")
            for version in pq.read_table(part, columns=["sketch"])["sketch"].unique().to_pylist()
        }
    )
    return Load(
        folder,
        command,
        job,
        at,
        {version: id for id, version in enumerate(versions, 1)},
        _counts(folder),
        _greatest(folder, "articles"),
        _greatest(folder, "rows/page"),
    )


def row_count(folder: BackfillFolder) -> int:
    """How many rows a load into an empty database reports to `Watch`."""
    sources = (*SOURCES, SEARCH_ENTRY, PAGE)
    return sum(folder.row_count(source.datasets[0]) for source in sources)


def _greatest(folder: BackfillFolder, dataset: str) -> int:
    """The greatest id; 0 if there is no row."""
    found = 0
    for part in folder.parts(dataset):
        with pq.ParquetFile(part) as file:
            for batch in file.iter_batches(columns=["id"]):
                found = max(found, max(batch.column("id").to_pylist(), default=0))
    return found


def _counts(folder: BackfillFolder) -> BatchCounts:
    """What the run of an ingest of the same documents counts."""
    counts: Mapping[str, Any] = folder.manifest["counts"]
    ends: Mapping[str, int] = counts["documents"]
    reasons = {Reason(name): count for name, count in sorted(counts["reasons"].items())}
    return BatchCounts(seen=sum(ends.values()), **ends, grouped=counts["grouped"], reasons=reasons)
