"""Connections, transactions and versions, with all that differs between SQLite and PostgreSQL."""

from sqlalchemy import Engine  # the type, for packages that may not import SQLAlchemy

from storage.database.engines import connect
from storage.database.errors import explain, fault_of, is_exhausted, is_transient, shown_url
from storage.database.read_only import QueryTimeout, open_read_only
from storage.database.rows import insert_rows
from storage.database.transactions import WRITER_LOCK, begin_write, in_transaction, persistently
from storage.database.urls import DatabaseError, NoDatabase, lasting_url
from storage.database.versions import LOADING, SchemaVersion, newest_version, open_database, upgrade, version

__all__ = [
    "LOADING",
    "WRITER_LOCK",
    "DatabaseError",
    "Engine",
    "NoDatabase",
    "QueryTimeout",
    "SchemaVersion",
    "begin_write",
    "connect",
    "explain",
    "fault_of",
    "in_transaction",
    "insert_rows",
    "is_exhausted",
    "is_transient",
    "lasting_url",
    "newest_version",
    "open_database",
    "open_read_only",
    "persistently",
    "shown_url",
    "upgrade",
    "version",
]
