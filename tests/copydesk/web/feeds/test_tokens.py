"""Tokens of feeds: they open feeds and nothing else, and are in no log."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from copydesk.web import DeskSettings, make_app
from storage.database import begin_write, open_database
from storage.watching import add_feed_token, feed_tokens, revoke_feed_token
from tests.copydesk.web.test_server import serving
from tests.storage.news import article, store, story
from tests.waiting import PATIENCE, wait_until

TOKEN = "a token that nobody guesses"
BASE = "http://192.0.2.1:8017"
FEEDS = ("/feeds/stories.atom", "/feeds/sites/a.example.rss", "/feeds/search.json?q=harbour")
OTHERS = (
    "/",
    "/stories/1",
    "/sites.opml",
    "/api/v1/stories",
    "/feeds",
    "/feedsx/stories.atom",
    "/feeds/../stories/1",
    "/metrics",
    "/static/nothing",
)


@pytest.fixture
def closed(database_url: str) -> Iterator[TestClient]:
    """A desk that needs a login."""
    engine = open_database(database_url)
    store(engine, [article("https://a.example/1", story(1))])
    engine.dispose()
    settings = DeskSettings(database_url, "192.0.2.1", token=TOKEN)
    with TestClient(make_app(settings), base_url=BASE) as client:
        yield client


def with_token(address: str, secret: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}token={secret}"


def test_a_token_opens_feeds_and_nothing_else_until_it_is_revoked(
    closed: TestClient, database_url: str
) -> None:
    engine = open_database(database_url, create=False)
    _, secret = add_feed_token(engine, "reader", datetime.now(UTC))
    for address in FEEDS:
        assert closed.get(address).status_code == 401
        assert closed.get(with_token(address, "wrong")).status_code == 401
        assert closed.get(with_token(address, "x" * 5000)).status_code == 401
        answer = closed.get(with_token(address, secret))
        assert answer.status_code == 200
        assert secret not in answer.text
        tag = answer.headers["etag"]
        assert closed.get(address, headers={"If-None-Match": tag}).status_code == 401
        known = closed.get(with_token(address, secret), headers={"If-None-Match": tag})
        assert known.status_code == 304
        assert closed.get(address, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert closed.get(address, headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    for address in OTHERS:
        assert closed.get(with_token(address, secret)).status_code == 401, address
    assert closed.post(with_token("/feeds/stories.atom", secret)).status_code == 401
    # No cookie comes of it.
    assert not closed.cookies
    revoke_feed_token(engine, "reader", datetime.now(UTC))
    assert closed.get(with_token(FEEDS[0], secret)).status_code == 401
    engine.dispose()


def test_its_use_is_noted_to_the_hour(closed: TestClient, database_url: str) -> None:
    engine = open_database(database_url, create=False)
    _, secret = add_feed_token(engine, "reader", datetime.now(UTC))
    for _ in range(3):
        assert closed.get(with_token(FEEDS[0], secret)).status_code == 200
    wait_until(lambda: feed_tokens(engine)[0].last_used_at is not None)
    used = feed_tokens(engine)[0].last_used_at
    assert used is not None
    assert abs((datetime.now(UTC) - used).total_seconds()) < 3700
    assert (used.minute, used.second) == (0, 0)
    engine.dispose()


def test_a_feed_does_not_wait_for_who_is_writing(closed: TestClient, database_url: str) -> None:
    engine = open_database(database_url, create=False)
    _, secret = add_feed_token(engine, "reader", datetime.now(UTC))
    with begin_write(engine):
        assert closed.get(with_token(FEEDS[0], secret)).status_code == 200
        assert feed_tokens(engine)[0].last_used_at is None
    wait_until(lambda: feed_tokens(engine)[0].last_used_at is not None)
    engine.dispose()


def test_no_log_has_a_token(desk_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither what the server writes, nor what our own code logs, at the level of every message."""
    url = f"sqlite:///{tmp_path}/news.db"
    engine = open_database(url)
    store(engine, [article("https://a.example/1", story(1))])
    _, secret = add_feed_token(engine, "reader", datetime.now(UTC))
    engine.dispose()
    with serving(url, COPYDESK_TOKEN=TOKEN) as (process, address):
        for path in (*FEEDS, "/", "/feeds/nothing.atom", "/feeds/stories.atom?since=soon"):
            httpx.get(f"{address}{with_token(path, secret)}", timeout=PATIENCE)
        process.terminate()
        assert process.stderr is not None
        written = process.stderr.read()
    assert not re.search(r"cdfeed_|token=", written), written
    with caplog.at_level(logging.DEBUG, logger="copydesk"):
        settings = DeskSettings(url, "192.0.2.1", token=TOKEN)
        with TestClient(make_app(settings), base_url=BASE) as client:
            assert client.get(with_token(FEEDS[0], secret)).status_code == 200
    ours = [
        record.getMessage() for record in caplog.records if record.name.startswith(("copydesk", "storage"))
    ]
    assert not [message for message in ours if secret in message]
