"""Counters of a database, on both kinds."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine

from storage import schema
from storage.base import counter_value, last_change_number, set_counter
from storage.database import begin_write, insert_rows

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_a_counter_is_0_until_it_is_set_and_keeps_its_last_number(engine: Engine) -> None:
    found = []
    with begin_write(engine) as connection:
        for value in (None, 7, 3):
            if value is not None:
                set_counter(connection, "ferries", value)
            found.append(counter_value(connection, "ferries"))
        set_counter(connection, "harbours", 5)
        assert counter_value(connection, "ferries") == 3
    assert found == [0, 7, 3]


def test_the_last_change_is_0_in_an_empty_database(engine: Engine) -> None:
    row = {"article_id": 1, "gone": True, "at": AT, "url": None, "news": None}
    with begin_write(engine) as connection:
        assert last_change_number(connection) == 0
        insert_rows(connection, schema.change, [{**row, "number": 12}])
        assert last_change_number(connection) == 12
