"""Rows of tables, for tests of upkeep."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, func, select

from storage import schema

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def rows(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(schema.metadata.tables[table])) or 0)


def values(engine: Engine, column: Any) -> set[Any]:
    with engine.connect() as connection:
        return set(connection.execute(select(column)).scalars())
