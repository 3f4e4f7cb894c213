"""Engines, what differs between SQLite and PostgreSQL, and the schema's version.

A new base is made at the newest schema when it is first opened; an old one is only ever changed by
`upgrade` (`copydesk db upgrade`), so that no program changes a base behind its owner's back.

SQLite's settings, on every connection:

    journal_mode WAL     readers and the one writer do not wait for each other
    synchronous NORMAL   a killed process loses nothing that was committed; a power cut may lose the last
                         transactions but not the base: they are made again by the next run
    foreign_keys ON      SQLite leaves them off
    busy_timeout 30 s    how long a writer waits for another before it is an error
    cache_size 64 MB     keys of the near-duplicate index are random: its upper pages should stay in memory
    wal_autocheckpoint   64 MB: a batch touches some thousand pages of the index, and those that the next
                         batches touch again are written back once
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, create_engine, event, func, inspect, make_url, select, text
from sqlalchemy import Engine as Engine  # the type, for those above who may not import SQLAlchemy
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from pipeline.errors import OperatorError

_BUSY_TIMEOUT_MS = 30_000
# Any number that other programs on the same server are unlikely to lock; "copydesk" in ASCII.
_WRITER_LOCK = 0x636F7079_6465736B


class DatabaseError(OperatorError):
    """A database that cannot be opened or written as asked: the message is one line and says what to do."""


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """current: the base's own, None where it has no Copydesk tables; head: what this code works with."""

    current: str | None
    head: str

    @property
    def is_current(self) -> bool:
        return self.current == self.head


def open_database(url: str, *, create: bool = True) -> Engine:
    """An engine on a base of the newest schema; made first where there is none yet and `create` says so.

    url: `sqlite:///path` or `postgresql://user@host/name`. Raises DatabaseError where the base cannot be
    opened, is none of Copydesk's, or is older or newer than this code.
    """
    engine = connect(url, create=create)
    try:
        with _explained(engine):
            found = version(engine)
            if found.current is None and create:
                found = upgrade(engine)
        shown = shown_url(engine)
        if found.current is None:
            raise DatabaseError(
                f"{shown} is not a Copydesk database: copydesk ingest PATH --db URL makes one"
            )
        if found.current not in _known_versions():
            raise DatabaseError(
                f"{shown} has schema {found.current}, newer than this Copydesk ({found.head}):"
                " install a newer Copydesk"
            )
        if not found.is_current:
            raise DatabaseError(
                f"{shown} has schema {found.current}, this Copydesk works with {found.head}:"
                " run copydesk db upgrade"
            )
    except BaseException:
        engine.dispose()
        raise
    return engine


def connect(url: str, *, create: bool = False) -> Engine:
    """An engine on a base of whatever schema, or of none; raises DatabaseError where it cannot be reached."""
    parsed = _parsed(url)
    if parsed.drivername == "sqlite":
        engine = _sqlite_engine(parsed, create)
    else:
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            pool_recycle=1800,
            connect_args={"connect_timeout": 10, "application_name": "copydesk"},
        )
    try:
        with _explained(engine), engine.connect() as connection:
            # Reads the file's header, which merely connecting does not.
            connection.execute(select(1) if parsed.drivername != "sqlite" else text("PRAGMA schema_version"))
    except BaseException:
        engine.dispose()
        raise
    return engine


def version(engine: Engine) -> SchemaVersion:
    """The base's schema version and the newest one; cheap."""
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return SchemaVersion(current, _head())


def upgrade(engine: Engine) -> SchemaVersion:
    """Takes the base to the newest schema, in one transaction; two processes at once do it once.

    Raises DatabaseError where the base holds another program's tables, or is newer than this code.
    """
    with _explained(engine), begin_write(engine) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current is None and _is_foreign(connection):
            raise DatabaseError(
                f"{shown_url(engine)} holds another program's tables: give Copydesk a database of its own"
            )
        if current is not None and current not in _known_versions():
            raise DatabaseError(
                f"{shown_url(engine)} has schema {current}, newer than this Copydesk ({_head()}):"
                " install a newer Copydesk"
            )
        if current != _head():
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return version(engine)


@contextmanager
def begin_write(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other writer of this base runs beside: BEGIN IMMEDIATE, or an advisory lock."""
    with engine.connect().execution_options(copydesk_writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_WRITER_LOCK)))
        yield connection


def is_transient(error: BaseException) -> bool:
    """True where the same transaction may well go through in a moment: a busy base, a restarted server."""
    if not isinstance(error, DBAPIError):
        return False
    original = error.orig
    if isinstance(original, sqlite3.OperationalError):
        code = getattr(original, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    if isinstance(original, psycopg.Error):
        state = original.sqlstate
        # No state: the connection broke. 08 connection, 40 serialisation and deadlock, 55P03 lock not
        # available, 57P0x the server is shut down or starting.
        return (state is None and isinstance(original, psycopg.OperationalError)) or (
            state is not None and (state.startswith(("08", "40", "57P0")) or state == "55P03")
        )
    return False


def is_exhausted(error: BaseException) -> bool:
    """True where the machine is at fault and not a value: disk full, I/O error, read-only, out of memory."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, MemoryError)
    original = error.orig
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", 0) & 0xFF
        return code in (
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_NOTADB,
            sqlite3.SQLITE_NOMEM,
        )
    if isinstance(original, psycopg.Error):
        state = original.sqlstate or ""
        # 53 insufficient resources, 58 system error, 42501 no privilege, 25006 read-only, XX internal.
        return state.startswith(("53", "58", "XX")) or state in ("42501", "25006")
    return False


def explain(error: BaseException, engine: Engine) -> str:
    """One line that says what is wrong with the base, and what to do where that is known."""
    shown = shown_url(engine)
    original = error.orig if isinstance(error, DBAPIError) else error
    said = " ".join(str(original).split())
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", 0) & 0xFF
        known = {
            sqlite3.SQLITE_NOTADB: "is not a SQLite database",
            sqlite3.SQLITE_CORRUPT: "is damaged: restore a backup, or try sqlite3 FILE .recover",
            sqlite3.SQLITE_CANTOPEN: "cannot be opened: does its folder exist, and may you write there?",
            sqlite3.SQLITE_READONLY: "cannot be written: check the rights of the file and of its folder",
            sqlite3.SQLITE_FULL: "cannot grow: the disk is full",
            sqlite3.SQLITE_BUSY: "is held by another program: wait for it, or stop it",
        }
        return f"{shown} {known.get(code, said)}"
    if isinstance(original, psycopg.OperationalError) and original.sqlstate is None:
        return f"{shown} cannot be reached: {said}"
    return f"{shown}: {said}"


def shown_url(engine: Engine) -> str:
    """The base as a message names it: the file's path, or the URL without its password."""
    if engine.url.drivername == "sqlite":
        return engine.url.database or "the database in memory"
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=True)


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise DatabaseError(explain(error, engine)) from error


def _parsed(url: str) -> URL:
    wanted = "sqlite:///path/to/file.db or postgresql://user@host/name"
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise DatabaseError(f"{url!r} is no database URL: write {wanted}") from error
    if backend == "sqlite":
        return parsed.set(drivername="sqlite")
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql")
    raise DatabaseError(f"databases of kind {backend!r} are not supported: write {wanted}")


def _sqlite_engine(url: URL, create: bool) -> Engine:
    path = url.database or ":memory:"
    if path == ":memory:":
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        _check_file(Path(path), create)
        engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # or the driver would begin transactions where it sees fit
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA cache_size = -65536")
        cursor.execute("PRAGMA wal_autocheckpoint = 16384")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("copydesk_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _check_file(path: Path, create: bool) -> None:
    if path.is_dir():
        raise DatabaseError(f"{path} is a folder: name the database file in it")
    if path.exists():
        if not create and path.stat().st_size == 0:
            raise DatabaseError(f"{path} is empty: copydesk ingest PATH --db URL makes a database")
        return
    if not create:
        raise DatabaseError(f"there is no database at {path}: copydesk ingest PATH --db URL makes one")
    if not path.parent.is_dir():
        raise DatabaseError(f"{path}: {os.strerror(errno.ENOENT).lower()}: {path.parent}")


def _is_foreign(connection: Connection) -> bool:
    """Whether there are tables in the way: any on SQLite, one of our names in PostgreSQL's schema."""
    names = set(inspect(connection).get_table_names())
    if connection.dialect.name == "sqlite":
        return bool(names)
    return bool(names & {"article", "band", "pair", "page", "run"})


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    return config


def _head() -> str:
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def _known_versions() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
