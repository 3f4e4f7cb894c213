"""Measures the cost of writing to a database, also independent of the load of the machine.

Elapsed time is what a user waits for, but it depends on the load. Processor time hardly depends on it, and
the bytes that are read and written do not at all. All are measured for this process and, on PostgreSQL, for
the server process of its connection, from /proc on Linux.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from sqlalchemy import Engine, text

# Makes the server publish the statistics of this session, which the next query reads.
_FLUSH = text("SELECT pg_stat_force_next_flush()")
_COUNTED_BY_POSTGRESQL = text(
    """
    SELECT pg_backend_pid() AS process, pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS log,
           blks_read AS missed, blks_hit + blks_read AS touched
    FROM pg_stat_database WHERE datname = current_database()
    """
)


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of some work.

    wall_ms, cpu_ms: milliseconds. read_kb: read from the system, because the database's own cache did not
    have it. written_kb: on SQLite the log and the file, on PostgreSQL the log. touched: on PostgreSQL the
    number of page accesses, with those of the cache; unknown on SQLite.
    """

    wall_ms: float = 0.0
    cpu_ms: float = 0.0
    read_kb: float = 0.0
    written_kb: float = 0.0
    touched: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __sub__(self, other: Cost) -> Cost:
        return Cost(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))

    def __truediv__(self, number: float) -> Cost:
        return Cost(*(getattr(self, f.name) / number for f in fields(self)))


def cost(engine: Engine, work: Callable[[], object]) -> Cost:
    """Does the work, which uses one connection of the engine at a time, and returns its cost."""
    before = _counted(engine)
    work()
    at_its_end = time.perf_counter() * 1000
    after = _counted(engine)
    spent = after - before
    return Cost(at_its_end - before.wall_ms, spent.cpu_ms, spent.read_kb, spent.written_kb, spent.touched)


def _counted(engine: Engine) -> Cost:
    if engine.dialect.name != "postgresql":
        read, written = _read_and_written()
        return Cost(time.perf_counter() * 1000, time.process_time() * 1000, read / 1024, written / 1024)
    with engine.connect() as connection:
        connection.execute(_FLUSH)
        connection.commit()
        row = connection.execute(_COUNTED_BY_POSTGRESQL).one()
        connection.commit()
    page = 8  # KB
    cpu = time.process_time() * 1000 + _cpu_ms_of(row.process)
    return Cost(
        time.perf_counter() * 1000, cpu, float(row.missed) * page, float(row.log) / 1024, float(row.touched)
    )


def _read_and_written() -> tuple[int, int]:
    """Bytes that this process wrote in system calls, whether or not they reached a disk."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["rchar"]), int(fields["wchar"])


def _cpu_ms_of(process: int) -> float:
    # The text before the last bracket is the program's name, which may contain anything.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])
    return (user + system) * 1000 / os.sysconf("SC_CLK_TCK")
