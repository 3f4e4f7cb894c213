"""The settings of a connection to PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Connection, text


def settings_in(connection: Connection) -> dict[str, str]:
    """The settings of this connection to PostgreSQL, as the server shows them."""
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "application_name")
    query = text("SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(:names)")
    return {row.name: row.current_setting for row in connection.execute(query, {"names": list(names)})}
