"""ETags of the database's last change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from copydesk.web import DeskSettings, make_app
from storage.database import open_database
from tests.copydesk.web.conftest import PAGE
from tests.storage.news import article, store, story


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[TestClient, str]]:
    url = f"sqlite:///{tmp_path}/own.db"
    engine = open_database(url)
    store(engine, [article("https://a.example/1", story(1))])
    engine.dispose()
    with TestClient(make_app(DeskSettings(url)), base_url="http://127.0.0.1") as client:
        yield client, url


@pytest.mark.parametrize("address", ["/", "/articles/1", "/search?q=ferry", "/about", "/api/v1/openapi.json"])
def test_an_answer_is_new_after_a_change_only(own: tuple[TestClient, str], address: str) -> None:
    client, url = own
    first = client.get(address, headers=PAGE)
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    assert client.get(address, headers={**PAGE, "If-None-Match": f'"other", {tag}'}).status_code == 304
    engine = open_database(url)
    store(engine, [article("https://b.example/2", story(2))])
    engine.dispose()
    assert client.get(address, headers={**PAGE, "If-None-Match": tag}).status_code == 200


def test_304_costs_one_query(own: tuple[TestClient, str]) -> None:
    client, _ = own
    tag = client.get("/", headers=PAGE).headers["etag"]
    asked: list[str] = []

    def ask(_c: object, _u: object, statement: str, *_: object) -> None:
        asked.append(statement)

    engine = client.app.state.engine  # type: ignore[attr-defined]
    event.listen(engine, "before_cursor_execute", ask)
    assert client.get("/", headers={**PAGE, "If-None-Match": tag}).status_code == 304
    event.remove(engine, "before_cursor_execute", ask)
    assert [statement for statement in asked if statement != "BEGIN"] == asked[-1:]


def test_times_that_move_are_always_asked_again(own: tuple[TestClient, str]) -> None:
    client, _ = own
    assert "etag" not in client.get("/?since=2h", headers=PAGE).headers
    assert "etag" in client.get("/?since=2026-03-01", headers=PAGE).headers
