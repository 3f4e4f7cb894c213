"""The canonical copy of a group."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine

from tests.storage.news import START, article, cut, retold, store, story, view


def test_the_canonical_copy_follows_the_texts(engine: Engine) -> None:
    text = story(1)
    at = START - timedelta(days=2)
    first = article("https://b.example/1", text, published_at=at + timedelta(hours=2))
    earlier = article("https://a.example/1", text, published_at=at + timedelta(hours=1))
    agency = article(
        "https://www.reuters.com/1", cut(text, 0.9), published_at=at + timedelta(hours=5), agency="Reuters"
    )
    agency = replace(agency, site="reuters.com")
    for made in (first, earlier, agency):
        store(engine, [made])
        [canonical] = view(engine, "unique_articles")
        assert canonical["url"] == made.url

    store(engine, [retold(agency, story(5), rules_version="2-next")])
    assert {row["url"] for row in view(engine, "unique_articles")} == {earlier.url, agency.url}
