"""A desk over a database of the examples, asked in the process of the test."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from copydesk.web import DeskSettings, make_app
from crawler.runs import ingest
from pipeline.settings import Settings
from storage.database import open_database
from tests.copydesk.conftest import NEWS

PAGE = {"Accept": "text/html"}

# Two outlets with copies of each other, copied text, and a record that is full of markup.
OUTLETS = ("tessaryobserver.example", "northmeregazette.example", "copied")
HOSTILE = "hostile.jsonl"
HOSTILE_RECORD = {
    "url": "https://hostile.example/<b>?a=\"'",
    "title": "Ferry <script>alert(1)</script> aground",
    "published_at": "2026-03-05T10:00:00Z",
    "authors": ["<b>Mira</b> Lund"],
    "text": "The ferry <img src=x onerror=alert(2)> ran aground on the sandbar of the harbour on Tuesday.\n"
    "The coastguard took all passengers off in three hours, a man </p><script>alert(3)</script> said.\n"
    "Divers found no leak in the hull, and tugs were to pull the ship free at high water in the evening.",
}


@pytest.fixture(scope="session")
def desk_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of a database that every test only reads."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / HOSTILE).write_text(json.dumps(HOSTILE_RECORD), encoding="utf-8")
    url = f"sqlite:///{folder}/news.db"
    engine = open_database(url)
    paths = [str(NEWS / name) for name in OUTLETS]
    ingest(engine, [*paths, str(folder / HOSTILE)], workers=1, settings=Settings())
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def news(desk_url: str) -> Iterator[Engine]:
    engine = open_database(desk_url, create=False)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def desk(desk_url: str) -> Iterator[TestClient]:
    with TestClient(make_app(DeskSettings(desk_url)), base_url="http://127.0.0.1:8017") as client:
        yield client
