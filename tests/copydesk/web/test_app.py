"""The application as a whole: time limits, a database that only reads, and the server."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from copydesk.web import DeskSettings, make_app
from pipeline.errors import OperatorError
from tests.copydesk.conftest import Run
from tests.copydesk.web.conftest import PAGE


def test_a_question_that_takes_too_long_is_ended(desk_url: str) -> None:
    app = make_app(DeskSettings(desk_url, seconds=0.0))

    @app.get("/slow")
    def slow() -> object:
        with app.state.engine.connect() as connection:
            endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
            return connection.scalar(text(endless))

    with TestClient(app, base_url="http://127.0.0.1") as client:
        answer = client.get("/slow")
        assert (answer.status_code, answer.json()["title"]) == (503, "Too slow")
        assert client.get("/healthz").status_code == 200


def test_the_desk_cannot_write(desk_url: str) -> None:
    app = make_app(DeskSettings(desk_url))
    with pytest.raises(DBAPIError, match="readonly"), app.state.engine.begin() as connection:
        connection.execute(text("DELETE FROM article"))


def test_without_a_database_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="there is no database"):
        make_app(DeskSettings(f"sqlite:///{tmp_path}/none.db"))


def test_an_empty_database_says_how_to_fill_it(tmp_path: Path, copydesk: Run) -> None:
    url = f"sqlite:///{tmp_path}/empty.db"
    assert copydesk("ingest", str(tmp_path), "--db", url).returncode == 0
    with TestClient(make_app(DeskSettings(url)), base_url="http://127.0.0.1") as client:
        for address in (
            "/",
            "/watchlists",
            "/sites",
            "/copies",
            "/removed",
            "/rejections",
            "/about",
            "/search?q=a",
        ):
            assert client.get(address, headers=PAGE).status_code == 200, address
        assert "copydesk ingest" in client.get("/", headers=PAGE).text
