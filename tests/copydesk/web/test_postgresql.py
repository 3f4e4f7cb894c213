"""A desk over PostgreSQL answers as one over SQLite: all pages that links lead to, and the API."""

from __future__ import annotations

import html
import re
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from copydesk.web import DeskSettings, make_app
from crawler.runs import drive, ingest
from pipeline.settings import Settings
from storage.database import open_database
from tests.conftest import PostgresServer
from tests.copydesk.conftest import NEWS
from tests.copydesk.web.conftest import OUTLETS
from tests.storage.past import remember

PAGES = (
    "/",
    "/watchlists",
    "/sites",
    "/copies",
    "/removed",
    "/rejections",
    "/about",
    "/search?q=ferry+OR+strike",
)
LISTS = (
    "stories?limit=3",
    "stories/1",
    "stories/1/timeline",
    "articles?limit=7&text=1",
    "articles/1?include=removed,copies",
    "articles/1/revisions",
    "search?q=ferry",
    "search?q=%22runs+aground%22+OR+strike&unique=1",
    "changes?limit=9",
    "counts?by=day",
    "counts?by=agency&unique=1",
    "sites",
    "rejections",
    "runs",
    "export?format=ndjson",
    "export?format=csv&view=copies",
    "articles/999",
    "stories?cursor=broken",
)
# Moments of this run, cursors, which hold such moments, the ids in feeds, and the name of the database.
VARYING = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(\+00:00|Z| UTC)?"
    r"|\d{1,2} \w{3} \d{4}, \d\d:\d\d UTC"
    r"|\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000"
    r"|urn:uuid:[0-9a-f-]{36}"
    r"|cursor=[^\"&\s]*"
    r"|(?<=\"next\":)\"[^\"]*\""
    r"|(?<=<dd>)(sqlite|postgresql)(?=</dd>)"
)

# An article in a page or a list of found ones.
FOUND = re.compile(r'(?:data-article="|"id":)\d+')


@pytest.fixture(scope="module")
def desks(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[TestClient]]:
    """The same articles and crawls on SQLite and on PostgreSQL."""
    on_postgresql = postgres.create("copydesk_template")
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        # Where a batch ends depends on the clock, and numbers of changes and counts of runs on batches.
        patch.setattr(drive, "BATCH_SECONDS", 3600.0)
        stack.callback(postgres.drop, on_postgresql)
        found = []
        for url in (f"sqlite:///{tmp_path_factory.mktemp('desk')}/news.db", on_postgresql):
            engine = open_database(url)
            ingest(engine, [str(NEWS / name) for name in OUTLETS], workers=1, settings=Settings())
            for days in range(10, 0, -1):
                at = datetime.now(UTC) - timedelta(days=days)
                remember(engine, at, "gazette", stored=12, discovered=40, fetched=12, words=400.0, alerts=[])
            engine.dispose()
            client = TestClient(make_app(DeskSettings(url)), base_url="http://127.0.0.1:8017")
            found.append(stack.enter_context(client))
        yield found


def answers(desk: TestClient) -> dict[str, tuple[int, str | list[str]]]:
    """Status and text by address, of the first addresses and all that links and cursors lead to."""
    found: dict[str, tuple[int, str | list[str]]] = {}
    waiting = deque([(address, address) for address in (*PAGES, *(f"/api/v1/{one}" for one in LISTS))])
    while waiting:
        name, address = waiting.popleft()
        if name in found:
            continue
        answer = desk.get(address)
        text = VARYING.sub("*", answer.text)
        # Each database ranks what it finds in its own way, so the order is not compared.
        found[name] = answer.status_code, sorted(FOUND.findall(text)) if "/search" in name else text
        if "html" in answer.headers["content-type"]:
            hrefs = re.findall(r'href="(/[^"]*)"', answer.text)
            links = [html.unescape(href).split("#")[0] for href in hrefs]
        else:
            links = [answer.links["next"]["url"]] if "next" in answer.links else []
        for link in links:
            # A cursor is not the same on both; where it stands is.
            known = re.sub(r"cursor=[^&]*", f"after {name}", link)
            waiting.append((known, link))
    return found


def test_every_answer_is_that_of_sqlite(desks: list[TestClient]) -> None:
    on_sqlite, on_postgresql = map(answers, desks)
    assert on_sqlite.keys() == on_postgresql.keys()
    different = [address for address, answer in on_sqlite.items() if answer != on_postgresql[address]]
    assert different == []
    kinds = {re.sub(r"[?].*|\d+", "", address) for address in on_sqlite}
    assert {"/articles/", "/stories/", "/stories//diff", "/removed", "/sites/gazette"} <= kinds
    assert {status for status, _ in on_sqlite.values()} == {200, 400, 404}
    assert all(on_sqlite[address][1] for address in (*PAGES, *(f"/api/v1/{one}" for one in LISTS)))
