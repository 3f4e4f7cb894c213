"""Deleted articles: their ids are not used again."""

from __future__ import annotations

from sqlalchemy import Engine

from storage import writer
from tests.storage.news import SETTINGS, store, view, wire


def test_ids_have_no_gaps_and_are_never_used_twice(engine: Engine) -> None:
    made = wire(6)
    store(engine, made[:3])
    writer.remove_articles(engine, [3], SETTINGS)
    store(engine, made[3:], 1)

    assert sorted(row["id"] for row in view(engine, "articles")) == [1, 2, 4, 5, 6]
