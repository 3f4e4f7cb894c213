"""Inserting many rows at once."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.exc import DBAPIError

from storage import database, schema
from storage.database import begin_write, insert_rows, open_database
from storage.database import rows as row_inserts
from tests.conftest import PostgresServer
from tests.storage.news import START

CLAIMS = {
    **dict.fromkeys(("published_at", "language", "description", "section", "image_url")),
    "title": 'a "b" \\ é',
    "authors": ["x", "ö\t"],
    "keywords": [],
}


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
            "claims": CLAIMS if n % 2 else None,
            "size": 2**40,
            "body": b"\x00\xff\\x\n" * n,
            "headers": [["Server", 'a "b" \\ é']] if n % 2 else None,
            **changes,
        }
        for n in range(count)
    ]


def test_many_and_few_rows_are_inserted_unchanged(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_times_flags_and_numbers_are_inserted_unchanged(engine: Engine) -> None:
    at = datetime(2026, 3, 1, 11, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
    rows = [
        {"article_id": n, "number": n, "gone": n % 2 == 0, "at": at, "url": None, "news": n or None}
        for n in range(9)
    ]
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
