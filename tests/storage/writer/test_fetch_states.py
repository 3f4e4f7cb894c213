"""Validators of the last response of a source."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from storage import reader, writer
from storage.crawls.revisits import Validators
from tests.storage.news import START

LATER = START + timedelta(days=1)
FEED = "https://gazette.example/rss"


def test_fetch_validators_are_kept(engine: Engine) -> None:
    feed = "https://harbour.example/feed.xml"
    assert reader.fetch_state(engine, feed) is None

    writer.put_fetch_state(engine, feed, etag='W/"1"', last_modified=None, fetched_at=START)
    writer.put_fetch_state(engine, feed, etag=None, last_modified="Sun, 01 Mar 2026", fetched_at=LATER)

    state = reader.fetch_state(engine, feed)
    assert state is not None
    assert (state.etag, state.last_modified) == (None, "Sun, 01 Mar 2026")
    assert state.fetched_at == LATER.replace(microsecond=0)


def test_a_later_state_takes_the_place_of_an_earlier_one(engine: Engine) -> None:
    later = START + timedelta(hours=1)
    writer.put_fetch_states(engine, {FEED: Validators('"1"', "Sun, 01 Mar 2026 10:00:00 GMT")}, START)
    writer.put_fetch_states(engine, {}, later)
    writer.put_fetch_states(engine, {FEED: Validators('"2"')}, later)
    state = reader.fetch_state(engine, FEED)
    assert state is not None
    assert (state.etag, state.last_modified) == ('"2"', None)
    assert state.fetched_at == later.replace(microsecond=0)
