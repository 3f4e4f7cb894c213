"""Opening, making and upgrading bases, and what is said where that does not work."""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, delete, event, func, inspect, make_url, select, text
from sqlalchemy.exc import DBAPIError

from pipeline.errors import OperatorError
from storage import database, reader, schema
from storage.database import (
    DatabaseError,
    begin_write,
    connect,
    insert_rows,
    open_database,
    transactions,
    upgrade,
    version,
    versions,
)
from storage.database import rows as row_inserts
from tests.conftest import PostgresServer
from tests.storage.bases import load
from tests.storage.news import START, contents, store, wire


def test_versions_are_told_by_the_names_of_the_migrations_files() -> None:
    scripts = ScriptDirectory.from_config(versions.alembic_config())

    assert {script.revision for script in scripts.walk_revisions()} == versions.known_versions()
    assert scripts.get_current_head() == versions.newest_version()


def test_a_new_base_is_made_at_the_newest_schema(empty_database_url: str) -> None:
    engine = open_database(empty_database_url)

    assert version(engine).is_current
    assert "articles" in inspect(engine).get_view_names()
    engine.dispose()
    again = open_database(empty_database_url, create=False)
    assert version(again).is_current
    again.dispose()


def test_two_processes_may_make_one_base(empty_database_url: str) -> None:
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_open, args=(empty_database_url,)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)

    assert [child.exitcode for child in children] == [0, 0, 0]


def _open(url: str) -> None:
    open_database(url).dispose()


def test_without_create_nothing_is_made(empty_database_url: str, backend: str) -> None:
    with pytest.raises(DatabaseError, match="copydesk ingest") as error:
        open_database(empty_database_url, create=False)

    assert "\n" not in str(error.value)
    if backend == "postgresql":
        engine = connect(empty_database_url)
        assert inspect(engine).get_table_names() == []
        engine.dispose()
    else:
        assert not Path(empty_database_url.removeprefix("sqlite:///")).exists()


def test_a_newer_schema_is_left_alone(engine: Engine, database_url: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    for attempt in (lambda: open_database(database_url), lambda: upgrade(engine)):
        with pytest.raises(DatabaseError, match=r"9999, newer than this Copydesk .*install a newer"):
            attempt()


def test_upgrading_what_is_current_changes_nothing(engine: Engine) -> None:
    assert upgrade(engine).is_current
    assert upgrade(engine).is_current


def test_tables_of_another_program_are_left_alone(empty_database_url: str) -> None:
    engine = connect(empty_database_url, create=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE page (id integer)"))
    engine.dispose()

    with pytest.raises(DatabaseError, match="another program's tables"):
        open_database(empty_database_url)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda path: path.write_text("no database, but a text of some length" * 100),
            "is not a SQLite database",
        ),
        (lambda path: path.mkdir(), "is a folder"),
    ],
)
def test_a_file_that_is_no_database_is_named(make: object, said: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    assert callable(make)
    make(path)

    with pytest.raises(DatabaseError, match=said) as error:
        open_database(f"sqlite:///{path}")

    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_an_empty_file_is_a_base_to_be_made_only_with_create(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()

    with pytest.raises(DatabaseError, match="is empty"):
        open_database(f"sqlite:///{path}", create=False)
    open_database(f"sqlite:///{path}").dispose()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://localhost/news", "kind 'mysql' are not supported"),
        ("copydesk.db", "is no database URL"),
        ("", "is no database URL"),
        ("sqlite:////no/such/folder/news.db", "no such file or directory: /no/such/folder"),
        ("postgresql://ada:secret@127.0.0.1:1/news", "cannot be reached"),
    ],
)
def test_a_wrong_url_is_explained_in_one_line(url: str, said: str) -> None:
    with pytest.raises(DatabaseError, match=said) as error:
        open_database(url)

    assert isinstance(error.value, OperatorError)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


def test_sqlite_is_set_up_on_every_connection(tmp_path: Path) -> None:
    open_database(f"sqlite:///{tmp_path / 'a.db'}").dispose()
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    wanted = {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
        "cache_size": -65_536,
        "wal_autocheckpoint": 32_768,
        "journal_size_limit": 256 << 20,
        "temp_store": 2,
    }
    with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
            assert found == wanted
    with begin_write(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA cache_size").scalar() == -262_144
    engine.dispose()


def settings_in(connection: Connection) -> dict[str, str]:
    """What this connection to PostgreSQL goes by, and for how long the server says so."""
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "application_name")
    query = text("SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(:names)")
    return {row.name: row.current_setting for row in connection.execute(query, {"names": list(names)})}


def test_postgresql_limits_writers_and_never_cuts_readers(postgres: PostgresServer) -> None:
    url = postgres.create("copydesk_template")
    name = make_url(url).database
    with psycopg.connect(url, autocommit=True) as connection:  # as an administrator may have it for all
        for setting in ("idle_in_transaction_session_timeout = '1min'", "statement_timeout = '50s'"):
            connection.execute(f'ALTER DATABASE "{name}" SET {setting}'.encode())
    engine = open_database(url)
    with begin_write(engine) as connection:
        assert settings_in(connection) == {
            "application_name": "copydesk",
            "lock_timeout": "30s",
            "statement_timeout": "10min",
            "idle_in_transaction_session_timeout": "10min",
        }
    for _ in range(2):  # the writer's connection comes back without its limits
        with engine.connect() as connection:
            assert settings_in(connection) == {
                "application_name": "copydesk",
                "lock_timeout": "0",
                "statement_timeout": "50s",
                "idle_in_transaction_session_timeout": "0",
            }
            driver = connection.connection.driver_connection
            assert driver is not None
            parameters = driver.info.get_parameters()
            assert parameters["keepalives_idle"] == "60"
            assert parameters["tcp_user_timeout"] == "120000"
    engine.dispose()
    own = connect(make_url(url).update_query_dict({"keepalives_idle": "5"}).render_as_string(False))
    with own.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        assert driver.info.get_parameters()["keepalives_idle"] == "5"
    own.dispose()
    postgres.drop(url)


def test_a_migration_takes_as_long_as_it_takes(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.create("template1")
    load(url, "0001")
    found: list[dict[str, str]] = []
    migrate = command.upgrade

    def look(config: Config, revision: str) -> None:
        found.append(settings_in(config.attributes["connection"]))
        migrate(config, revision)

    monkeypatch.setattr(command, "upgrade", look)
    engine = connect(url)
    upgrade(engine)

    assert [settings["statement_timeout"] for settings in found] == ["0"]
    engine.dispose()
    postgres.drop(url)


def test_an_export_outlives_a_pause_that_the_server_would_cut(postgres: PostgresServer) -> None:
    url = postgres.create("copydesk_template")
    name = make_url(url).database
    with psycopg.connect(url, autocommit=True) as connection:
        statement = f"ALTER DATABASE \"{name}\" SET idle_in_transaction_session_timeout = '100ms'"
        connection.execute(statement.encode())
    engine = open_database(url)
    store(engine, wire(5))
    rows = reader.articles(engine)
    next(rows)
    with closing(psycopg.connect(url)) as other:
        other.execute("SELECT 1")
        time.sleep(0.5)
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            other.execute("SELECT 1")

    assert len(list(rows)) == 4
    engine.dispose()
    postgres.drop(url)


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
def test_what_a_server_refuses_is_waited_for_or_ends_the_run_or_costs_one_document(
    state: str, waits: bool, stops: bool
) -> None:
    original = psycopg.errors.lookup(state)("refused")
    error = DBAPIError("INSERT", None, original)

    assert database.is_transient(error) == waits
    assert database.is_exhausted(error) == stops


def test_a_base_in_memory_lives_as_long_as_its_engine() -> None:
    engine = open_database("sqlite://")
    assert version(engine).is_current
    engine.dispose()


def test_writers_take_turns(database_url: str) -> None:
    one, other = open_database(database_url), open_database(database_url)
    hurry = {"sqlite": "PRAGMA busy_timeout = 1", "postgresql": "SET lock_timeout = '50ms'"}[one.dialect.name]
    with begin_write(one), other.connect().execution_options(copydesk_writes=True) as waiting:
        driver = waiting.connection.driver_connection
        assert driver is not None
        driver.execute(hurry)
        if other.dialect.name == "postgresql":
            driver.commit()
        with pytest.raises(DBAPIError) as refused, waiting.begin():
            waiting.execute(text(f"SELECT pg_advisory_xact_lock({transactions.WRITER_LOCK})"))
        assert database.is_transient(refused.value)
    one.dispose()
    other.dispose()


def test_a_full_disk_is_no_fault_of_a_value() -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    error = DBAPIError("INSERT", None, full)

    assert database.is_exhausted(error)
    assert not database.is_transient(error)
    assert not database.is_exhausted(DBAPIError("INSERT", None, sqlite3.IntegrityError("x")))


def test_a_full_disk_stops_the_run_and_leaves_the_base_whole(tmp_path: Path) -> None:
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


# --- many rows at once ----------------------------------------------------------------------------------


def pages_to_insert(count: int, **changes: Any) -> list[dict[str, Any]]:
    """Rows of `page` with something of every kind in them: nulls, JSON, bytes, odd characters."""
    return [
        {
            "id": n,
            "sha256": bytes([n]) * 32,
            "location": f"tab\tline\nback\\slash \\N 'quote' é {n}",
            "url": "",
            "media_type": "text/html",
            "encoding": None,
            "origin": "file",
            "fetched_us": -(2**62),
            "publisher": "Ålesund ☂ \U0001f4f0" if n % 2 else None,
            "claims": {"title": 'a "b" \\ é', "authors": ["x", None], "n": 1.5} if n % 2 else None,
            "size": 2**40,
            "body": b"\x00\xff\\x\n" * n,
            **changes,
        }
        for n in range(count)
    ]


def test_rows_come_in_as_they_are_many_or_few(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for copy_from in (1, 10**9):
        monkeypatch.setattr(row_inserts, "_COPY_FROM", copy_from)
        with begin_write(engine) as connection:
            connection.execute(delete(schema.page))
            insert_rows(connection, schema.page, pages_to_insert(7))
            insert_rows(connection, schema.page, [])
            rows = connection.execute(select(schema.page).order_by(schema.page.c.id)).mappings()
            found.append([dict(row) for row in rows])

    assert found[0] == found[1] == pages_to_insert(7)


def test_times_flags_and_numbers_come_in_as_they_are(engine: Engine) -> None:
    at = datetime(2026, 3, 1, 11, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
    rows = [{"article_id": n, "number": n, "gone": n % 2 == 0, "at": at, "url": None} for n in range(9)]
    with begin_write(engine) as connection:
        insert_rows(connection, schema.change, rows)
        found = connection.execute(select(schema.change).order_by(schema.change.c.number)).mappings().all()

    assert [dict(row) for row in found] == [{**row, "at": START.replace(microsecond=0)} for row in rows]


@pytest.mark.parametrize("changes", [{"location": "a\0b"}, {"url": None}, {"claims": {"title": "a\0b"}}])
def test_a_row_that_is_refused_leaves_the_transaction_usable(
    postgres: PostgresServer, changes: dict[str, Any]
) -> None:
    url = postgres.create("copydesk_template")
    engine = open_database(url)
    with begin_write(engine) as connection:
        savepoint = connection.begin_nested()
        with pytest.raises((DBAPIError, ValueError)) as refused:
            insert_rows(connection, schema.page, pages_to_insert(5, **changes))
        savepoint.rollback()
        assert not database.is_transient(refused.value)
        assert not database.is_exhausted(refused.value)
        insert_rows(connection, schema.page, pages_to_insert(5))
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.page)) == 5
    engine.dispose()
    postgres.drop(url)


def test_a_connection_that_breaks_in_the_middle_of_many_rows_is_worth_another_try(
    postgres: PostgresServer,
) -> None:
    url = postgres.create("copydesk_template")
    engine = open_database(url)
    with pytest.raises(DBAPIError) as lost, begin_write(engine) as connection:  # noqa: PT012
        driver = connection.connection.driver_connection
        assert driver is not None
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (driver.info.backend_pid,))
        insert_rows(connection, schema.page, pages_to_insert(5))

    assert database.is_transient(lost.value)
    with begin_write(engine) as connection:
        insert_rows(connection, schema.page, pages_to_insert(5))
    engine.dispose()
    postgres.drop(url)
