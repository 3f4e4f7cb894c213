"""Numbers that a database keeps under a name, and the number of its last change."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select, update

from storage import schema


def counter_value(connection: Connection, name: str) -> int:
    """The number under that name; 0 if there is none yet."""
    table = schema.counter
    return int(connection.scalar(select(table.c.value).where(table.c.name == name)) or 0)


def set_counter(connection: Connection, name: str, value: int) -> None:
    """Keeps the number under that name."""
    table = schema.counter
    done = connection.execute(update(table).where(table.c.name == name).values(value=value))
    if not done.rowcount:
        connection.execute(insert(table).values(name=name, value=value))


def last_change_number(connection: Connection) -> int:
    """The number of the last change; 0 in an empty database."""
    return int(connection.scalar(select(func.max(schema.change.c.number))) or 0)
