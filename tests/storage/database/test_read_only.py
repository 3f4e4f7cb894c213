"""Engines that only read, within a limit of time, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from storage import reader
from storage.database import DatabaseError, QueryTimeout, open_read_only
from tests.storage.news import article, store, story

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def _url(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False).replace("+psycopg", "")


def test_it_reads_what_a_writer_stores_meanwhile(engine: Engine) -> None:
    reading = open_read_only(_url(engine), seconds=60)
    assert list(reader.articles(reading)) == []
    store(engine, [article("https://a.example/1", story(1))])
    assert len(list(reader.articles(reading))) == 1
    reading.dispose()


def test_it_cannot_write(engine: Engine) -> None:
    reading = open_read_only(_url(engine), seconds=60)
    with pytest.raises(DBAPIError, match=r"read-?only"), reading.begin() as connection:
        connection.execute(text("DELETE FROM article"))
    reading.dispose()


def test_a_statement_ends_at_its_limit_and_the_next_one_is_answered(engine: Engine) -> None:
    reading = open_read_only(_url(engine), seconds=0.2)
    with pytest.raises(QueryTimeout, match="too long"), reading.connect() as connection:
        connection.execute(text(ENDLESS))
    with reading.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    reading.dispose()


def test_without_a_limit_it_only_reads_as_well(engine: Engine) -> None:
    reading = open_read_only(_url(engine), seconds=None)
    with reading.connect() as connection:
        assert connection.scalar(text(ENDLESS.replace("FROM n)", "FROM n WHERE i < 300000)"))) == 300_000
    with pytest.raises(DBAPIError, match=r"read-?only"), reading.begin() as connection:
        connection.execute(text("DELETE FROM article"))
    reading.dispose()


def test_there_must_be_a_database() -> None:
    with pytest.raises(DatabaseError):
        open_read_only("sqlite:///no/such/file.db", seconds=1)
