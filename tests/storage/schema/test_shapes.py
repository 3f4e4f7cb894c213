"""The shape of JSON in each column: what is written has it, and what has another is said to be damaged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.document import Claims, RightsStatement, as_objects
from storage.base import claims_json
from storage.schema import DamagedValue, Json, metadata, view_tables
from storage.schema.shapes import SHAPES
from tests.storage.schema.test_types import POSTGRESQL, SQLITE

STATED = (RightsStatement("robots", "noai", "meta"), RightsStatement("license", "x", "link", "a", True))
RIGHTS = as_objects(STATED)
CLAIMS = Claims("Ferry", "2026", ("Ada",), "en", "d", "s", ("k",), "https://a.example/a.jpg", STATED)
OLD: dict[str, Any] = {"title": None, "published_at": None, "authors": [], "language": None}
ALERT = {"figure": "words", "was": 1, "now": 2.5, "message": "m"}
# Of each column: what it may hold, and what it may not.
VALUES: dict[str, tuple[list[Any], list[Any]]] = {
    "authors": ([[], ["Ada"]], [{}, [1], ["Ada", None], "Ada"]),
    "keywords": ([["a"]], [{}, [["a"]], 5]),
    "rights": (
        [[], RIGHTS],
        [{}, ["a"], [{}], [RIGHTS[0] | {"name": 1}], [RIGHTS[0] | {"more": 1}], [RIGHTS[0] | {"agent": 1}]],
    ),
    "reasons": ([{}, {"too_short": 5}], [[], {"too_short": "5"}, {"too_short": []}]),
    "alerts": ([[], [ALERT]], [{}, [[]], [{"figure": "words"}], [ALERT | {"now": "2"}]]),
    "claims": (
        [OLD, claims_json(CLAIMS)],
        [[], {}, {"authors": []}, OLD | {"authors": "Ada"}, OLD | {"title": 5}, OLD | {"rights": {}}],
    ),
    "removed": ([[], [[1, "a", "b"]]], [{}, [[1, "a"]], [["1", "a", "b"]], [5]]),
    "headers": ([[], [["Server", "a"]]], [{}, [["a"]], ["ab"], [["a", None]]]),
    "tells": ([["story"]], [{}, [1], "story"]),
    "ways": ([[], ["feed"]], [{}, [None], "feed"]),
    "body": ([{}, {"kind": "story"}], [[], "a", 5]),
    "children": ([[], [["https://a.example/", "feed"]]], [{}, [["a"]], ["ab"], [["a", 5]]]),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(name: str) -> None:
    sound, wrong = VALUES[name]
    column = Json(name)
    for value in sound:
        assert column.process_result_value(json.dumps(value), SQLITE) == value
        assert column.process_result_value(value, POSTGRESQL) == value
    for value in wrong:
        with pytest.raises(DamagedValue, match=f"is no JSON of {name}"):
            column.process_result_value(json.dumps(value), SQLITE)
        with pytest.raises(DamagedValue, match="the database is damaged"):
            column.process_result_value(value, POSTGRESQL)


def test_null_is_damage_where_it_cannot_be() -> None:
    assert Json("authors").process_result_value(None, SQLITE) is None
    with pytest.raises(DamagedValue):
        Json("authors", is_nullable=False).process_result_value(None, SQLITE)


def test_every_json_column_is_of_its_own_shape() -> None:
    tables = [*metadata.tables.values(), *view_tables.values()]
    found = [(one, one.type) for table in tables for one in table.c if isinstance(one.type, Json)]
    assert {kind.column for _, kind in found} == set(SHAPES)
    for column, kind in found:
        assert kind.column == column.name
