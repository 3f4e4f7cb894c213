"""Connections: their settings, and errors for wrong URLs and files."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from pipeline.errors import OperatorError
from storage import reader
from storage.database import DatabaseError, begin_write, connect, open_database
from tests.conftest import PostgresServer
from tests.storage.database.connection_settings import settings_in
from tests.storage.news import store, wire
from tests.waiting import wait_until


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


def test_postgresql_limits_writers_and_never_cuts_readers(postgres: PostgresServer) -> None:
    url = postgres.create("copydesk_template")
    name = make_url(url).database
    with psycopg.connect(
        url, autocommit=True
    ) as connection:  # as an administrator may set it for all databases
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
    for _ in range(2):  # the writer's connection returns to the pool without its limits
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


def _is_connected(url: str, pid: int) -> bool:
    with closing(psycopg.connect(url)) as connection:
        found = connection.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,))
        return found.fetchone() is not None


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
        wait_until(lambda: not _is_connected(url, other.info.backend_pid))
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            other.execute("SELECT 1")

    assert len(list(rows)) == 4
    engine.dispose()
    postgres.drop(url)
