"""Engines, what differs between SQLite and PostgreSQL, and the schema's version.

A new base is made at the newest schema when it is first opened; an old one is only ever changed by
`upgrade` (`copydesk db upgrade`), so that no program changes a base behind its owner's back.

What is set on a SQLite base stands with its reasons at `_PRAGMAS`. On PostgreSQL, whose own settings are
the server's business, a crawl of days needs some things of the connection:

    keepalives           a server that vanished without a word is noticed within two minutes, not hours
    pool                 few connections, tried before they are used, and renewed after half an hour; the one
                         used last is used first, so that those of a busy moment come to rest
    writers              a transaction says how long it waits for locks, how long one statement may take, and
                         how long the server waits for the writer before it frees the base (`_WRITER_LIMITS`)
    readers              no limit of ours: an export that streams into a slow pipe takes its time between
                         rows, and a server that cuts idle transactions is asked not to cut these
"""

from __future__ import annotations

import atexit
import errno
import logging
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import sql
from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Table,
    TypeDecorator,
    create_engine,
    event,
    func,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy import Engine as Engine  # the type, for those above who may not import SQLAlchemy
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from alembic.config import Config

T = TypeVar("T")

logger = logging.getLogger(__name__)

_BUSY_TIMEOUT_MS = 30_000

# Set on every connection.
_PRAGMAS = (
    # How long a writer waits for another one, or for a checkpoint, before it is an error.
    ("busy_timeout", _BUSY_TIMEOUT_MS),
    # Readers and the one writer do not wait for each other.
    ("journal_mode", "WAL"),
    # The log is flushed to the disk when it is folded into the base, not at every commit: a killed process
    # loses nothing that was committed; a power cut may lose the last transactions, in order, but never
    # the base. They are made again by the next run.
    ("synchronous", "NORMAL"),
    # SQLite leaves them off.
    ("foreign_keys", "ON"),
    # 64 MB, in KB; a writer has more, see `_WRITER_CACHE`.
    ("cache_size", -65_536),
    # 128 MB, in pages. A batch of 50 articles writes some 2,000 pages, most of them of the near-duplicate
    # index, and those that further batches write again are folded in once: of what is written at 250,000
    # articles, 258 KB an article in place of 283 with half as large a log (240 with twice as large a one).
    ("wal_autocheckpoint", 32_768),
    # What a long reader made the log grow by is given back to the disk; 256 MB, in bytes.
    ("journal_size_limit", 256 << 20),
    # Sorting and materialised subqueries: no files where there may be no room.
    ("temp_store", "MEMORY"),
)

# KB that a connection which writes may hold of the base, 256 MB: what the five keys an article that lie
# anywhere in the near-duplicate index take up in a base of a million, and what today's news touches. With
# 64 MB, pages are read again and again: at 250,000 articles 66 KB an article in place of 15, and 3.4 ms of
# processor time in place of 3.0 (2.5 at 10,000). A smaller base takes no more than its own size.
_WRITER_CACHE = -262_144

# PostgreSQL, for the transactions of writers, milliseconds. A batch takes seconds; a group of thousands, or
# a busy server, some minutes. Who waits for the lock longer than a batch takes tries again with patience.
_WRITER_LIMITS = (
    ("lock_timeout", 30_000),
    ("statement_timeout", 600_000),
    ("idle_in_transaction_session_timeout", 600_000),
)

# So many rows are worth the two round trips that COPY takes.
_COPY_FROM = 4

# Keywords of libpq; what the URL says goes first.
_POSTGRESQL = {
    "connect_timeout": 10,
    "application_name": "copydesk",
    "keepalives": 1,
    "keepalives_idle": 60,
    "keepalives_interval": 15,
    "keepalives_count": 4,
    "tcp_user_timeout": 120_000,
}

# Waits between attempts, seconds: a busy base is free in moments, a restarted server in half a minute.
_BACK_OFF = (0.1, 0.3, 1.0, 3.0, 5.0, 10.0, 10.0, 10.0, 20.0)

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
    is_sqlite = parsed.drivername == "sqlite"
    engine = _sqlite_engine(parsed, create) if is_sqlite else _postgresql_engine(parsed)
    try:
        with _explained(engine), engine.connect() as connection:
            # Reads the file's header, which merely connecting does not.
            connection.execute(text("PRAGMA schema_version" if is_sqlite else "SELECT 1"))
    except BaseException:
        engine.dispose()
        raise
    return engine


def version(engine: Engine) -> SchemaVersion:
    """The base's schema version and the newest one; cheap."""
    with engine.connect() as connection:
        return SchemaVersion(_current(connection), _head())


def upgrade(engine: Engine) -> SchemaVersion:
    """Takes the base to the newest schema, in one transaction; two processes at once do it once.

    Raises DatabaseError where the base holds another program's tables, or is newer than this code.
    """
    with _explained(engine), begin_write(engine) as connection:
        if (
            connection.dialect.name == "postgresql"
        ):  # an index over a million articles takes as long as it takes
            connection.execute(select(func.set_config("statement_timeout", "0", True)))
        current = _current(connection)
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
            # Here: it takes a fifth of a second to import, and nearly every base is at the newest schema.
            from alembic import command

            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return version(engine)


@contextmanager
def begin_write(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other writer of this base runs beside: BEGIN IMMEDIATE, or an advisory lock."""
    with engine.connect().execution_options(copydesk_writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            limits = (func.set_config(name, str(value), True) for name, value in _WRITER_LIMITS)
            connection.execute(select(*limits))
            connection.execute(select(func.pg_advisory_xact_lock(_WRITER_LOCK)))
        yield connection


def in_transaction(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Runs `work` in a transaction of `begin_write`, as often as `persistently` does, and commits it.

    A connection that breaks in the moment of the commit leaves open whether it went through: `work` has to
    be right where it is done a second time.
    """

    def attempt() -> T:
        with begin_write(engine) as connection:
            return work(connection)

    return persistently(engine, attempt)


def persistently(engine: Engine, attempt: Callable[[], T]) -> T:
    """Calls `attempt`, again where the base is busy or the server is gone for a moment: for a minute.

    Raises DatabaseError, one line, when that minute is over, and at once for what waiting does not mend.
    """
    for wait in (*_BACK_OFF, None):
        try:
            return attempt()
        except DBAPIError as error:
            if wait is None or not is_transient(error):
                raise DatabaseError(explain(error, engine)) from error
            logger.warning("%s; trying again in %s s", explain(error, engine), wait)
            time.sleep(wait)
    raise AssertionError("unreachable")


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows, all with values for the same columns; by COPY on PostgreSQL where there are several.

    What is refused is raised as DBAPIError, as for any other statement, or as what the driver says of a
    value that it cannot hand over (ValueError, UnicodeError).
    """
    if not rows:
        return
    dialect = connection.dialect
    if dialect.name == "sqlite":
        _insert_into_sqlite(connection, table, rows)
        return
    if len(rows) < _COPY_FROM:
        connection.execute(insert(table), list(rows))
        return
    columns = [table.c[name] for name in rows[0]]
    types = [column.type.compile(dialect).lower() for column in columns]
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table.name), sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)
    )
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(tuple(_bound(row[column.name], column.type, dialect) for column in columns))
    except psycopg.Error as error:
        if driver.broken:
            connection.invalidate(error)
        said = statement.as_string(driver)
        raise DBAPIError.instance(
            said, None, error, psycopg.Error, connection_invalidated=driver.broken, dialect=dialect
        ) from error


def _insert_into_sqlite(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """The driver takes numbers, texts and bytes as they are; SQLAlchemy would look at each of them."""
    compiled = _compiled_insert(table, tuple(rows[0]), connection.dialect)
    by_column: list[list[Any]] = []
    for name in compiled.positiontup or ():
        values, kind = [row[name] for row in rows], table.c[name].type
        if isinstance(kind, TypeDecorator):
            values = [kind.process_bind_param(value, connection.dialect) for value in values]
        by_column.append(values)
    connection.exec_driver_sql(str(compiled), list(zip(*by_column, strict=True)))


@lru_cache(maxsize=64)
def _compiled_insert(table: Table, names: tuple[str, ...], dialect: Dialect) -> SQLCompiler:
    compiled = insert(table).compile(dialect=dialect, column_keys=list(names))
    assert isinstance(compiled, SQLCompiler)
    return compiled


def _bound(value: Any, kind: TypeEngine[Any], dialect: Dialect) -> Any:
    """The value as the driver takes it; what our own types (`schema.UtcTime`) do, the driver does not."""
    return kind.process_bind_param(value, dialect) if isinstance(kind, TypeDecorator) else value


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
        # available, 57P0x the server is shut down or starting, 25P03 it was tired of waiting for us, 53300
        # it has too many clients.
        return (state is None and isinstance(original, psycopg.OperationalError)) or (
            state is not None
            and (state.startswith(("08", "40", "57P0")) or state in ("55P03", "25P03", "53300"))
            and state != "08P01"  # a message of ours that it does not understand, now as little as later
        )
    return False


def is_exhausted(error: BaseException) -> bool:
    """True where the machine is at fault and not a value: disk full, I/O error, read-only, out of memory,
    a statement that was cancelled or took too long."""
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
        # 53 insufficient resources, 58 system error, 42501 no privilege, 25006 read-only, 57014 cancelled,
        # XX internal.
        return state.startswith(("53", "58", "XX")) or state in ("42501", "25006", "57014")
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
            sqlite3.SQLITE_FULL: "cannot grow: the disk is full. What was committed is safe, the same command"
            " goes on when there is room",
            sqlite3.SQLITE_IOERR: "cannot be read or written: the disk is full, over its quota or failing",
            sqlite3.SQLITE_BUSY: "is held by another program: wait for it, or stop it",
        }
        return f"{shown} {known.get(code, said)}"
    if isinstance(original, psycopg.OperationalError) and original.sqlstate is None:
        return f"{shown} cannot be reached: {said}"
    if isinstance(original, psycopg.errors.LockNotAvailable):
        return f"{shown} is held by another program: wait for it, or stop it"
    if isinstance(original, psycopg.errors.DiskFull):
        return f"{shown} cannot grow: the server's disk is full ({said})"
    return f"{shown}: {said}"


def shown_url(engine: Engine) -> str:
    """The base as a message names it: the file's path, or the URL without its password."""
    if engine.url.drivername == "sqlite":
        return engine.url.database or "the database in memory"
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=True)


def lasting_url(url: str) -> tuple[str, Path | None]:
    """The URL as a service's file may hold it, valid from any folder and without its password; and the file
    of a SQLite base. Raises DatabaseError for what is no URL.
    """
    parsed = _parsed(url)
    if parsed.drivername != "sqlite":
        bare = parsed._replace(password=None).difference_update_query(["password"])  # `set` keeps for None
        return bare.render_as_string(hide_password=False), None
    if parsed.database in (None, "", ":memory:"):
        raise DatabaseError("a database in memory ends with its process: write sqlite:///path/to/file.db")
    file = Path(str(parsed.database)).absolute()
    return parsed.set(database=str(file)).render_as_string(hide_password=False), file


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
        for name, value in _PRAGMAS:
            cursor.execute(f"PRAGMA {name} = {value}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("copydesk_writes", False)
        if writes:
            connection.exec_driver_sql(f"PRAGMA cache_size = {_WRITER_CACHE}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql_engine(url: URL) -> Engine:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=3,
        max_overflow=7,
        pool_pre_ping=True,
        pool_recycle=1800,
        pool_use_lifo=True,
        connect_args={name: value for name, value in _POSTGRESQL.items() if name not in url.query},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: psycopg.Connection[Any], _record: object) -> None:
        # Not by libpq's `options`, which poolers between us and the server refuse.
        connection.execute("SELECT set_config('idle_in_transaction_session_timeout', '0', false)")
        connection.commit()

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
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _migrations().replace("%", "%%"))
    return config


@lru_cache(maxsize=1)
def _migrations() -> str:
    """The folder of the migrations. Alembic wants files: out of a zipped egg, which is how scrapyd runs a
    project, they are unpacked for as long as the process lives.
    """
    found = resources.files("storage").joinpath("migrations")
    if isinstance(found, Path):
        return str(found)
    folder = TemporaryDirectory(prefix="copydesk-migrations-")
    atexit.register(folder.cleanup)
    _unpack(found, Path(folder.name))
    return folder.name


def _unpack(found: Traversable, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for entry in found.iterdir():
        if entry.is_dir():
            _unpack(entry, folder / entry.name)
        elif not entry.name.endswith(".pyc"):
            (folder / entry.name).write_bytes(entry.read_bytes())


def _current(connection: Connection) -> str | None:
    """The version that Alembic noted in the base."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    current: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return current


def _head() -> str:
    return max(_known_versions())


@lru_cache(maxsize=1)
def _known_versions() -> frozenset[str]:
    """The versions that migrations lead to, which are the first part of their files' names."""
    files = resources.files("storage").joinpath("migrations", "versions").iterdir()
    return frozenset(found[1] for file in files if (found := _MIGRATION.match(file.name)))


_MIGRATION = re.compile(r"v(\d{4})_\w+\.py$")
