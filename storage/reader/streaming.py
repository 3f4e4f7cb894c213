"""Streams rows of a query from one snapshot of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Select
from sqlalchemy.exc import DBAPIError

from storage.database import DatabaseError, explain

R = TypeVar("R")

# Rows fetched at once, and of those with texts, which may be megabytes each.
FETCH, FETCH_TEXTS, FETCH_IDS = 500, 50, 5000


@contextmanager
def one_snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection whose statements all see the database as of the first one; raises DatabaseError."""
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":  # on SQLite every transaction has one snapshot
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection
    except DBAPIError as error:
        raise DatabaseError(explain(error, engine)) from error


def stream(
    engine: Engine, query: Select[Any], make: Callable[..., R], fetch: int | None = None
) -> Iterator[R]:
    streaming = {"stream_results": True, "yield_per": fetch or FETCH}
    with one_snapshot(engine) as connection:
        for row in connection.execute(query, execution_options=streaming):
            yield make(*row)


def one_row(engine: Engine, query: Select[Any], make: type[R]) -> R | None:
    with engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return make(*row) if row else None
