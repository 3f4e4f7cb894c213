"""Making and upgrading databases, and databases that are left alone."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from storage.database import DatabaseError, connect, open_database, upgrade, version, versions
from tests.conftest import PostgresServer
from tests.storage.bases import load
from tests.storage.database.connection_settings import settings_in
from tests.waiting import PATIENCE


def test_versions_come_from_the_file_names_of_the_migrations() -> None:
    scripts = ScriptDirectory.from_config(versions.alembic_config())

    assert {script.revision for script in scripts.walk_revisions()} == versions.known_versions()
    assert scripts.get_current_head() == versions.newest_version()


def test_a_new_database_is_made_at_the_newest_schema(empty_database_url: str) -> None:
    engine = open_database(empty_database_url)

    assert version(engine).is_current
    assert "articles" in inspect(engine).get_view_names()
    engine.dispose()
    again = open_database(empty_database_url, create=False)
    assert version(again).is_current
    again.dispose()


def test_two_processes_may_make_one_database(empty_database_url: str) -> None:
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_open, args=(empty_database_url,)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(PATIENCE)

    assert [child.exitcode for child in children] == [0, 0, 0]


def _open(url: str) -> None:
    open_database(url).dispose()


def test_without_create_no_database_is_made(empty_database_url: str, backend: str) -> None:
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


def test_an_empty_file_becomes_a_database_only_with_create(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()

    with pytest.raises(DatabaseError, match="is empty"):
        open_database(f"sqlite:///{path}", create=False)
    open_database(f"sqlite:///{path}").dispose()


def test_a_migration_has_no_time_limit(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a?mode=memory", ""]
)
def test_a_database_that_would_not_last_is_refused(url: str) -> None:
    with pytest.raises(DatabaseError, match=r"write sqlite:///path/to/file\.db"):
        open_database(url)
