"""Inserts many rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import (
    Connection,
    Dialect,
    Table,
    TypeDecorator,
    insert,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

# So many rows are worth the two round trips that COPY takes.
_COPY_FROM = 4


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows, all with values for the same columns; by COPY on PostgreSQL where there are several.

    What is refused is raised as DBAPIError, as for any other statement, or as what the driver says of a
    value that it cannot hand over (ValueError, UnicodeError).
    """
    if not rows:
        return
    dialect = connection.dialect
    if dialect.name == "sqlite" or len(rows) < _COPY_FROM:
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


def _bound(value: Any, kind: TypeEngine[Any], dialect: Dialect) -> Any:
    """The value as the driver takes it, with the conversion of our own types (`schema.UtcTime`)."""
    return kind.process_bind_param(value, dialect) if isinstance(kind, TypeDecorator) else value
