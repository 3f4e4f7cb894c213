"""Transactions of writers, one at a time, repeated while the database is busy."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import (
    Connection,
    Engine,
    func,
    select,
)
from sqlalchemy.exc import DBAPIError

from storage.database.errors import explain, is_transient
from storage.database.urls import DatabaseError

T = TypeVar("T")

logger = logging.getLogger(__name__)

# PostgreSQL, for the transactions of writers, milliseconds. A batch takes seconds; a group of thousands, or
# a busy server, some minutes. Who waits for the lock longer than a batch takes tries again with patience.
_WRITER_LIMITS = (
    ("lock_timeout", 30_000),
    ("statement_timeout", 600_000),
    ("idle_in_transaction_session_timeout", 600_000),
)

# Seconds between attempts: a busy database is free in moments, a restarted server in half a minute.
_BACK_OFF = (0.1, 0.3, 1.0, 3.0, 5.0, 10.0, 10.0, 10.0, 20.0)

# Any number that other programs on the same server are unlikely to lock; "copydesk" in ASCII.
WRITER_LOCK = 0x636F7079_6465736B


@contextmanager
def begin_write(engine: Engine) -> Iterator[Connection]:
    """The only writing transaction of this database: BEGIN IMMEDIATE, or an advisory lock."""
    with engine.connect().execution_options(copydesk_writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            limits = (func.set_config(name, str(value), True) for name, value in _WRITER_LIMITS)
            connection.execute(select(*limits))
            connection.execute(select(func.pg_advisory_xact_lock(WRITER_LOCK)))
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
    """Calls `attempt`, again where the database is busy or the server is gone for a moment: for a minute.

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
