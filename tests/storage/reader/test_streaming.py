"""Streams fetch a part at a time, from one snapshot."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from storage import reader, writer
from storage.reader import article_rows, streaming
from tests.storage.news import SETTINGS, START, article, store, story, wire

URL = "https://harbour.example/ferry"


def test_a_stream_fetches_a_part_at_a_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "FETCH", 4)
    store(engine, wire(30))
    fetched = []

    @event.listens_for(engine, "after_cursor_execute")
    def note(_c: Any, cursor: Any, *_: Any) -> None:
        fetched.append(cursor)

    stream = reader.articles(engine)
    first = next(stream)
    assert first.id == 1
    if engine.dialect.name == "postgresql":
        assert "ServerCursor" in type(fetched[-1]).__name__
    # While a reader is in the middle of a result, writers continue, and the reader sees the database as it
    # was.
    store(engine, [article(URL, story(60))])
    assert [row.id for row in stream] == list(range(2, 31))
    assert reader.counts(engine).articles == 31


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"where": reader.ArticleFilter(sites=("a.example",))},
        {"where": reader.ArticleFilter(language="en"), "canonical_only": True},
    ],
)
def test_a_stream_sees_the_database_as_it_was_when_it_began(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, filters: dict[str, Any]
) -> None:
    monkeypatch.setattr(article_rows, "FETCH_TEXTS", 1)
    monkeypatch.setattr(article_rows, "FETCH_IDS", 1)
    store(engine, [article(f"https://a.example/{n}", story(n)) for n in range(1, 5)])
    before = list(reader.articles(engine, **filters))
    changes = list(reader.changed_articles(engine))

    stream, changed = reader.articles(engine, **filters), reader.changed_articles(engine)
    found, found_changes = [next(stream)], [next(changed)]
    writer.remove_articles(engine, [2], SETTINGS)
    later = START + timedelta(hours=1)
    store(engine, [article("https://a.example/3", story(9), later), article("https://a.example/5", story(5))])
    found += stream
    found_changes += changed

    assert found == before
    assert found_changes == changes
    assert list(reader.articles(engine, **filters)) != before
