"""Statements that damage a database, and the faults that are found in it."""

from __future__ import annotations

from sqlalchemy import Engine

from storage.upkeep import check_integrity


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
