"""Remote files are fetched whole, tried again, bounded, and deleted; what is missing is a rejection."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pyarrow.parquet as pq
import pytest

from crawler.backfill import Folder, fetching, find_parts
from crawler.backfill.fetching import on_this_machine
from crawler.backfill.inputs import RemoteFile
from crawler.backfill.pools import drop_pools
from crawler.backfill.stages import process_part, process_tasks
from crawler.files import InputFile
from pipeline.document import Reason, Rejection
from pipeline.errors import OperatorError
from pipeline.settings import Settings
from tests.crawler.files.making import PAGE, response, warc

SETTINGS = Settings()
NOW = datetime(2026, 3, 1, tzinfo=UTC)
BODY = warc(response("https://outlet.example/1", PAGE), packed=True)


class _Server(BaseHTTPRequestHandler):
    """Serves one file. /flaky fails twice, /down always, /cut ends too early, /gone is none."""

    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        name = self.path.strip("/")
        if with_body:
            self.asked.append(name)
        status = {"gone": 404, "down": 503}.get(name, 200)
        if name == "flaky" and self.asked.count("flaky") <= 2:
            status = 503
        self.send_response(status)
        body = BODY if status == 200 else b""
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Sun, 01 Mar 2026 00:00:00 GMT")
        self.end_headers()
        if with_body:
            self.wfile.write(body[: len(body) // 2] if name == "cut" else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(fetching, "_PAUSE", 0.01)
    monkeypatch.setattr(_Server, "asked", [])
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def fetched(url: str, **bound: int) -> InputFile | Rejection | bytes:
    """What is read: a rejection, or the bytes."""
    with on_this_machine(RemoteFile(url, None, NOW, NOW, is_listed=True), SETTINGS, **bound) as file:
        if isinstance(file, Rejection):
            return file
        assert isinstance(file, InputFile)
        assert file.source is not None
        data = Path(file.source).read_bytes()
        assert (file.path, file.url, file.size) == (url, url, len(data))
    assert not os.path.exists(file.source)
    return data


@pytest.mark.parametrize("name", ["file", "flaky"])
def test_a_file_is_fetched_and_deleted(server: str, name: str) -> None:
    assert fetched(f"{server}/{name}") == BODY


def test_a_file_that_does_not_exist_is_a_rejection(server: str) -> None:
    found = fetched(f"{server}/gone")
    assert isinstance(found, Rejection)
    assert (found.location, found.reason, found.detail) == (
        f"{server}/gone",
        Reason.UNREADABLE,
        "no such file",
    )


def test_a_file_of_more_than_the_bound_is_a_rejection(server: str) -> None:
    found = fetched(f"{server}/file", max_bytes=100)
    assert isinstance(found, Rejection)
    assert found.reason is Reason.TOO_LARGE


@pytest.mark.parametrize("name", ["down", "cut"])
def test_what_may_be_temporary_ends_the_task_and_not_the_file(server: str, name: str) -> None:
    with pytest.raises(OperatorError, match=f"{server}/{name}: "):
        fetched(f"{server}/{name}")
    assert len([one for one in _Server.asked if one == name]) >= 4


def test_documents_of_a_remote_file_have_its_url_as_location(server: str, tmp_path: Path) -> None:
    url = f"{server}/a.warc.gz"
    folder = Folder(str(tmp_path / "out"))
    (task,) = process_tasks(folder, find_parts([url], SETTINGS))
    assert task.part.size == len(BODY)
    try:
        process_part(task, folder=folder, settings=SETTINGS, workers=1)
    finally:
        drop_pools()
    rows = pq.read_table(folder.path("outcomes", "part-000000.parquet")).to_pylist()
    assert [row["location"] for row in rows] == [f"{url}#1"]
