"""The size of a database is known, and deleted rows leave nothing in SQLite's file once it is rewritten."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, make_url

from storage.base.space import disk_space, empty_log, rewrite, securely
from storage.writer import remove_articles
from tests.storage.news import SETTINGS, article, store, story, wire

SECRET = "Zanzibar"


def test_the_size_grows_with_what_is_stored(engine: Engine) -> None:
    before = disk_space(engine).size
    store(engine, wire(60))
    empty_log(engine)

    assert disk_space(engine).size > before


def test_sqlite_reports_its_free_space_and_returns_it(engine: Engine) -> None:
    store(engine, [article(f"https://a.example/{n}", story(n)) for n in range(60)])
    remove_articles(engine, range(1, 61), SETTINGS)
    full = disk_space(engine)
    rewrite(engine)
    found = disk_space(engine)

    if engine.dialect.name == "postgresql":
        assert (full.free, found.free) == (None, None)
    else:
        assert full.free
        assert found.free == 0
        assert found.size < full.size


def test_nothing_of_a_deleted_text_is_left_in_the_file(engine: Engine, database_url: str) -> None:
    store(engine, [article("https://a.example/1", f"{SECRET} {story(1)}")])
    remove_articles(engine, [1], SETTINGS)
    rewrite(engine)

    if engine.dialect.name == "sqlite":
        file = Path(str(make_url(database_url).database))
        assert SECRET.encode() not in file.read_bytes()


def test_secure_deletion_is_on_only_during_a_deletion(engine: Engine) -> None:
    def setting(connection: Connection) -> object:
        if connection.dialect.name == "postgresql":
            return None
        return connection.exec_driver_sql("PRAGMA secure_delete").scalar()

    with engine.connect() as connection:
        before = setting(connection)
        assert securely(setting)(connection) == (None if before is None else 1)
        assert setting(connection) == before
