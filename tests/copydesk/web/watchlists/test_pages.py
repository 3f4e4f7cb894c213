"""The pages of watchlists, and the API's lists of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from copydesk.web import DeskSettings, make_app
from storage.database import open_database
from storage.watching import Rule, add_watchlist
from tests.copydesk.web.conftest import PAGE
from tests.storage.news import START, article, store, story

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with a watchlist that matched two stories, and one that is paused."""
    url = f"sqlite:///{tmp_path}/news.db"
    engine = open_database(url)
    ways = ("mail:secret@desk.example", "webhook:$HOOK", "mail:other@desk.example")
    add_watchlist(engine, Rule("ferries", "norhaven", min_sites=2, ways=ways), datetime.now(UTC))
    add_watchlist(engine, Rule(HOSTILE, site="a.example", outlets=3, is_paused=True), datetime.now(UTC))
    text = "Norhaven news. " + story(1)
    store(
        engine,
        [
            article("https://a.example/1", text, START, title="Told"),
            article("https://b.example/1", text, START, title="Told"),
            article("https://a.example/2", "Norhaven news. " + story(2), START, title="Waits"),
        ],
    )
    engine.dispose()
    return url


@pytest.fixture
def watching(url: str) -> Iterator[TestClient]:
    with TestClient(make_app(DeskSettings(url)), base_url="http://127.0.0.1") as client:
        yield client


def test_the_list_has_their_latest_stories_and_no_addresses(watching: TestClient) -> None:
    said = watching.get("/watchlists", headers=PAGE)
    assert said.status_code == 200
    assert '<a data-main href="/watchlists/1">ferries</a>' in said.text
    assert '<a href="/stories/1">Told</a>' in said.text
    assert '<a href="/stories/3">Waits</a>' in said.text
    assert "mail, webhook" in said.text
    assert "secret@" not in said.text
    assert "$HOOK" not in said.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;</a> (paused)" in said.text
    assert HOSTILE not in said.text
    assert "story, at 3 outlets" in said.text


def test_a_page_has_its_conditions_and_stories(watching: TestClient) -> None:
    said = watching.get("/watchlists/1", headers=PAGE).text
    assert "<dd>at least 2</dd>" in said
    assert said.count("<tr data-row>") == 2
    assert (said.count("<td>yes</td>"), said.count("<td>not yet</td>")) == (1, 1)
    assert 'href="/search?q=norhaven"' in said
    assert watching.get("/watchlists/3", headers=PAGE).status_code == 404
    assert watching.get("/watchlists/0", headers=PAGE).status_code == 422


def test_a_change_is_seen_at_once(watching: TestClient, url: str) -> None:
    """Other answers are as old as the last change of an article, these are not."""
    before = watching.get("/watchlists", headers=PAGE)
    engine = open_database(url)
    add_watchlist(engine, Rule("strikes", "strike"), datetime.now(UTC))
    engine.dispose()
    tag = before.headers.get("etag", "none")
    after = watching.get("/watchlists", headers={**PAGE, "If-None-Match": tag})
    assert after.status_code == 200
    assert "strikes" in after.text


def test_the_api_has_them_as_they_are_without_addresses(watching: TestClient) -> None:
    hostile, ferries = watching.get("/api/v1/watchlists").json()["items"]
    assert (ferries["name"], ferries["query"], ferries["min_sites"]) == ("ferries", "norhaven", 2)
    assert ferries["ways"] == ["mail", "webhook"]
    assert (hostile["name"], hostile["tells"], hostile["is_paused"]) == (HOSTILE, ["story", "outlets"], True)
    first = watching.get("/api/v1/watchlists?limit=1")
    assert [one["name"] for one in first.json()["items"]] == [HOSTILE]
    second = watching.get(first.links["next"]["url"]).json()
    assert ([one["name"] for one in second["items"]], second["next"]) == (["ferries"], None)
    found = watching.get(f"/api/v1/watchlists/{ferries['id']}/stories").json()
    assert found["next"] is None
    assert {(one["title"], one["is_told"], one["sites"]) for one in found["items"]} == {
        ("Told", True, 2),
        ("Waits", False, 1),
    }
    assert len(watching.get("/api/v1/watchlists/1/stories?limit=1").json()["items"]) == 1
    assert watching.get("/api/v1/watchlists/9/stories").status_code == 404


def test_without_watchlists_the_page_says_how_to_make_one(desk: TestClient) -> None:
    assert "copydesk watch add NAME QUERY" in desk.get("/watchlists", headers=PAGE).text
