"""Column types: times and JSON, which SQLite and PostgreSQL store differently, and bytes that are checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Dialect, LargeBinary, Text, TypeDecorator
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from pipeline.errors import OperatorError
from storage.schema.shapes import SHAPES


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time to the second: timestamptz on PostgreSQL, `2026-03-01T10:00:00Z` on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return to_second(value) if dialect.name == "postgresql" else utc_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        try:
            time: datetime = (
                datetime.fromisoformat(value) if isinstance(value, str) else value.astimezone(UTC)
            )
        except (ValueError, AttributeError) as error:
            raise _damaged(value, "time") from error
        return time


class Blob(TypeDecorator[bytes]):
    """Bytes, or a row of numbers of `width` bytes each. DamagedValue if what is stored is neither."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, width: int = 1) -> None:
        super().__init__()
        self.width = width

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], bytes | None]:
        width = self.width

        def process(value: Any) -> bytes | None:
            if value is not None and (not isinstance(value, bytes) or len(value) % width):
                raise _damaged(value, f"row of numbers of {width} bytes")
            return value

        return process


class Json(TypeDecorator[Any]):
    """A JSON value: jsonb on PostgreSQL; compact text on SQLite, with non-ASCII letters as they are.

    column: whose shape it has, one of `SHAPES`. DamagedValue if what is stored has another, or is null where
    that cannot be.
    """

    impl = Text
    cache_ok = True

    def __init__(self, column: str, is_nullable: bool = True) -> None:
        super().__init__()
        self.column, self.is_nullable = column, is_nullable

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.JSONB(none_as_null=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return json_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if value is None and self.is_nullable:
            return None
        try:
            found = value if dialect.name == "postgresql" else json.loads(value)
        except (ValueError, TypeError, RecursionError) as error:
            raise _damaged(value, "JSON") from error
        if not SHAPES[self.column](found):
            raise _damaged(value, f"JSON of {self.column}")
        return found


def json_text(value: Any) -> str:
    """A JSON value as SQLite stores it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class DamagedValue(OperatorError):
    """Raised for a stored value that cannot be read; `damaged_value` makes it."""


def damaged_value(what: str) -> DamagedValue:
    """The error for a value. what: the value, and why it cannot be read."""
    return DamagedValue(
        f"the database is damaged: {what}: restore a backup (copydesk db check says what else is wrong)"
    )


def _damaged(value: Any, wanted: str) -> DamagedValue:
    return damaged_value(f"a value is no {wanted} ({str(value)[:40]!r})")


def to_second(time: datetime) -> datetime:
    """The time in UTC without its fraction of a second, as every time is stored."""
    return time.astimezone(UTC).replace(microsecond=0)


def utc_text(time: datetime) -> str:
    """ISO 8601 ending in Z, as the views of a SQLite database show times."""
    return to_second(time).isoformat()[: -len("+00:00")] + "Z"
