"""Rows of a view as dictionaries."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from storage import reader
from tests.storage.news import rejection, store, wire


def test_rows_are_dictionaries_in_the_order_of_the_columns(engine: Engine) -> None:
    store(engine, [*wire(5), rejection("a")])

    found = list(reader.rows(engine, "articles"))
    assert [row["id"] for row in found] == [1, 2, 3, 4, 5]
    assert list(found[0])[:3] == ["id", "url", "location"]
    assert len(list(reader.rows(engine, "unique_articles"))) == len(list(reader.groups(engine, min_size=1)))
    assert [row["location"] for row in reader.rows(engine, "rejections")] == ["a"]
    with pytest.raises(ValueError, match="takes no filters"):
        list(reader.rows(engine, "copies", reader.ArticleFilter(sites=("x",))))
