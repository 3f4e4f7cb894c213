"""Neighbours in the index on both sides of a time boundary."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from storage import reader, writer
from tests.storage.news import SETTINGS, START, article, contents, cut, store, story, view


@pytest.mark.parametrize("days", range(7))
def test_copies_on_both_sides_of_a_boundary_are_found(engine: Engine, days: int) -> None:
    """A bucket of the index ends somewhere in a week. Near copies are found across it in both directions."""
    text = story(1)
    at = START + timedelta(days=days)
    texts = [text, cut(text, 0.5), cut(text, 0.6), text]
    hours = [0, 71, -71, 142]  # the first three within three days of the first, the last of the second
    made = [
        article(f"https://s{n}.example/a", body, at, published_at=at + timedelta(hours=hours[n]))
        for n, body in enumerate(texts)
    ]
    store(engine, made, batch=1)
    pairs = {(row["article_id"], row["other_id"]) for row in view(engine, "copies")}
    assert {(1, 2), (1, 3), (2, 4)} <= pairs
    before = contents(engine)["copies"]
    writer.remove_articles(engine, [2], SETTINGS)
    store(engine, [made[1]])
    assert contents(engine)["copies"] == before


def test_a_page_without_a_date_has_the_time_of_its_fetch(engine: Engine) -> None:
    text = story(1)
    at = START + timedelta(days=300)
    store(engine, [article("https://a.example/1", text, at), article("https://b.example/1", story(2), at)])
    undated = article("https://c.example/1", cut(text, 0.7), at + timedelta(hours=9), published_at=None)
    store(engine, [undated])
    assert reader.copies(engine, 3) != []
