"""Times and JSON as each database stores them, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import create_engine

from storage.schema.types import Json, UtcTime, to_second, utc_text

SQLITE, POSTGRESQL = (create_engine(url).dialect for url in ("sqlite://", "postgresql+psycopg://"))
STORED = datetime(2026, 3, 1, 10, 0, 0, tzinfo=UTC)
GIVEN = datetime(2026, 3, 1, 12, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))


def test_a_time_is_cut_to_the_second_in_utc() -> None:
    assert to_second(GIVEN) == STORED
    assert to_second(GIVEN).tzinfo is UTC
    assert utc_text(GIVEN) == "2026-03-01T10:00:00Z"


def test_a_time_is_text_on_sqlite_and_a_time_on_postgresql() -> None:
    assert UtcTime().process_bind_param(GIVEN, SQLITE) == "2026-03-01T10:00:00Z"
    assert UtcTime().process_bind_param(GIVEN, POSTGRESQL) == STORED
    assert UtcTime().process_result_value("2026-03-01T10:00:00Z", SQLITE) == STORED
    read = UtcTime().process_result_value(GIVEN.replace(microsecond=0), POSTGRESQL)
    assert read == STORED
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    ("column", "value"), [("reasons", {"é": 5}), ("authors", []), ("authors", ["é", ""])]
)
def test_json_comes_back_as_it_was(column: str, value: object) -> None:
    kind = Json(column)
    stored = kind.process_bind_param(value, SQLITE)
    assert isinstance(stored, str)
    assert kind.process_result_value(stored, SQLITE) == value
    assert kind.process_bind_param(value, POSTGRESQL) is value
    assert kind.process_result_value(value, POSTGRESQL) is value


def test_json_is_compact_text_on_sqlite_with_letters_as_they_are() -> None:
    assert Json("authors").process_bind_param({"a": ["é", None]}, SQLITE) == '{"a":["é",null]}'


def test_null_stays_null() -> None:
    for kind in (UtcTime(), Json("authors")):
        for dialect in (SQLITE, POSTGRESQL):
            assert kind.process_bind_param(None, dialect) is None
            assert kind.process_result_value(None, dialect) is None


def test_columns_have_the_type_of_their_database() -> None:
    found = [
        kind.compile(dialect) for kind in (UtcTime(), Json("authors")) for dialect in (SQLITE, POSTGRESQL)
    ]
    assert found == ["TEXT", "TIMESTAMP WITH TIME ZONE", "TEXT", "JSONB"]
