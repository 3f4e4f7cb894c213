"""Rows that a batch can change are read, and stored documents are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine

from storage.writing.revisions.loading import document_key, is_known, load
from tests.storage.news import START, article, rejection, retold, store, story

URL = "https://a.example/ferry"


def test_only_rows_that_the_outcomes_name_are_loaded(engine: Engine) -> None:
    made = article(URL, story(1))
    store(engine, [made, article("https://b.example/1", story(2)), rejection("https://a.example/list")])
    revised = article(URL, story(3), START + timedelta(days=1))
    with engine.connect() as connection:
        batch = load(connection, [revised, rejection("https://a.example/list")])
        unchanged = load(connection, [made])

    assert unchanged.articles == {}
    assert batch.ids == {URL: 1}
    assert list(batch.articles) == [1]
    assert batch.articles[1].current.columns["text"] == story(1)
    assert list(batch.rejections) == ["https://a.example/list"]
    assert batch.next_article == 3


def test_a_document_is_known_by_its_bytes_rules_and_text(engine: Engine) -> None:
    made = article(URL, story(1))
    store(engine, [made])
    with engine.connect() as connection:
        stored = load(connection, [made]).documents[document_key(made)]

    assert is_known(stored, made, 1)
    assert not is_known(None, made, 1)
    assert not is_known(stored, made, 2)
    assert not is_known(stored, replace(made, rules_version="later"), 1)
    assert not is_known(stored, retold(made, story(2)), 1)
    later = replace(made, page=replace(made.page, fetched_at=START + timedelta(days=1)))
    assert not is_known(stored, later, 1)
