"""Engines: how to connect to SQLite and to PostgreSQL.

What is set on a SQLite database stands with its reasons at `_PRAGMAS`. The settings of a PostgreSQL server
are the server's business, but a crawl of days needs some things of the connection:

    keepalives   a server that vanished is noticed within two minutes, not hours
    pool         few connections, tested before use and renewed after half an hour; the one used last is used
                 first, so that connections of a busy moment come to rest
    readers      no limit of ours: an export that streams into a slow pipe takes its time between rows, and a
                 server that cuts idle transactions is asked not to cut these

The limits of writers are in `transactions`.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    text,
)
from sqlalchemy.exc import ArgumentError

from storage.database.errors import explained
from storage.database.urls import DatabaseError, NoDatabase, parsed_url, shown

_BUSY_TIMEOUT_MS = 30_000

# Set on every connection.
_PRAGMAS = (
    # How long a writer waits for a different writer, or for a checkpoint, before it fails.
    ("busy_timeout", _BUSY_TIMEOUT_MS),
    # Readers and the one writer do not wait for each other.
    ("journal_mode", "WAL"),
    # The log is flushed to the disk at a checkpoint, not at every commit. A killed process loses nothing that
    # was committed. A power cut may lose the last transactions, in order, but never the database. The next
    # run makes them again.
    ("synchronous", "NORMAL"),
    # SQLite's default is off.
    ("foreign_keys", "ON"),
    # 64 MB, in KB; a writer has more, see `_WRITER_CACHE`.
    ("cache_size", -65_536),
    # 128 MB, in pages: many batches write the same pages of the near-duplicate index, and a checkpoint copies
    # each once. docs/tuning.md: SQLite's log and cache.
    ("wal_autocheckpoint", 32_768),
    # The log that a long reader made grow is cut back to this: 256 MB, in bytes.
    ("journal_size_limit", 256 << 20),
    # Sorting and materialised subqueries use no files, because the disk may be full.
    ("temp_store", "MEMORY"),
)

# The cache of a connection that writes, in KB: 256 MB. It holds what today's news touches of the
# near-duplicate index in a database of a million articles. docs/tuning.md: SQLite's log and cache.
_WRITER_CACHE = -262_144

# Keywords of libpq. The URL overrides them.
_POSTGRESQL = {
    "connect_timeout": 10,
    "application_name": "copydesk",
    "keepalives": 1,
    "keepalives_idle": 60,
    "keepalives_interval": 15,
    "keepalives_count": 4,
    "tcp_user_timeout": 120_000,
}


def connect(url: str, *, create: bool = False) -> Engine:
    """An engine on a database of any schema version, or of none; DatabaseError if it cannot be reached."""
    parsed = parsed_url(url)
    is_sqlite = parsed.drivername == "sqlite"
    try:
        engine = _sqlite_engine(parsed, create) if is_sqlite else _postgresql_engine(parsed)
    except (ArgumentError, TypeError, ValueError):  # `from None`: the cause quotes parts of the URL
        raise DatabaseError(f"{shown(parsed)}: the database URL has a parameter with a wrong value") from None
    try:
        with explained(engine), engine.connect() as connection:
            # Connecting does not read the file's header; this does.
            connection.execute(text("PRAGMA schema_version" if is_sqlite else "SELECT 1"))
    except BaseException:
        engine.dispose()
        raise
    return engine


def _sqlite_engine(url: URL, create: bool) -> Engine:
    path = Path(str(url.database))
    _check_file(path, create)
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000})
    access = "" if url.query.get("uri") else file_access(path)
    if access:
        event.listen(engine, "do_connect", partial(open_as, access))

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # or the driver would begin transactions where it sees fit
        cursor = connection.cursor()
        for name, value in _PRAGMAS:
            if access and name == "journal_mode":
                continue  # stands in the file, which cannot be changed
            cursor.execute(f"PRAGMA {name} = {value}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("copydesk_writes", False)
        if writes:
            connection.exec_driver_sql(f"PRAGMA cache_size = {_WRITER_CACHE}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def file_access(path: Path) -> str:
    """The parameter with which SQLite opens a file that this process may not write; "" where it may.

    A database in WAL mode can only be read with its log beside it. Where that is not there and cannot be
    made, nobody writes, and the file is read as it is (`immutable`). Raises DatabaseError where the log is
    there and cannot be read without writing.
    """
    log, index = (path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm"))
    has_log = log.exists() and index.exists()
    is_folder_open = os.access(path.parent, os.W_OK)
    if os.access(path, os.W_OK) and (is_folder_open or has_log):
        return ""
    if is_folder_open or has_log:
        return "mode=ro"
    if log.exists() and log.stat().st_size:
        raise DatabaseError(
            f"{path} has a log ({log.name}) that cannot be read in a folder without the right to write:"
            " copy both files to a folder of yours"
        )
    return "mode=ro&immutable=1"


def open_as(access: str, _dialect: Any, _record: Any, arguments: list[Any], keywords: dict[str, Any]) -> None:
    """Change the arguments of a connection, so that SQLite opens the file as `file_access` says."""
    if keywords.get("uri"):
        return  # by an earlier listener of the engine
    arguments[0] = f"file:{quote(str(Path(arguments[0]).absolute()))}?{access}"
    keywords["uri"] = True


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
            raise NoDatabase(f"{path} is empty: copydesk ingest PATH --db URL makes a database")
        return
    if not create:
        raise NoDatabase(f"there is no database at {path}: copydesk ingest PATH --db URL makes one")
    if not path.parent.is_dir():
        raise DatabaseError(f"{path}: {os.strerror(errno.ENOENT).lower()}: {path.parent}")
    # Readable by its owner alone: it may hold what nobody else may read. SQLite gives the files beside it
    # (-wal, -shm) the same rights.
    with suppress(OSError):  # SQLite says why
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
