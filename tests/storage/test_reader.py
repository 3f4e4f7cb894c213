"""Reading: filters, streaming, what is known, and what downstream tools are given."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from pipeline.document import Claims, Document, Origin, Reason
from storage import reader, writer
from storage.crawls.revisits import Validators
from storage.database import open_database
from storage.reader import SourceKey, article_rows, source_key, streaming
from tests.storage.news import SETTINGS, START, article, page, rejection, store, story, wire

URL = "https://harbour.example/ferry"


def document(location: str, body: bytes, **changes: Any) -> Document:
    made = Document(
        location=location,
        url=location,
        body=body,
        media_type=page("").media_type,
        fetched_at=START,
        origin=Origin.FILE,
        encoding="utf-8",
    )
    return replace(made, **changes)


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
    assert ids(site="a.example") == [1, 3]
    assert ids(language="de") == [2]
    assert ids(since=START + timedelta(hours=1)) == [2, 3]
    assert ids(canonical_only=True) == [1, 2]
    assert ids(group_id=1) == [1, 3]
    assert ids(limit=2) == [1, 2]
    assert ids(site="a.example", canonical_only=True, since=START + timedelta(hours=1)) == []


def test_articles_are_found_by_id_url_and_location(engine: Engine) -> None:
    store(engine, [article(URL, story(1), location="saved.html")])

    assert reader.article(engine, 1) == reader.article_by_url(engine, URL)
    assert reader.article_by_location(engine, "saved.html") == reader.article(engine, 1)
    assert reader.article(engine, 2) is None
    assert reader.article_by_url(engine, "https://harbour.example/none") is None
    assert reader.article_by_location(engine, "none.html") is None
    assert reader.document(engine, 2) is None


def test_groups_come_by_size(engine: Engine) -> None:
    texts = [story(1)] * 2 + [story(2)] * 3 + [story(3)]
    store(engine, [article(f"https://s{n}.example/a", body) for n, body in enumerate(texts)])

    found = list(reader.groups(engine))
    assert [(group.id, group.size) for group in found] == [(3, 3), (1, 2)]
    assert [group.id for group in reader.groups(engine, min_size=1)] == [3, 1, 6]
    assert [group.id for group in reader.groups(engine, limit=1)] == [3]
    assert reader.group(engine, 3) == found[0]
    assert reader.group(engine, 4) is None
    assert [member.id for member in reader.members(engine, 3)] == [3, 4, 5]
    assert len(reader.copies(engine, 4)) == 2


def test_rejections_of_one_run_or_all(engine: Engine) -> None:
    store(engine, [rejection("a"), rejection("b")])
    store(engine, [rejection("c", reason=Reason.EMPTY)])

    assert [row.location for row in reader.rejections(engine)] == ["a", "b", "c"]
    assert [row.reason for row in reader.rejections(engine, run_id=2)] == ["empty"]
    assert [run.id for run in reader.runs(engine)] == [2, 1]
    assert reader.run(engine, 9) is None


def test_counts_say_how_much_there_is(engine: Engine) -> None:
    made = wire(12, stories=3)
    revised = article(made[0].url, story(50), made[0].page.fetched_at + timedelta(days=9))
    store(engine, [*made, revised, rejection("a")])

    found = reader.counts(engine)

    assert (found.articles, found.revisions, found.rejections, found.pages) == (12, 1, 1, 14)
    assert found.groups == len(list(reader.groups(engine, min_size=1)))
    assert found.copied_groups == len(list(reader.groups(engine)))
    largest = max(reader.groups(engine), key=lambda group: (group.size, -group.id))
    assert (found.largest_group, found.largest_size) == (largest.id, largest.size)
    assert found.pairs == len(list(reader.rows(engine, "copies")))
    assert found.sites == len({a.site for a in made})
    assert found.removed_lines == 12
    assert found.page_bytes == sum(o.page.size for o in [*made, revised]) + len("<ul>a")


def test_what_was_processed_by_these_rules_is_known(engine: Engine) -> None:
    body = b"<p>one"
    held = replace(page("<p>one"), url="a.html")
    store(
        engine,
        [
            article(URL, story(1), location="a.html", page=held),
            rejection("b.html", page=held),
            rejection("slow.html", page=held, reason=Reason.TIMEOUT),
            rejection("gone.html", page=None),
        ],
    )
    keys = {
        name: source_key(document(name, body)) for name in ("a.html", "b.html", "slow.html", "gone.html", "c")
    }

    assert reader.known(engine, keys.values()) == {keys["a.html"], keys["b.html"]}
    assert reader.known(engine, keys.values(), "2-next") == set()
    assert reader.known(engine, [source_key(document("a.html", b"<p>two"))]) == set()
    assert reader.known(engine, []) == set()


def test_a_page_that_came_back_to_older_bytes_is_known(engine: Engine) -> None:
    store(
        engine, [article(URL, story(1), body="one"), article(URL, story(2), START + timedelta(1), body="two")]
    )

    keys = [source_key(document(URL, body)) for body in (b"one", b"two")]
    assert reader.known(engine, keys) == set(keys)


def test_a_record_that_says_something_else_beside_its_text_is_not_known(engine: Engine) -> None:
    claims = Claims(title="As it was")
    record = document("feed.jsonl#1", b"text", origin=Origin.JSONL, claims=claims, url=URL)
    held = page("text", url=URL, origin=Origin.JSONL, claims=claims)
    store(engine, [article(URL, story(1), location="feed.jsonl#1", page=held)])

    assert reader.known(engine, [source_key(record)]) == {source_key(record)}
    corrected = replace(record, claims=Claims(title="Corrected"))
    assert reader.known(engine, [source_key(corrected)]) == set()
    # A feed's words about a page are not the page's: another reading of them is no reason to do it again.
    crawled = document(URL, b"<p>one", origin=Origin.CRAWL)
    assert source_key(crawled) == source_key(replace(crawled, claims=claims))


def test_odd_names_are_known_as_they_were_given(engine: Engine) -> None:
    name = "dir/\udcff\0.html"
    store(engine, [article(URL, story(1), location=name, page=page("x"))])
    key = SourceKey(name, page("x").sha256)

    assert reader.known(engine, [key]) == {key}


def test_urls_are_known_by_every_name(engine: Engine) -> None:
    fetched = "https://harbour.example/ferry?utm_source=feed"
    store(
        engine,
        [
            article(URL + "-full", story(1), location=fetched, page=page("x", url=fetched)),
            rejection("https://harbour.example/list"),
        ],
    )
    asked = [URL + "-full", URL, fetched, "https://harbour.example/list", "https://harbour.example/new"]

    assert reader.known_urls(engine, asked) == set(asked[:3])

    writer.put_fetch_states(engine, {asked[3]: Validators()}, START)
    assert reader.known_urls(engine, asked, fetched_since=START + timedelta(seconds=1)) == set(asked[:3])
    assert reader.known_urls(engine, asked, fetched_since=START - timedelta(days=1)) == set(asked[:4])


def test_rows_are_dictionaries_in_the_order_of_the_columns(engine: Engine) -> None:
    store(engine, [*wire(5), rejection("a")])

    found = list(reader.rows(engine, "articles"))
    assert [row["id"] for row in found] == [1, 2, 3, 4, 5]
    assert list(found[0])[:3] == ["id", "url", "location"]
    assert len(list(reader.rows(engine, "unique_articles"))) == len(list(reader.groups(engine, min_size=1)))
    assert [row["location"] for row in reader.rows(engine, "rejections")] == ["a"]
    with pytest.raises(ValueError, match="takes no filters"):
        list(reader.rows(engine, "copies", site="x"))


def test_what_streams_fetches_a_part_at_a_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "FETCH", 4)
    store(engine, wire(30))
    fetched = []

    @event.listens_for(engine, "after_cursor_execute")
    def note(_c: Any, cursor: Any, *_: Any) -> None:
        fetched.append(cursor)

    stream = reader.articles(engine)
    first = next(stream)
    assert first.id == 1
    if engine.dialect.name == "postgresql":
        assert "ServerCursor" in type(fetched[-1]).__name__
    # While a reader stands in the middle of a result, writers go on; it sees the base as it was.
    store(engine, [article(URL, story(60))])
    assert [row.id for row in stream] == list(range(2, 31))
    assert reader.counts(engine).articles == 31


def test_known_asks_about_many_at_once(engine: Engine) -> None:
    store(engine, wire(30))
    asked = [SourceKey(f"nowhere/{n}", b"x" * 32) for n in range(1500)]
    there = [SourceKey(a.location, a.page.sha256) for a in wire(30)]

    assert reader.known(engine, [*asked, *there], SETTINGS.rules_version) == set(there)


@pytest.mark.parametrize("filters", [{}, {"site": "a.example"}, {"language": "en", "canonical_only": True}])
def test_a_stream_sees_the_base_as_it_was_when_it_began(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, filters: dict[str, Any]
) -> None:
    monkeypatch.setattr(article_rows, "FETCH_TEXTS", 1)
    monkeypatch.setattr(article_rows, "FETCH_IDS", 1)
    store(engine, [article(f"https://a.example/{n}", story(n)) for n in range(1, 5)])
    before = list(reader.articles(engine, **filters))
    changes = list(reader.changed_articles(engine))

    stream, changed = reader.articles(engine, **filters), reader.changed_articles(engine)
    found, found_changes = [next(stream)], [next(changed)]
    writer.remove_articles(engine, [2], SETTINGS)
    later = START + timedelta(hours=1)
    store(engine, [article("https://a.example/3", story(9), later), article("https://a.example/5", story(5))])
    found += stream
    found_changes += changed

    assert found == before
    assert found_changes == changes
    assert list(reader.articles(engine, **filters)) != before


def test_no_texts_are_sorted_on_the_way(sqlite_template: Path, tmp_path: Path) -> None:
    """SQLite would hold all of them: what streams is to take the same memory however much there is."""
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
        reader.articles(engine, site="site1.example"),
        reader.articles(engine, language="en", canonical_only=True),
        reader.articles(engine, since=START),
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
