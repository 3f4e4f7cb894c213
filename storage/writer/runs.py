"""Runs, and how their documents ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update

from pipeline.document import Reason
from storage import schema
from storage.base import storable_name, without_secrets
from storage.database import in_transaction, persistently
from storage.watching import match_after_run


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """How the documents of a batch, or of a run, ended; each in exactly one way.

    seen = stored + revised + updated + unchanged + rejected.
    stored: new articles. revised: other texts of known articles. updated: known bytes that different rules
    or other source data made another article of. unchanged: nothing new in them. rejected: not an article;
    `reasons` has them by reason. grouped: of those stored, revised or updated, how many have a copy.
    """

    seen: int = 0
    stored: int = 0
    revised: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    grouped: int = 0
    reasons: Mapping[Reason, int] = field(default_factory=dict)

    def __add__(self, other: BatchCounts) -> BatchCounts:
        sums = {
            f.name: getattr(self, f.name) + getattr(other, f.name)
            for f in fields(self)
            if f.name != "reasons"
        }
        reasons = {
            reason: self.reasons.get(reason, 0) + other.reasons.get(reason, 0)
            for reason in (*self.reasons, *other.reasons)
        }
        return BatchCounts(**sums, reasons=reasons)

    @property
    def faults(self) -> int:
        """Rejections that no document should be able to cause; a run with one exits with 1."""
        return sum(count for reason, count in self.reasons.items() if reason.is_fault)


def start_run(engine: Engine, command: str, now: datetime, *, job: str | None = None) -> int:
    """Records that a run began; returns its id.

    command: as it was given; secrets in it are not stored. job: what runs of the same work have in common,
    however their commands were written; the command, if it is not given.
    """

    return in_transaction(engine, lambda connection: start_in(connection, command, now, job=job))


def start_in(connection: Connection, command: str, now: datetime, *, job: str | None = None) -> int:
    """`start_run` within a transaction of the caller's, begun by `in_transaction`."""
    id = (connection.scalar(select(func.max(schema.run.c.id))) or 0) + 1
    zero = {f.name: 0 for f in fields(BatchCounts) if f.name != "reasons"}
    values: dict[str, Any] = {
        "id": id,
        "command": storable_name(without_secrets(command)),
        "job": storable_name(without_secrets(command if job is None else job)),
        "started_at": now,
        "reasons": {},
        **zero,
    }
    connection.execute(insert(schema.run), [values])
    return id


def killed_run_before(engine: Engine, run_id: int) -> int | None:
    """The run of the same job before this one, if it has no end: it was killed, or goes on elsewhere."""
    table = schema.run
    job = select(table.c.job).where(table.c.id == run_id).scalar_subquery()
    before = select(table.c.id, table.c.finished_at).where(table.c.id < run_id, table.c.job == job)

    def read() -> int | None:
        with engine.connect() as connection:
            row = connection.execute(before.order_by(table.c.id.desc()).limit(1)).one_or_none()
        return row.id if row is not None and row.finished_at is None else None

    return persistently(engine, read)


def finish_run(engine: Engine, run_id: int, counts: BatchCounts | None, now: datetime) -> None:
    """Records that a run ended, and matches watchlists with what is new.

    counts: the whole run's, with what it skipped as known counted as unchanged; None leaves what its batches
    added up to.
    """

    in_transaction(engine, lambda connection: finish_in(connection, run_id, counts, now))
    match_after_run(engine)


def finish_in(connection: Connection, run_id: int, counts: BatchCounts | None, now: datetime) -> None:
    """`finish_run` within a transaction of the caller's, without watchlists."""
    values: dict[str, Any] = {"finished_at": now, **(columns_of(counts) if counts else {})}
    connection.execute(update(schema.run).where(schema.run.c.id == run_id).values(values))


def columns_of(counts: BatchCounts) -> dict[str, Any]:
    values: dict[str, Any] = {f.name: getattr(counts, f.name) for f in fields(counts)}
    values["reasons"] = {reason.value: count for reason, count in sorted(counts.reasons.items())}
    return values


def add_to_run(connection: Connection, run_id: int, counts: BatchCounts) -> int:
    """Returns how many documents the run has seen with these."""
    table = schema.run
    row = connection.execute(select(table).where(table.c.id == run_id)).mappings().one()
    values = {f.name: row[f.name] for f in fields(counts) if f.name != "reasons"}
    before = BatchCounts(**values, reasons={Reason(r): n for r, n in row["reasons"].items()})
    after = before + counts
    connection.execute(update(table).where(table.c.id == run_id).values(columns_of(after)))
    return after.seen
