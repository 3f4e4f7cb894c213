"""What the base knows of addresses: stored, or fetched not long ago."""

from __future__ import annotations

from datetime import timedelta

from storage import reader, writer
from storage.crawls.revisits import Validators
from storage.database import Engine
from tests.storage.news import START, article, store, story

FEED = "https://gazette.example/rss"


def test_addresses_of_stored_articles_are_known(engine: Engine) -> None:
    store(engine, [article("https://gazette.example/1", story(1), location="https://gazette.example/go/1")])
    asked = ["https://gazette.example/1", "https://gazette.example/go/1", "https://gazette.example/2"]
    assert reader.known_urls(engine, asked) == set(asked[:2])
    assert reader.known_urls(engine, []) == set()


def test_addresses_fetched_since_are_known_when_asked_for(engine: Engine) -> None:
    url = "https://gazette.example/no-article"
    writer.put_fetch_states(engine, {url: Validators(), FEED: Validators('"1"')}, START)
    assert reader.known_urls(engine, [url]) == set()
    assert reader.known_urls(engine, [url], fetched_since=START - timedelta(hours=1)) == {url}
    assert reader.known_urls(engine, [url], fetched_since=START + timedelta(hours=1)) == set()


def test_a_later_state_takes_the_place_of_an_earlier_one(engine: Engine) -> None:
    later = START + timedelta(hours=1)
    writer.put_fetch_states(engine, {FEED: Validators('"1"', "Sun, 01 Mar 2026 10:00:00 GMT")}, START)
    writer.put_fetch_states(engine, {}, later)
    writer.put_fetch_states(engine, {FEED: Validators('"2"')}, later)
    state = reader.fetch_state(engine, FEED)
    assert state is not None
    assert (state.etag, state.last_modified) == ('"2"', None)
    assert state.fetched_at == later.replace(microsecond=0)
