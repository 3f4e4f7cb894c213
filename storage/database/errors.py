"""Classifies errors of databases: whether to retry, and the message for the operator."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from storage.database.urls import DatabaseError, shown, without_secrets_of


def is_transient(error: BaseException) -> bool:
    """True if the same transaction may well go through in a moment: a busy database, a restarted server."""
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
    """True if the machine is at fault and not a value: disk full, I/O error, read-only, out of memory,
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


# What SQLite's codes mean for the operator.
_SQLITE = {
    sqlite3.SQLITE_NOTADB: "is not a SQLite database: name another file, or restore a backup",
    sqlite3.SQLITE_CORRUPT: "is damaged: restore a backup, or try sqlite3 FILE .recover",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: does its folder exist, and may you write there?",
    sqlite3.SQLITE_READONLY: "cannot be written: check the rights of the file and of its folder",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full. What was committed is safe, the same command"
    " goes on when there is room",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk is full, over its quota or failing",
    sqlite3.SQLITE_BUSY: "is held by another program: wait for it, or stop it",
}


def explain(error: BaseException, engine: Engine) -> str:
    """One line that says what is wrong with the database, and what to do where that is known."""
    name = shown_url(engine)
    original = error.orig if isinstance(error, DBAPIError) else error
    said = without_secrets_of(engine.url, " ".join(str(original).split()))
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", 0) & 0xFF
        return f"{name} {_SQLITE.get(code, said)}"
    if isinstance(original, psycopg.OperationalError) and original.sqlstate is None:
        return f"{name} cannot be reached: {said}"
    if isinstance(original, psycopg.errors.LockNotAvailable):
        return f"{name} is held by another program: wait for it, or stop it"
    if isinstance(original, psycopg.errors.DiskFull):
        return f"{name} cannot grow: the server's disk is full ({said})"
    return f"{name}: {said}"


def shown_url(engine: Engine) -> str:
    """The database as a message names it: the file's path, or the URL without anything secret."""
    return shown(engine.url)


def fault_of(error: BaseException) -> str | None:
    """One line for an error of a database that nobody explained: a damaged file, a schema with gaps.

    None for other errors.
    """
    original = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(original, sqlite3.Error | psycopg.Error):
        return None
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", 0) & 0xFF
        said = _SQLITE.get(code)
        if said is not None:
            return f"the database {said}"
    said = " ".join(str(original).split())[:300]
    return f"the database is damaged, or is not as its version of the schema says ({said}): restore a backup"


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise DatabaseError(explain(error, engine)) from error
