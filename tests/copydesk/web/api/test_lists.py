"""Every list: all rows once, by `next` and by Link; cursors of others are refused; a 304 costs one query."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from copydesk.web import DeskSettings, make_app
from copydesk.web.cursors import write_cursor
from storage import writer
from storage.crawls import site_runs
from storage.crawls.site_runs import SiteCounts, Tally
from storage.database import open_database
from tests.storage.news import START, article, rejection, store, story

LISTS = (
    "stories",
    "stories?sort=size",
    "stories?sort=spread",
    "stories/1/timeline",
    "articles",
    "articles?text=1&unique=1",
    "articles?group_id=1",
    "articles/1/revisions",
    "search?q=said OR announced OR opened",
    "changes",
    "counts?by=day",
    "counts?by=site",
    "counts?by=agency",
    "sites",
    "sites/gazette/runs",
    "rejections",
    "runs",
)
OTHERS = ("stories/1", "articles/1?include=removed,copies", "diff?a=1&b=2", "export", "openapi.json")


@pytest.fixture(scope="module")
def crawled_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with several rows in every list."""
    url = f"sqlite:///{tmp_path_factory.mktemp('lists')}/lists.db"
    engine = open_database(url)
    for n in range(4):
        run = writer.start_run(engine, "crawl", START + timedelta(days=n))
        counts = {"gazette": SiteCounts(bytes=n + 1, seconds=1.0), f"post{n}": SiteCounts(seconds=1.0)}
        site_runs.put_counts(engine, run, Tally(), counts)
    copies = [
        article(f"https://s{n}.example/", story(1), START + timedelta(days=n), agency=f"Wire {n}")
        for n in range(4)
    ]
    others = [article(f"https://t{n}.example/", story(n)) for n in range(2, 5)]
    revised = [
        article("https://s0.example/", story(1) + f"\nMore {n}.", START - timedelta(days=n + 1))
        for n in range(3)
    ]
    store(engine, [*copies, *others, *revised, *(rejection(f"{n}.html") for n in range(4))])
    engine.dispose()
    return url


@pytest.fixture(scope="module")
def client(crawled_url: str) -> Iterator[TestClient]:
    with TestClient(make_app(DeskSettings(crawled_url)), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture(autouse=True)
def always_recent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sites are listed that were crawled in the last weeks; these were crawled in 2026."""
    monkeypatch.setattr("copydesk.web.api.database.HISTORY", timedelta(days=36_500))


@pytest.mark.parametrize("address", LISTS)
def test_pages_of_one_row_give_the_whole_list(client: TestClient, address: str) -> None:
    whole = client.get(f"/api/v1/{address}").json()
    assert whole["next"] is None
    assert len(whole["items"]) > 2
    found: list[Any] = []
    by_link = f"/api/v1/{address}{'&' if '?' in address else '?'}limit=1"
    first = by_link
    while by_link:
        answer = client.get(by_link)
        page = answer.json()
        found += page["items"]
        link = answer.headers.get("link")
        assert (link is None) == (page["next"] is None)
        if link is not None:
            assert link.endswith('>; rel="next"')
            assert client.get(f"{first}&cursor={page['next']}").json()["items"] != page["items"]
        by_link = link.partition(">")[0].removeprefix("<") if link else ""
    assert found == whole["items"]


@pytest.mark.parametrize("address", LISTS)
def test_a_cursor_of_another_list_is_refused(client: TestClient, address: str) -> None:
    for cursor in ("x", "WzFd", write_cursor("others", 1), write_cursor("articles", "\ud800"), "é"):
        answer = client.get(f"/api/v1/{address}{'&' if '?' in address else '?'}cursor={cursor}")
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("address", [*LISTS, *OTHERS])
def test_a_304_costs_one_query(client: TestClient, address: str) -> None:
    first = client.get(f"/api/v1/{address}")
    assert first.status_code == 200
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    asked: list[str] = []

    def ask(_c: object, _u: object, statement: str, *_: object) -> None:
        if statement != "BEGIN":
            asked.append(statement)

    state = client.app.state  # type: ignore[attr-defined]
    for engine in (state.engine, state.export_engine):
        event.listen(engine, "before_cursor_execute", ask)
    try:
        again = client.get(f"/api/v1/{address}", headers={"If-None-Match": tag})
    finally:
        for engine in (state.engine, state.export_engine):
            event.remove(engine, "before_cursor_execute", ask)
    assert (again.status_code, again.content) == (304, b"")
    assert len(asked) == 1


def test_relative_times_and_filters(client: TestClient) -> None:
    assert client.get("/api/v1/articles?since=2h").json()["items"] == []
    assert "etag" not in client.get("/api/v1/articles?since=2h").headers
    day = client.get("/api/v1/articles?since=2026-03-02&until=2026-03-02").json()["items"]
    assert [item["site"] for item in day] == ["s1.example"]
    assert client.get("/api/v1/articles?since=soon").status_code == 400
    assert len(client.get("/api/v1/articles?site=s1.example").json()["items"]) == 1


def test_a_reader_of_changes_misses_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/own.db"
    engine = open_database(url)
    store(engine, [article(f"https://a.example/{n}", story(n)) for n in range(3)])
    copy: dict[int, Any] = {}
    seen = 0
    with TestClient(make_app(DeskSettings(url)), base_url="http://127.0.0.1") as client:
        for n in range(3, 6):
            while rows := client.get(f"/api/v1/changes?after={seen}&limit=2&include=article").json()["items"]:
                for row in rows:
                    copy[row["article_id"]] = row["article"]
                    seen = row["change"]
            store(
                engine,
                [
                    article(f"https://a.example/{n}", story(n)),
                    article("https://a.example/0", story(n), START + timedelta(days=n)),
                ],
            )
        for row in client.get(f"/api/v1/changes?after={seen}&include=article").json()["items"]:
            copy[row["article_id"]] = row["article"]
        whole = client.get("/api/v1/articles?text=1").json()["items"]
    engine.dispose()
    assert copy == {row["id"]: row for row in whole}
