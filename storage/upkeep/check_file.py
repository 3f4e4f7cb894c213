"""Checks of the file and of references: whether what a row refers to is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, delete, exists, select, text, update

from storage import schema
from storage.database import in_transaction
from storage.upkeep.checks import stream_rows


def find_damage(connection: Connection) -> Iterator[str]:
    if connection.dialect.name == "sqlite":
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check(1000)"):
            if line != "ok":
                yield line


def reindex(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        before = list(find_damage(connection))
        connection.execute(text("REINDEX"))
        return len(before) - len(list(find_damage(connection)))

    return in_transaction(engine, work)


def _references() -> Iterator[tuple[Any, Any]]:
    """(column, the column that it refers to) of every foreign key."""
    for table in schema.metadata.sorted_tables:
        for key in sorted(table.foreign_keys, key=lambda key: str(key.parent)):
            yield key.parent, key.column


def _lost(column: Any, target: Any) -> Any:
    return column.is_not(None) & ~exists(select(target).where(target == column))


def find_lost_references(connection: Connection) -> Iterator[str]:
    for column, target in _references():
        for (value,) in stream_rows(connection, select(column).where(_lost(column, target))):
            yield f"{column.table.name}.{column.name} is {value}: no such {target.table.name}"


# Rows that mean nothing without what they refer to. A revision has a text, a rejection a reason: they stay.
_DEPENDENT = {"document", "removal", "signature", "pair", "search_entry", "revisit", "notification"}
_OF_WATCHLISTS = {"watch_match", "notification", "delivery"}


def drop_lost_references(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        done = 0
        for column, target in _references():
            table = column.table
            is_lost = _lost(column, target)
            if column.name == "page_id":
                done += connection.execute(update(table).where(is_lost).values(page_id=None)).rowcount
            elif table.name in (_DEPENDENT if target.table is schema.article else _OF_WATCHLISTS):
                done += connection.execute(delete(table).where(is_lost)).rowcount
        return done

    return in_transaction(engine, work)
