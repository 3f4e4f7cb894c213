"""Search results: filters, pages of results and the snippet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from storage import reader
from tests.storage.news import START, article, store, story


def test_hits_are_filtered_and_come_in_pages(engine: Engine) -> None:
    text = "A xylophone was played.\n" + story(1)
    store(
        engine,
        [
            article("https://a.example/1", text, START),
            article("https://b.example/2", text, START + timedelta(days=1), language="de"),
            article("https://a.example/3", text, START + timedelta(days=2), published_at=None),
            article("https://a.example/4", story(2), START),
        ],
    )

    def found(**filters: Any) -> list[int]:
        return [hit.article.id for hit in reader.search(engine, "xylophone", **filters)]

    everything = found()
    assert sorted(everything) == [1, 2, 3]
    assert found(limit=2) + found(limit=2, offset=2) == everything
    assert sorted(found(where=reader.ArticleFilter(sites=("a.example",)))) == [1, 3]
    assert found(where=reader.ArticleFilter(language="de")) == [2]
    assert found(where=reader.ArticleFilter(since=START)) == [2]
    assert found(where=reader.ArticleFilter(until=START)) == [1]
    assert len(found(canonical_only=True)) == 1
    assert all("xylophone" in hit.snippet.text for hit in reader.search(engine, "xylophone"))


def test_matches_are_counted_as_they_are_found(engine: Engine) -> None:
    store(engine, [article(f"https://{n}.example/a", story(1), START + timedelta(hours=n)) for n in range(3)])
    store(engine, [article("https://9.example/b", f"{story(2)}\n{story(1).split()[0]}.", START)])
    word = story(1).split()[0]
    assert reader.count_matches(engine, word) == len(reader.search(engine, word)) == 4
    assert reader.count_matches(engine, word, canonical_only=True) == 2
    assert reader.count_matches(engine, word, reader.ArticleFilter(sites=("1.example",))) == 1
