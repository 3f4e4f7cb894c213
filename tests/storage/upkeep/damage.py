"""Statements that damage a database, and the faults that are found in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, Engine

from storage.upkeep import check_integrity

Find = Callable[[Connection], Iterator[str]]
Mend = Callable[[Engine], int]


def faults(engine: Engine) -> dict[str, int]:
    return {finding.check: finding.count for finding in check_integrity(engine) if finding.count}


def damage(engine: Engine, *statements: str) -> None:
    """Runs statements without foreign keys and checks, as none of our programs does."""
    connection = engine.raw_connection()
    cursor = connection.cursor()
    if engine.dialect.name == "sqlite":
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute("PRAGMA ignore_check_constraints = ON")
    else:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("ALTER TABLE pair DROP CONSTRAINT IF EXISTS pair_once")
    for statement in statements:
        cursor.execute(statement)
    connection.commit()
    cursor.close()
    connection.invalidate()


def assert_found_and_repaired(engine: Engine, statement: str, find: Find, mend: Mend) -> None:
    """Fails unless one fault is found after the statement, and none after its repair."""
    damage(engine, statement)
    with engine.connect() as connection:
        assert len(list(find(connection))) == 1
    assert mend(engine) == 1
    with engine.connect() as connection:
        assert list(find(connection)) == []
