"""Lists by keysets: every row once, in the order of the list, also while a writer adds some."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from storage import reader
from storage.reader import ArticleCount, ArticleFilter, ArticleKey, CountBy
from tests.storage.news import START, article, store, story


def filled(engine: Engine) -> None:
    """Twelve articles on three sites and three days; every fourth has no date, two are copies."""
    made = []
    for n in range(12):
        at = START + timedelta(days=n % 3, seconds=n // 6)
        dated: dict[str, Any] = {} if n % 4 else {"published_at": None}
        agency = "Reuters" if n % 2 else None
        url = f"https://{'abc'[n % 3]}.example/{n}"
        made.append(article(url, story(n if n != 7 else 1), at, agency=agency, **dated))
    store(engine, made)


def all_pages(engine: Engine, where: ArticleFilter = reader.EVERY_ARTICLE, **more: Any) -> list[Any]:
    found: list[Any] = []
    after = None
    while page := reader.list_articles(engine, where, after=after, limit=2, **more):
        found += page
        after = ArticleKey(page[-1]["published_at"], page[-1]["id"])
    return found


def test_pages_of_articles_are_the_latest_first_and_complete(engine: Engine) -> None:
    filled(engine)
    everything = list(reader.articles(engine))

    def key(one: reader.StoredArticle) -> tuple[bool, Any, int]:
        return one.published_at is not None, one.published_at or START, one.id

    wanted = [one.id for one in sorted(everything, key=key, reverse=True)]
    assert [row["id"] for row in all_pages(engine)] == wanted
    unique = {one.id for one in everything if one.is_canonical}
    assert [row["id"] for row in all_pages(engine, canonical_only=True)] == [i for i in wanted if i in unique]
    assert len(unique) < len(wanted)
    of_site = {one.id for one in everything if one.site == "a.example"}
    found = all_pages(engine, ArticleFilter(sites=("a.example",)))
    assert [row["id"] for row in found] == [id for id in wanted if id in of_site]
    since = ArticleFilter(since=START + timedelta(days=1))
    assert {row["published_at"] is None for row in all_pages(engine, since)} == {False}
    group = next(one.group_id for one in everything if not one.is_canonical)
    assert {row["id"] for row in all_pages(engine, group_id=group)} == {2, 8}


def test_rows_are_those_of_the_view_with_and_without_text(engine: Engine) -> None:
    filled(engine)
    with_text = {row["id"]: row for row in reader.list_articles(engine, limit=99)}
    assert with_text == {row["id"]: row for row in reader.rows(engine, "articles")}
    for row in reader.list_articles(engine, with_text=False, limit=99):
        assert {**row, "text": with_text[row["id"]]["text"]} == with_text[row["id"]]


def test_a_writer_neither_repeats_nor_hides_an_article(engine: Engine) -> None:
    filled(engine)
    before = {one.id for one in reader.articles(engine)}
    first = reader.list_articles(engine, limit=5)
    store(engine, [article("https://new.example/", story(50), START + timedelta(days=9))])
    after = ArticleKey(first[-1]["published_at"], first[-1]["id"])
    rest = reader.list_articles(engine, after=after, limit=99)
    assert sorted(row["id"] for row in first + rest) == sorted(before)


def test_the_members_of_a_story_come_in_the_order_of_their_times(engine: Engine) -> None:
    text = story(3)
    for n, hours in enumerate((5, 1, 3, 1)):
        at = START + timedelta(hours=hours)
        dated: dict[str, Any] = {"published_at": None} if n == 2 else {"published_at": at}
        store(engine, [article(f"https://s{n}.example/", text, at, **dated)])

    group = reader.group(engine, 1)
    assert group is not None
    assert group.size == 4
    first = reader.list_members(engine, 1, limit=2)
    rest = reader.list_members(engine, 1, after=ArticleKey(first[-1]["time"], first[-1]["id"]), limit=9)
    assert [row["id"] for row in first + rest] == [2, 4, 3, 1]
    assert all("text" not in row for row in first)
    pairs = reader.pairs_of_story(engine, 1, limit=99)
    assert {(pair.article_id, pair.other_id) for pair in pairs} == {
        (pair.article_id, pair.other_id) for id in range(1, 5) for pair in reader.copies(engine, id)
    }
    assert len(reader.pairs_of_story(engine, 1, limit=2)) == 2


def test_counts_add_up_page_by_page(engine: Engine) -> None:
    filled(engine)
    rows = list(reader.articles(engine))

    def pages(by: CountBy, **more: Any) -> list[ArticleCount]:
        found: list[ArticleCount] = []
        while page := reader.count_articles(engine, by, after=found[-1] if found else None, limit=2, **more):
            found += page
        return found

    days = [f"{one.published_at:%Y-%m-%d}" for one in rows if one.published_at]
    assert pages(CountBy.DAY) == [ArticleCount(day, days.count(day)) for day in sorted({*days}, reverse=True)]
    assert {count.key: count.articles for count in pages(CountBy.SITE)} == {
        f"{name}.example": 4 for name in "abc"
    }
    assert [count.key for count in pages(CountBy.SITE)] == ["a.example", "b.example", "c.example"]
    assert pages(CountBy.AGENCY) == [ArticleCount("Reuters", 6)]
    unique = sum(one.is_canonical for one in rows)
    assert sum(count.articles for count in pages(CountBy.SITE, canonical_only=True)) == unique
    only = reader.count_articles(engine, CountBy.SITE, ArticleFilter(sites=("b.example",)))
    assert only == [ArticleCount("b.example", 4)]
