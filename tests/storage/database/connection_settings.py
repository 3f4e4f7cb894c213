"""The settings of a connection to PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Connection, text


def settings_in(connection: Connection) -> dict[str, str]:
    """What this connection to PostgreSQL goes by, and for how long the server says so."""
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "application_name")
    query = text("SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(:names)")
    return {row.name: row.current_setting for row in connection.execute(query, {"names": list(names)})}
