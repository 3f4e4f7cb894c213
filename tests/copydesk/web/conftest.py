"""A desk over a database of the examples, asked in the process of the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from copydesk.web import DeskSettings, make_app
from crawler.runs import ingest
from pipeline.settings import Settings
from storage.database import open_database
from tests.copydesk.conftest import NEWS

PAGE = {"Accept": "text/html"}

# Two outlets with copies of each other, copied text, and a page whose headline is markup.
OUTLETS = ("tessaryobserver.example", "northmeregazette.example", "copied")
HOSTILE = "hostile.html"
HOSTILE_PAGE = """<html lang="en"><head><title>x</title>
<meta property="article:published_time" content="2026-03-05T10:00:00Z"></head><body><article>
<h1>Ferry &lt;script&gt;alert(1)&lt;/script&gt; aground</h1>
<p>The ferry &lt;img src=x onerror=alert(2)&gt; ran aground on the sandbar outside the harbour on Tuesday, and
the coastguard took all passengers off within three hours, a spokesman said.</p>
<p>Divers found no leak in the hull, and tugs were to pull the ship free at high water in the evening.</p>
<p>The operator suspended its morning sailings and said that it would refund all tickets by Friday.</p>
</article></body></html>"""


@pytest.fixture(scope="session")
def desk_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of a database that every test only reads."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / HOSTILE).write_text(HOSTILE_PAGE, encoding="utf-8")
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
