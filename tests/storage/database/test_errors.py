"""Errors that are retried, errors that end the run, and messages to the operator."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError

from storage import database
from storage.database import DatabaseError, open_database
from storage.database.errors import explain, explained, shown_url
from tests.storage.news import contents, store, wire


@pytest.mark.parametrize(
    ("state", "waits", "stops"),
    [
        ("57P01", True, False),  # the server is shut down
        ("57P03", True, False),  # the server is starting
        ("40P01", True, False),  # deadlock
        ("55P03", True, False),  # lock_timeout
        ("25P03", True, False),  # idle_in_transaction_session_timeout
        ("53100", False, True),  # disk full
        ("57014", False, True),  # statement_timeout, or cancelled by somebody
        ("23505", False, False),  # a value's own fault
    ],
)
def test_an_error_of_a_server_is_retried_or_ends_the_run_or_costs_one_document(
    state: str, waits: bool, stops: bool
) -> None:
    original = psycopg.errors.lookup(state)("refused")
    error = DBAPIError("INSERT", None, original)

    assert database.is_transient(error) == waits
    assert database.is_exhausted(error) == stops


def test_a_full_disk_is_not_an_error_of_a_value() -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    error = DBAPIError("INSERT", None, full)

    assert database.is_exhausted(error)
    assert not database.is_transient(error)
    assert not database.is_exhausted(DBAPIError("INSERT", None, sqlite3.IntegrityError("x")))


def test_a_full_disk_stops_the_run_and_leaves_the_database_whole(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'full.db'}"
    engine = open_database(url)
    store(engine, wire(10))
    before = contents(engine)
    engine.dispose()

    @event.listens_for(engine, "connect")
    def limit(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")

    with pytest.raises(DatabaseError, match="the disk is full"):
        store(engine, wire(200, seed=9))

    assert contents(engine) == before
    engine.dispose()
    roomy = open_database(url)
    assert store(roomy, [*wire(10), *wire(40, seed=9)[10:]]).stored == 30
    roomy.dispose()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            sqlite3.SQLITE_NOTADB,
            "news.db is not a SQLite database: name another file, or restore a backup",
        ),
        (sqlite3.SQLITE_CORRUPT, "news.db is damaged: restore a backup, or try sqlite3 FILE .recover"),
        (sqlite3.SQLITE_BUSY, "news.db is held by another program: wait for it, or stop it"),
        (sqlite3.SQLITE_BUSY | 2 << 8, "news.db is held by another program: wait for it, or stop it"),
        (sqlite3.SQLITE_ERROR, "news.db no such table: page"),
    ],
)
def test_an_error_of_sqlite_is_explained_by_its_code(code: int, told: str) -> None:
    original = sqlite3.OperationalError("no such table:\n  page")
    original.sqlite_errorcode = code

    assert explain(DBAPIError("SELECT", None, original), create_engine("sqlite:///news.db")) == told


@pytest.mark.parametrize(
    ("original", "told"),
    [
        (psycopg.OperationalError("connection\nrefused"), "cannot be reached: connection refused"),
        (psycopg.errors.LockNotAvailable("timeout"), "is held by another program: wait for it, or stop it"),
        (psycopg.errors.DiskFull("no space"), "cannot grow: the server's disk is full (no space)"),
    ],
)
def test_an_error_of_a_server_is_explained_without_the_password(original: psycopg.Error, told: str) -> None:
    engine = create_engine("postgresql+psycopg://ada:secret@db.example/news")
    said = explain(DBAPIError("SELECT", None, original), engine)

    assert said == f"postgresql://ada:***@db.example/news {told}"


def test_a_database_in_memory_has_a_name_in_messages() -> None:
    assert shown_url(create_engine("sqlite://")) == "the database in memory"


def test_only_errors_of_the_driver_are_explained() -> None:
    engine = create_engine("sqlite:///news.db")
    with pytest.raises(DatabaseError, match=r"news\.db no such table") as found, explained(engine):
        raise DBAPIError("SELECT", None, sqlite3.OperationalError("no such table"))
    assert isinstance(found.value.__cause__, DBAPIError)
    with pytest.raises(ZeroDivisionError), explained(engine):
        raise ZeroDivisionError
