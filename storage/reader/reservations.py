"""The condition that an article's rights are not reserved, on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Engine, cast, func, literal, not_, or_, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import Text


def without_reservation(engine: Engine, rights: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether no statement in the column `rights` reserves the article; also true where nothing is said."""
    if engine.dialect.name == "postgresql":
        reserved = cast(literal('[{"reserved": true}]', Text()), JSONB)
        return or_(rights.is_(None), not_(type_coerce(rights, JSONB).bool_op("@>")(reserved)))
    statement = func.json_each(rights).table_valued("value")
    reserves = func.json_extract(statement.c.value, "$.reserved") == 1
    return not_(select(literal(1)).select_from(statement).where(reserves).exists())
