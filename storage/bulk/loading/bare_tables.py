"""Takes indexes, keys and triggers off the tables that are loaded, and says how to put them back.

What is put back is what the database itself says of them, so whatever migrations made is there again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

# Tables with some rows an article or more. The others are small, and keep their indexes.
LOADED = (
    "article",
    "band",
    "change",
    "document",
    "page",
    "pair",
    "rejection",
    "removal",
    "revision",
    "search_entry",
    "search_words",
    "sighting",
    "signature",
)

# Stages in which PostgreSQL gets back what was taken off. Nothing within a stage waits for anything else in
# it: keys are made of indexes, and foreign keys refer to keys. An exclusion locks its table, so it has a
# stage to itself.
INDEXES, EXCLUSIONS, KEYS, REFERENCES = range(4)
STAGES = (INDEXES, EXCLUSIONS, KEYS, REFERENCES)


@dataclass(frozen=True, slots=True)
class Taken:
    """Something that was taken off. name: of the index or constraint. restore: the statement."""

    stage: int
    table: str
    name: str
    restore: str


def strip_sqlite(connection: Any) -> list[str]:
    """Drops the indexes and triggers of the tables; returns the statements that make them again.

    connection: a `sqlite3.Connection` in a transaction. Primary keys and unique constraints stay.
    """
    names = ", ".join(f"'{name}'" for name in LOADED)
    found = connection.execute(
        "SELECT type, name, sql FROM sqlite_master"  # noqa: S608
        f" WHERE type IN ('index', 'trigger') AND sql IS NOT NULL AND tbl_name IN ({names}) ORDER BY rowid"
    ).fetchall()
    for kind, name, _ in found:
        connection.execute(f'DROP {kind.upper()} "{name}"')
    return [sql for _, _, sql in found]


# Foreign keys of the tables, and those of other tables that refer to them.
_CONSTRAINTS = text("""
    SELECT owner.relname AS "table", pg_constraint.conname AS name, pg_constraint.contype::text AS kind,
           pg_get_constraintdef(pg_constraint.oid) AS definition,
           pg_get_indexdef(nullif(conindid, 0)) AS key_index
    FROM pg_constraint
    JOIN pg_class AS owner ON owner.oid = conrelid
    LEFT JOIN pg_class AS target ON target.oid = confrelid
    WHERE owner.relnamespace = current_schema()::regnamespace
      AND ((owner.relname = ANY(:tables) AND contype IN ('p', 'u', 'x', 'f'))
           OR (target.relname = ANY(:tables) AND contype = 'f'))
    ORDER BY owner.relname, pg_constraint.conname
""")

_INDEXES = text("""
    SELECT owner.relname AS "table", made.relname AS name, pg_get_indexdef(made.oid) AS definition
    FROM pg_index
    JOIN pg_class AS owner ON owner.oid = indrelid
    JOIN pg_class AS made ON made.oid = indexrelid
    WHERE owner.relnamespace = current_schema()::regnamespace AND owner.relname = ANY(:tables)
      AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
    ORDER BY owner.relname, made.relname
""")


def strip_postgresql(connection: Connection) -> list[Taken]:
    """Drops the indexes and keys of the tables, and foreign keys to them; silences triggers.

    `wake_triggers` wakes them.
    """
    found = list(_taken(connection))
    for one in sorted(found, key=lambda one: -one.stage):  # who refers goes before what is referred to
        if one.stage == INDEXES:  # that of a key went with the key
            connection.exec_driver_sql(f'DROP INDEX IF EXISTS "{one.name}"')
        else:
            connection.exec_driver_sql(f'ALTER TABLE "{one.table}" DROP CONSTRAINT IF EXISTS "{one.name}"')
    connection.exec_driver_sql("ALTER TABLE article DISABLE TRIGGER USER")
    return found


def wake_triggers(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE article ENABLE TRIGGER USER")


def _taken(connection: Connection) -> Iterator[Taken]:
    tables = {"tables": list(LOADED)}
    for row in connection.execute(_CONSTRAINTS, tables):
        add = f'ALTER TABLE "{row.table}" ADD CONSTRAINT "{row.name}"'
        if row.kind == "f":
            yield Taken(REFERENCES, row.table, row.name, f"{add} {row.definition}")
        elif row.kind == "x":
            yield Taken(EXCLUSIONS, row.table, row.name, f"{add} {row.definition}")
        else:
            # Its index first: several indexes of a table can be made at once, keys cannot.
            yield Taken(KEYS, row.table, row.name, f'{add} {_KINDS[row.kind]} USING INDEX "{row.name}"')
            yield Taken(INDEXES, row.table, row.name, row.key_index)
    for row in connection.execute(_INDEXES, tables):
        yield Taken(INDEXES, row.table, row.name, row.definition)


_KINDS = {"p": "PRIMARY KEY", "u": "UNIQUE"}
