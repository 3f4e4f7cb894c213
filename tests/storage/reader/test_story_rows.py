"""Stories for lists: in each order, filtered, a page at a time; and who shares them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.errors import OperatorError
from storage import reader
from storage.reader import ArticleFilter, StoryOrder, story_rows
from tests.storage.news import START, article, store, story, wire

HOUR = timedelta(hours=1)


@pytest.fixture
def news(engine: Engine) -> Engine:
    """Three stories, the first one on three sites, the second on two, one of them twice; and undated one."""
    store(
        engine,
        [
            article("https://a.example/1", story(1), START, published_at=START, agency="Reuters"),
            article("https://b.example/1", story(1), START + HOUR, published_at=START + HOUR),
            article("https://c.example/1", story(1), START + 2 * HOUR, published_at=START + 2 * HOUR),
            article("https://a.example/2", story(2), START, published_at=START + 3 * HOUR),
            article("https://b.example/2", story(2), START, published_at=START + 4 * HOUR),
            article("https://b.example/2b", story(2), START, published_at=START + 4 * HOUR),
            article("https://b.example/2c", story(2), START, published_at=START + 4 * HOUR),
            article("https://d.example/3", story(3), START, published_at=START + 5 * HOUR, language="de"),
            article("https://d.example/4", story(4), START + 6 * HOUR, published_at=None),
        ],
    )
    return engine


def _found(engine: Engine, where: ArticleFilter | None = None, **wanted: Any) -> list[int]:
    return [one.id for one in reader.stories(engine, where or ArticleFilter(), **wanted)]


def test_orders(news: Engine) -> None:
    assert _found(news) == [9, 8, 4, 1]
    assert _found(news, order=StoryOrder.SIZE) == [4, 1, 9, 8]
    assert _found(news, order=StoryOrder.SPREAD) == [1, 4, 9, 8]


def test_filters(news: Engine) -> None:
    assert _found(news, ArticleFilter(sites=("c.example",))) == [1]
    assert _found(news, ArticleFilter(sites=("c.example", "d.example"))) == [9, 8, 1]
    assert _found(news, ArticleFilter(agency="Reuters")) == [1]
    assert _found(news, ArticleFilter(language="de")) == [8]
    assert _found(news, ArticleFilter(since=START + 3 * HOUR)) == [9, 8, 4]
    assert _found(news, ArticleFilter(until=START + 3 * HOUR)) == [1]
    assert _found(news, min_sites=2) == [4, 1]
    assert _found(news, min_sites=3) == [1]
    assert _found(news, min_size=4) == [4]


def test_sites_of_many_articles_have_the_same_stories(news: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [("c.example",), ("b.example", "d.example"), ("nowhere.example",)]
    looked_up = [_found(news, ArticleFilter(sites=sites)) for sites in chosen]
    monkeypatch.setattr(story_rows, "_FEW_ARTICLES", 0)
    assert [_found(news, ArticleFilter(sites=sites)) for sites in chosen] == looked_up
    assert looked_up == [[1], [9, 8, 4, 1], []]


@pytest.mark.parametrize("order", StoryOrder)
def test_pages_have_each_story_once_while_a_writer_adds_some(engine: Engine, order: StoryOrder) -> None:
    store(engine, wire(30))
    every = _found(engine, order=order, limit=1000)
    found, after = [], None
    while page := reader.stories(engine, order=order, after=after, limit=7):
        found += [one.id for one in page]
        after = page[-1].key(order)
        number = len(found)
        at = START + timedelta(days=900, hours=number)
        store(engine, [article(f"https://new.example/{number}", story(9000 + number), at)])
    assert [id for id in found if id in set(every)] == every
    assert len(found) == len(set(found))


@pytest.mark.parametrize("few", [0, 1, 5_000])
@pytest.mark.parametrize("order", [StoryOrder.SIZE, StoryOrder.SPREAD])
def test_counts_of_many_stories_and_of_few_have_the_same_order(
    engine: Engine, order: StoryOrder, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether stories of a count are looked up and sorted, or met in the order of their times."""
    store(engine, [*wire(60), *(article(f"https://a.example/{n}", story(n), START) for n in range(90, 99))])
    every = sorted(
        reader.stories(engine, limit=1000),
        key=lambda one: (one.size if order is StoryOrder.SIZE else one.sites, one.time, one.id),
        reverse=True,
    )
    assert len({one.key(order).count for one in every}) > 2
    monkeypatch.setattr(story_rows, "_FEW_STORIES", few)
    found = _found(engine, order=order, limit=5)
    while page := _found(engine, order=order, limit=5, after=every[len(found) - 1].key(order)):
        found += page
    assert found == [one.id for one in every]
    for least in (2, 3):
        asked: dict[str, Any] = {"min_size" if order is StoryOrder.SIZE else "min_sites": least}
        expected = [one.id for one in every if one.key(order).count >= least]
        assert _found(engine, order=order, limit=1000, **asked) == expected


def test_agencies_of_many_articles_have_the_same_stories(
    news: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = [_found(news, ArticleFilter(agency=agency)) for agency in ("Reuters", "Nobody")]
    monkeypatch.setattr(story_rows, "_FEW_ARTICLES", 0)
    assert [_found(news, ArticleFilter(agency=agency)) for agency in ("Reuters", "Nobody")] == looked_up
    assert looked_up == [[1], []]
    assert _found(news, ArticleFilter(agency="Reuters", sites=("b.example",))) == [1]
    assert _found(news, ArticleFilter(agency="Reuters", sites=("d.example",))) == []


def test_a_story_has_what_a_list_shows(news: Engine) -> None:
    (one,) = reader.stories(news, ArticleFilter(agency="Reuters"))
    assert (one.size, one.sites, one.outlets) == (3, 3, ("a.example", "b.example", "c.example"))
    canonical = reader.article(news, one.canonical_article_id)
    assert canonical is not None
    assert (one.title, one.language) == (canonical.title, canonical.language)
    assert one.first_published_at == START.replace(microsecond=0)


def test_who_shares_with_whom(news: Engine) -> None:
    found = {(one.site, one.other): one.stories for one in reader.shared_stories(news)}
    assert found == {
        ("a.example", "a.example"): 2,
        ("b.example", "b.example"): 2,
        ("c.example", "c.example"): 1,
        ("a.example", "b.example"): 2,
        ("a.example", "c.example"): 1,
        ("b.example", "c.example"): 1,
    }
    assert {one.site for one in reader.shared_stories(news, most=2)} == {"a.example", "b.example"}
    assert reader.shared_stories(news, ArticleFilter(since=START + 5 * HOUR)) == []


def test_stories_are_found_by_the_words_of_any_copy(news: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{story(1)}\nZeppelin."
    store(news, [article("https://e.example/1", text, START + HOUR, published_at=START + HOUR)])
    assert _found(news, query="zeppelin") == [1]
    assert _found(news, ArticleFilter(sites=("a.example",)), query="zeppelin") == [1]
    assert _found(news, ArticleFilter(sites=("d.example",)), query="zeppelin") == []
    assert _found(news, min_sites=5, query="zeppelin") == []
    assert _found(news, query="zepp* -zeppelin") == []
    assert set(_found(news, query="title")) == {9, 8, 4, 1}
    with pytest.raises(OperatorError, match="nothing to look for"):
        _found(news, query="--")
    monkeypatch.setattr("storage.search.index.RANKED", 1)  # only the match that was stored last is looked at
    assert _found(news, query="title") == [1]
