"""Rows of a view as dictionaries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from storage import reader
from tests.storage.news import START, article, rejection, store, story, wire


def test_rows_are_dictionaries_in_the_order_of_the_columns(engine: Engine) -> None:
    store(engine, [*wire(5), rejection("a")])

    found = list(reader.rows(engine, "articles"))
    assert [row["id"] for row in found] == [1, 2, 3, 4, 5]
    assert list(found[0])[:3] == ["id", "url", "location"]
    assert len(list(reader.rows(engine, "unique_articles"))) == len(list(reader.groups(engine, min_size=1)))
    assert [row["location"] for row in reader.rows(engine, "rejections")] == ["a"]
    with pytest.raises(ValueError, match="takes no filters"):
        list(reader.rows(engine, "copies", reader.ArticleFilter(sites=("x",))))


def test_all_revisions_come_by_article_and_number(engine: Engine) -> None:
    for n in range(70):
        url = f"https://a.example/{n % 60}"
        store(engine, [article(url, story(n), START + timedelta(hours=n))])

    found = [(row["article_id"], row["revision"], row["text"]) for row in reader.rows(engine, "revisions")]
    wanted = [(id, 1, story(id - 1)) for id in range(1, 61)]
    wanted += [(id, 2, story(id + 59)) for id in range(1, 11)]
    assert found == sorted(wanted)
