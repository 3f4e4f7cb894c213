"""Engines that can only read, each statement within a time limit: for what answers strangers' questions.

SQLite opens the file with `mode=ro`. PostgreSQL starts every transaction read-only, and ends a statement at
its limit itself. A statement that reaches the limit raises `QueryTimeout`.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from storage.database.engines import file_access, open_as
from storage.database.urls import DatabaseError
from storage.database.versions import open_database

# Virtual-machine instructions of SQLite between two looks at the clock: a few milliseconds.
_INSTRUCTIONS = 100_000


class QueryTimeout(DatabaseError):
    """A query took longer than its limit."""


def open_read_only(url: str, *, seconds: float | None) -> Engine:
    """An engine that reads a database of the newest schema, and ends statements after so many seconds.

    seconds: None for no limit, for exports.

    Raises DatabaseError as `open_database` does.
    """
    engine = open_database(url, create=False)
    if engine.dialect.name == "sqlite":
        access = file_access(Path(str(engine.url.database))) or "mode=ro"
        event.listen(engine, "do_connect", partial(open_as, access))
        if seconds is not None:
            event.listen(engine, "begin", lambda connection: _limit(connection, seconds))
            event.listen(engine, "rollback", _unlimit)
            event.listen(engine, "commit", _unlimit)
    else:
        milliseconds = "0" if seconds is None else str(max(1, round(seconds * 1000)))

        @event.listens_for(engine, "connect")
        def _configure(connection: psycopg.Connection[Any], _record: object) -> None:
            connection.execute(
                "SELECT set_config('default_transaction_read_only', 'on', false),"
                " set_config('statement_timeout', %s, false)",
                (milliseconds,),
            )
            connection.commit()

    event.listen(engine, "handle_error", _raise_timeout)
    engine.dispose()  # the connection that `open_database` made may write
    return engine


def _limit(connection: Connection, seconds: float) -> None:
    """Let SQLite interrupt statements of this transaction from now + `seconds` on."""
    deadline = time.monotonic() + seconds
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(lambda: time.monotonic() > deadline, _INSTRUCTIONS)


def _unlimit(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(None, 0)


def _raise_timeout(context: ExceptionContext) -> None:
    """Raise QueryTimeout in place of the error of a statement that was ended at its limit."""
    original = context.original_exception
    is_timeout = isinstance(original, psycopg.errors.QueryCanceled) or str(original) == "interrupted"
    if is_timeout:
        raise QueryTimeout("the question takes too long to answer: ask for less") from original
