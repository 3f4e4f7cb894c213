"""Articles: filtered, found by id, URL or location, and read without sorting texts."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from storage import reader
from storage.database import open_database
from tests.storage.news import START, article, store, story, wire

URL = "https://harbour.example/ferry"


def test_articles_come_by_id_and_filtered(engine: Engine) -> None:
    made = [
        article("https://a.example/1", story(1), START),
        article("https://b.example/2", story(2), START + timedelta(days=1), language="de"),
        article("https://a.example/3", story(1), START + timedelta(days=2)),
    ]
    store(engine, made)

    def ids(**filters: Any) -> list[int]:
        return [row.id for row in reader.articles(engine, **filters)]

    assert ids() == [1, 2, 3]
    assert ids(where=reader.ArticleFilter(sites=("a.example",))) == [1, 3]
    assert ids(where=reader.ArticleFilter(sites=("b.example", "a.example"))) == [1, 2, 3]
    assert ids(where=reader.ArticleFilter(language="de")) == [2]
    assert ids(where=reader.ArticleFilter(agency="Reuters")) == []
    later = START + timedelta(hours=1)
    assert ids(where=reader.ArticleFilter(changed_since=later)) == [2, 3]
    assert ids(where=reader.ArticleFilter(since=later)) == [2, 3]
    assert ids(where=reader.ArticleFilter(until=later)) == [1]
    assert ids(canonical_only=True) == [1, 2]
    assert ids(group_id=1) == [1, 3]
    assert ids(limit=2) == [1, 2]
    assert ids(where=reader.ArticleFilter(("a.example",), changed_since=later), canonical_only=True) == []


def test_articles_are_found_by_id_url_and_location(engine: Engine) -> None:
    store(engine, [article(URL, story(1), location="saved.html")])

    assert reader.article(engine, 1) == reader.article_by_url(engine, URL)
    assert reader.article_by_location(engine, "saved.html") == reader.article(engine, 1)
    assert reader.article(engine, 2) is None
    assert reader.article_by_url(engine, "https://harbour.example/none") is None
    assert reader.article_by_location(engine, "none.html") is None
    assert reader.document(engine, 2) is None


def test_revisions_are_numbered_as_they_were_seen_first_in_whatever_order_they_are_stored(
    engine: Engine,
) -> None:
    texts = [article(URL, story(n), START + timedelta(hours=n), title=f"Title {n}") for n in range(4)]
    again = article(URL, story(1), START + timedelta(hours=9), title="Title 1", body="elsewhere on the page")
    for made in (texts[2], texts[0], texts[3], again, texts[1], article("https://b.example/", story(9))):
        store(engine, [made])

    found = reader.revisions(engine, 1)
    assert [text.revision for text in found] == [1, 2, 3, 4]
    assert [text.title for text in found] == [f"Title {n}" for n in range(4)]
    assert [text.text for text in found] == [story(n) for n in range(4)]
    assert [text.seen_at for text in found] == [
        (START + timedelta(hours=n)).replace(microsecond=0) for n in range(4)
    ]
    assert [text.is_current for text in found] == [False, True, False, False]
    current = reader.article(engine, 1)
    assert current is not None
    assert current.revision == len(found)
    assert (found[1].text, found[1].keywords, found[1].rights) == (
        current.text,
        current.keywords,
        current.rights,
    )
    assert len(reader.revisions(engine, 2)) == 1
    assert reader.revisions(engine, 3) == []


def test_texts_of_one_second_are_numbered_without_gap(engine: Engine) -> None:
    for n in range(5):
        store(engine, [article(URL, story(n), START + timedelta(microseconds=n))])

    assert [text.revision for text in reader.revisions(engine, 1)] == [1, 2, 3, 4, 5]
    assert [text.text for text in reader.revisions(engine, 1)] == [story(n) for n in range(5)]


def test_no_texts_are_sorted_on_the_way(sqlite_template: Path, tmp_path: Path) -> None:
    """SQLite would keep all texts in memory, and a stream must need the same memory for any number of
    rows.
    """
    shutil.copyfile(sqlite_template, tmp_path / "copydesk.db")
    engine = open_database(f"sqlite:///{tmp_path}/copydesk.db")
    store(engine, wire(20))
    asked: list[tuple[str, Any]] = []

    def ask(_c: Any, _u: Any, statement: str, given: Any, *_: Any) -> None:
        asked.append((statement, given))

    event.listen(engine, "before_cursor_execute", ask)
    for stream in (
        reader.articles(engine),
        reader.articles(engine, canonical_only=True),
        reader.articles(engine, reader.ArticleFilter(sites=("site1.example",))),
        reader.articles(engine, reader.ArticleFilter(language="en"), canonical_only=True),
        reader.articles(engine, reader.ArticleFilter(changed_since=START)),
        reader.changed_articles(engine, 3),
        reader.rows(engine, "removed_text"),
        reader.rows(engine, "rejections"),
    ):
        list(stream)
    event.remove(engine, "before_cursor_execute", ask)
    texts = [(statement, given) for statement, given in asked if "text" in statement or "detail" in statement]
    with engine.connect() as connection:
        for statement, given in texts:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)]
            assert not [step for step in plan if "TEMP B-TREE" in step], statement
    assert len(texts) >= 8
    engine.dispose()
