"""The forms of answers are the columns of the views, and nothing stands in two places."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from copydesk.web.api import models
from storage import reader
from storage.schema import VIEWS

# An address, and the view of which its rows have exactly the columns, but for what is named.
ROWS = (
    ("articles?text=1&limit=200", "articles", ()),
    ("articles?limit=200", "articles", ("-text",)),
    ("articles/1/revisions", "revisions", ()),
    ("articles/1/revisions?text=0", "revisions", ("-text",)),
    ("changes?limit=200", "changes", ()),
    ("rejections?limit=200", "rejections", ()),
    ("runs", "runs", ()),
    ("search?q=ferry&text=1", "articles", ("score", "snippet")),
    ("stories?limit=200", "story_groups", ("time", "title", "language", "first_seen_at", "outlets")),
    ("stories/1/timeline", "articles", ("-text", "time")),
)


@pytest.mark.parametrize(("address", "view", "but"), ROWS)
def test_rows_have_the_columns_of_the_view(
    desk: TestClient, address: str, view: str, but: tuple[str, ...]
) -> None:
    columns = [column.name for column in next(one for one in VIEWS if one.name == view).columns]
    wanted = [name for name in columns if f"-{name}" not in but]
    items = desk.get(f"/api/v1/{address}").json()["items"]
    assert items
    for item in items:
        assert list(item) == [*wanted, *(name for name in but if not name.startswith("-"))]


@pytest.mark.parametrize("view", ["articles", "rejections", "changes", "runs"])
def test_values_are_those_of_an_export(desk: TestClient, view: str) -> None:
    address = f"/api/v1/{view}?limit=200" + ("&text=1" if view == "articles" else "")
    exported = [json.loads(line) for line in desk.get(f"/api/v1/export?view={view}").text.splitlines()]
    listed = desk.get(address).json()["items"]

    def key(row: dict[str, Any]) -> str:
        return json.dumps(row, sort_keys=True)

    assert sorted(listed, key=key) == sorted(exported, key=key)


def test_every_view_but_one_has_its_form() -> None:
    forms = [getattr(models, name) for name in vars(models) if hasattr(getattr(models, name), "model_fields")]
    names = [set(form.model_fields) for form in forms]
    for view in VIEWS:
        assert any({column.name for column in view.columns} <= fields for fields in names), view.name


def test_meanings_stand_in_the_schema(desk: TestClient) -> None:
    described = desk.get("/api/v1/openapi.json").json()["components"]["schemas"]
    for column in next(view for view in VIEWS if view.name == "articles").columns:
        said = described["Article"]["properties"][column.name]["description"]
        assert said.startswith(column.meaning)
    assert "text" not in described["Article"]["required"]


def test_parts_of_an_answer_come_when_they_are_asked_for(desk: TestClient, news: Engine) -> None:
    article = max(reader.articles(news), key=lambda one: len(reader.removed(news, one.id)))
    address = f"/api/v1/articles/{article.id}"
    plain = desk.get(address).json()
    assert plain["text"] == article.text
    assert not {"removed", "copies"} & set(plain)
    whole = desk.get(f"{address}?include=removed,copies").json()
    assert [line["rule"] for line in whole["removed"]] == [
        line.rule for line in reader.removed(news, article.id)
    ]
    assert len(whole["copies"]) == len(reader.copies(news, article.id))
    assert desk.get(f"{address}?include=pictures").status_code == 400
