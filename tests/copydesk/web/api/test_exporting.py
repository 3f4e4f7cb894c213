"""Exports are those of the command, stream in flat memory, and end with their client."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow.parquet
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from copydesk.web import DeskSettings, make_app
from copydesk.web.api import exporting
from copydesk.web.api.exporting import piped
from storage.export import Selection, export
from storage.schema import VIEWS


@pytest.mark.parametrize("view", [view.name for view in VIEWS])
@pytest.mark.parametrize("format", ["ndjson", "csv"])
def test_an_export_is_that_of_the_command(desk: TestClient, news: Engine, view: str, format: str) -> None:
    wanted = io.BytesIO()
    export(news, wanted, Selection(view), format="jsonl" if format == "ndjson" else format)
    answer = desk.get(f"/api/v1/export?view={view}&format={format}")
    assert answer.content == wanted.getvalue()
    assert answer.headers["content-disposition"] == f'attachment; filename="{view}.{format}"'


def test_parquet_and_choices(desk: TestClient, news: Engine) -> None:
    found = pyarrow.parquet.read_table(
        io.BytesIO(desk.get("/api/v1/export?format=parquet&view=unique_articles").content)
    )
    wanted = io.BytesIO()
    export(news, wanted, Selection("unique_articles"))
    assert found.num_rows == wanted.getvalue().count(b"\n")
    site = "tessaryobserver.example"
    lines = desk.get(f"/api/v1/export?site={site}&unique=1").text.splitlines()
    assert lines
    assert all(f'"site": "{site}"' in line for line in lines)
    last = desk.get("/api/v1/changes?limit=200").json()["items"][-1]["change"]
    assert desk.get(f"/api/v1/export?after={last}").text == ""
    assert desk.get(f"/api/v1/export?after={last - 1}").text.count("\n") == 1


@pytest.mark.parametrize(
    "query",
    [
        "view=nothing",
        "view=runs&site=a.example",
        "changed_since=soon",
        "changed_since=2h&after=1",
        "after=999999",
    ],
)
def test_a_question_that_makes_no_sense_is_refused_before_the_answer_begins(
    desk: TestClient, query: str
) -> None:
    for _ in range(exporting.MOST_AT_ONCE + 1):
        answer = desk.get(f"/api/v1/export?{query}")
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"


def test_no_time_limit_ends_an_export_and_it_cannot_write(desk_url: str) -> None:
    app = make_app(DeskSettings(desk_url, seconds=0.0))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.get("/api/v1/export").text
        with pytest.raises(DBAPIError, match="readonly"), app.state.export_engine.begin() as connection:
            connection.execute(text("DELETE FROM article"))


def test_more_exports_than_can_run_at_once_are_refused(desk_url: str) -> None:
    app = make_app(DeskSettings(desk_url))
    for _ in range(exporting.MOST_AT_ONCE):
        assert app.state.export_slots.acquire(blocking=False)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.get("/api/v1/export").status_code == 503
        app.state.export_slots.release()
        for _ in range(5):
            assert client.get("/api/v1/export").status_code == 200


def test_the_writer_waits_for_the_reader_and_ends_with_it() -> None:
    written = 0
    ended = threading.Event()

    def write(to: BinaryIO) -> None:
        nonlocal written
        while True:
            written += to.write(b"x" * 100_000)

    pieces = piped(write, ended.set)
    read = sum(len(next(pieces)) for _ in range(100))
    assert written <= read + 12 * 200_000  # the pieces between the two, and one more on either side
    assert isinstance(pieces, Iterator)
    pieces.close()  # type: ignore[attr-defined]
    assert ended.wait(60)


def test_a_fault_on_the_way_ends_the_answer_as_a_fault() -> None:
    def write(to: BinaryIO) -> None:
        to.write(b"begun")
        to.flush()
        raise ValueError("the disk is gone")

    pieces = piped(write, lambda: None)
    assert next(pieces) == b"begun"
    with pytest.raises(ValueError, match="the disk is gone"):
        next(pieces)
