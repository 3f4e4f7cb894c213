"""The rows that a check reads."""

from __future__ import annotations

from sqlalchemy import Engine, select

from storage import schema
from storage.upkeep.checks import stream_rows
from tests.storage.news import article, store, story


def test_rows_come_in_the_order_of_the_query(engine: Engine) -> None:
    store(engine, [article(f"https://a.example/{n}", story(n)) for n in range(5)])
    query = select(schema.article.c.id).order_by(schema.article.c.id)
    with engine.connect() as connection:
        assert [row.id for row in stream_rows(connection, query)] == [1, 2, 3, 4, 5]
