"""Disk space, and what deleted rows leave on the disk.

SQLite keeps the pages of deleted rows in its file for later rows, so the file never shrinks by itself. It
also leaves their bytes there, unless `secure_delete` is on. Even then, bytes may remain where it moved rows
within the file while it was off. Only `rewrite` leaves nothing of them. PostgreSQL marks rows as deleted.
VACUUM, which autovacuum runs in time, makes their space usable again, and only VACUUM FULL, which locks the
table, writes the rest to a new file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, Engine, func, select, text

from storage.database import DatabaseError, explain

T = TypeVar("T")

# Seconds to wait for readers that still need the log.
_WAIT = 5.0


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes. size: of the database. free: the part of it that is kept for later rows; None on PostgreSQL."""

    size: int
    free: int | None


def disk_space(engine: Engine) -> Space:
    """The size of the database; cheap."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            name = func.current_database()
            return Space(int(connection.scalar(select(func.pg_database_size(name))) or 0), None)
        page, count, free = (
            int(connection.exec_driver_sql(pragma).scalar() or 0)
            for pragma in ("PRAGMA page_size", "PRAGMA page_count", "PRAGMA freelist_count")
        )
        return Space(page * count, page * free)


def securely(work: Callable[[Connection], T]) -> Callable[[Connection], T]:
    """The same work; SQLite overwrites what it deletes with zeros."""

    def done(connection: Connection) -> T:
        if connection.dialect.name != "sqlite":
            return work(connection)
        before = connection.exec_driver_sql("PRAGMA secure_delete").scalar()
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
        try:
            return work(connection)
        finally:
            if not before:
                connection.exec_driver_sql("PRAGMA secure_delete = OFF")

    return done


def empty_log(engine: Engine) -> bool:
    """Checkpoints SQLite's log into the file and empties it; False if a reader or writer kept it busy."""
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        (before,) = connection.exec_driver_sql("PRAGMA busy_timeout").one()
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(_WAIT * 1000)}")
        try:
            (is_busy, *_) = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {before}")
    return not is_busy


def rewrite(engine: Engine) -> None:
    """Rewrites SQLite's file without its free pages; on PostgreSQL it is a VACUUM.

    SQLite needs twice the size of the result, in its temporary folder and beside the file. Nobody else can
    write meanwhile. Raises DatabaseError if a different process uses the database, or the disk is too full.
    """
    try:
        if engine.dialect.name == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("SET statement_timeout = 0"))
                connection.execute(text("VACUUM"))
                connection.execute(text("RESET statement_timeout"))
            return
        raw = engine.raw_connection()
        try:
            cursor = raw.cursor()
            # Temporary tables are usually in memory; this one is as large as the database.
            cursor.execute("PRAGMA temp_store = FILE")
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA temp_store = MEMORY")
            cursor.close()
        finally:
            raw.close()
    except Exception as error:
        raise DatabaseError(explain(error, engine)) from error
    empty_log(engine)
