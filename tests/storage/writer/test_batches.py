"""A batch of outcomes in a database: revisions, rules, rejections, odd values."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import zstandard
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import DataError

from pipeline import copies
from pipeline.document import Claims, Origin, Outcome, Reason, Removed
from storage import reader, schema
from storage.base.keys import UnstorableError
from storage.database import transactions
from storage.writer import BatchCounts, batches
from storage.writing import groups
from tests.storage.news import START, article, contents, page, rejection, store, story, view, wire

URL = "https://harbour.example/ferry"
LATER = START + timedelta(days=1)


def test_an_article_is_stored_with_all_columns_of_the_views(engine: Engine) -> None:
    made = article(URL, story(1), byline="By Ada Lind", dateline="NORHAVEN -", agency="Reuters")

    counts = store(engine, [made])

    assert counts == BatchCounts(seen=1, stored=1)
    found = reader.article_by_url(engine, URL)
    assert found is not None
    for name in ("url", "location", "publisher", "site", "title", "text", "byline", "dateline", "agency"):
        assert getattr(found, name) == getattr(made, name)
    assert list(found.authors) == ["Ada Lind"]
    assert found.published_at == (START - timedelta(minutes=30)).replace(microsecond=0)
    assert (found.id, found.group_id, found.is_canonical, found.revision) == (1, 1, True, 1)
    assert found.first_seen_at == found.updated_at == START.replace(microsecond=0)
    assert found.access == "free"
    assert found.published_offset == -300
    lines = [(line.position, line.rule, line.text) for line in reader.removed(engine, found.id)]
    assert lines == [(3, "phrase.en.register-now", "Register now")]


def test_each_text_of_an_article_keeps_the_zone_of_its_own_date(engine: Engine) -> None:
    first = article(URL, story(1), published_offset=None)
    second = article(URL, story(2), LATER, published_offset=120)

    for made in (second, first):
        store(engine, [made])

    found = reader.article_by_url(engine, URL)
    assert found is not None
    assert (found.text, found.published_offset) == (story(2), 120)
    store(engine, [article(URL, story(1), LATER + timedelta(days=1), published_offset=None)])
    with engine.connect() as connection:
        assert connection.scalars(select(schema.article.c.published_offset)).all() == [None]
        assert connection.scalars(select(schema.revision.c.published_offset)).all() == [120]


def test_the_same_batch_again_stores_nothing(engine: Engine) -> None:
    outcomes: list[Outcome] = [*wire(30), rejection("https://harbour.example/list")]
    store(engine, outcomes)
    before = contents(engine)

    counts = store(engine, outcomes)

    assert counts == BatchCounts(seen=31, unchanged=31)
    assert contents(engine) == before


def test_the_same_article_twice_in_one_batch_is_one_row(engine: Engine) -> None:
    made = article(URL, story(1))

    counts = store(engine, [made, made, replace(made, location="copy.html")])

    assert counts == BatchCounts(seen=3, stored=1, unchanged=2)
    assert len(view(engine, "articles")) == 1


def test_revised_and_unchanged_articles_are_counted_separately(engine: Engine) -> None:
    store(engine, [article(URL, story(1))])

    counts = store(engine, [article(URL, story(2), LATER), article(URL, story(1), START, location="b.html")])

    assert counts == BatchCounts(seen=2, revised=1, unchanged=1)


def test_a_fault_that_is_seen_again_is_counted_again(engine: Engine) -> None:
    fault = rejection(URL, reason=Reason.INTERNAL_ERROR)

    assert store(engine, [fault]).faults == 1
    assert store(engine, [fault]).faults == 1
    assert len(view(engine, "rejections")) == 1


def test_odd_characters_are_stored_alike(engine: Engine) -> None:
    odd = "a\0b \ud800 c \u202e d \U0001f600"
    made = article(
        URL + "?q=\udcff",
        story(1) + odd,
        title=odd,
        authors=(odd,),
        location="dir/\udcff.html",
        publisher=odd,
        removed=(Removed(0, odd, "r.r"),),
    )
    made = replace(made, page=replace(made.page, claims=Claims(title=odd, authors=(odd,))))

    counts = store(engine, [made, rejection("dir/\udcfe.html", detail=odd)])

    assert counts.stored == 1
    clean = "a\ufffdb \ufffd c \u202e d \U0001f600"
    found = view(engine, "articles")[0]
    assert found["title"] == found["publisher"] == found["authors"][0] == clean
    assert found["text"].endswith(clean)
    assert found["location"] == "dir/\\udcff.html"
    assert found["url"] == URL + "?q=\\udcff"
    assert view(engine, "removed_text")[0]["text"] == clean
    assert view(engine, "rejections")[0]["detail"] == clean
    assert view(engine, "rejections")[0]["location"] == "dir/\\udcfe.html"
    assert store(engine, [made]).unchanged == 1


def test_long_values_are_stored(engine: Engine) -> None:
    text = story(1) + "\n" + "x" * 5_000_000
    url = "https://harbour.example/?q=" + "%D0%B0" * 20_000
    made = article(url, text, location="d/" * 5000 + "a.html", fingerprint=None)

    assert store(engine, [made, rejection("d/" * 5000 + "b.html", url=url)]).stored == 1
    assert store(engine, [made]).unchanged == 1
    found = reader.article_by_url(engine, url)
    assert found is not None
    assert found.text == text


def test_an_article_that_cannot_be_stored_costs_only_itself(engine: Engine) -> None:
    bad = article("https://bad.example/a", story(2), site="x" * 5000)
    good = wire(9)

    counts = store(engine, [*good[:4], bad, *good[4:]])

    assert counts.stored == 9
    assert counts.reasons == {Reason.STORAGE_ERROR: 1}
    assert counts.faults == 1
    [row] = view(engine, "rejections")
    assert row["location"] == bad.location
    assert (row["stage"], row["reason"]) == ("store", "storage error")
    assert "5000 characters" in row["detail"]
    assert store(engine, [replace(bad, site="bad.example")]).stored == 1
    assert view(engine, "rejections") == []


def test_a_value_that_the_database_refuses_costs_only_its_article(engine: Engine) -> None:
    bad = article("https://bad.example/a", story(2), word_count=2**70)

    counts = store(engine, [*wire(5), bad, rejection("https://x.example/")])

    assert counts.stored == 5
    assert counts.rejected == 2
    assert counts.reasons[Reason.STORAGE_ERROR] == 1


def test_an_error_in_verification_costs_one_article(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    verify = copies.verify

    def fail_once(a: Any, b: Any, settings: Any) -> Any:
        if a.published_at is None or b.published_at is None:
            raise ZeroDivisionError
        return verify(a, b, settings)

    monkeypatch.setattr(copies, "verify", fail_once)
    made = [article(f"https://s{n}.example/a", story(1)) for n in range(4)]
    made[2] = replace(made[2], published_at=None)

    counts = store(engine, made)

    assert counts.stored == 3
    assert counts.reasons == {Reason.STORAGE_ERROR: 1}
    assert "ZeroDivisionError" in view(engine, "rejections")[0]["detail"]


def test_a_batch_that_fails_half_way_leaves_no_trace(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    store(engine, wire(5))
    before = contents(engine)
    with monkeypatch.context() as patch:
        patch.setattr(groups, "add_stories", interrupt)
        with pytest.raises(KeyboardInterrupt):
            store(engine, wire(40, seed=2))

    assert contents(engine) == before
    assert store(engine, wire(40, seed=2)).stored == 40 - 5


def test_a_busy_database_is_tried_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    # Not `time.sleep` itself, which threads of other tests' libraries may call meanwhile.
    monkeypatch.setattr(transactions, "time", SimpleNamespace(sleep=waits.append))
    for module in (batches, transactions):
        monkeypatch.setattr(module, "is_transient", lambda error: isinstance(error, DataError))
    failures = iter([True, True, False])

    @event.listens_for(engine, "before_cursor_execute")
    def fail(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("INSERT INTO article") and next(failures, False):
            raise DataError(statement, parameters, Exception("busy"))

    assert store(engine, wire(3)).stored == 3
    assert waits == [0.1, 0.3]
    assert reader.runs(engine)[0].seen == 3


def test_pages_hold_the_document_as_it_was_fetched(engine: Engine) -> None:
    claims = Claims(title="As claimed", published_at="yesterday", authors=("A", "B"), language="en")
    held = replace(
        page("<p>été", START, "https://harbour.example/ferry?x=1", Origin.JSONL, claims),
        publisher="Harbour Post",
    )
    made = replace(article(URL, story(1), location="feed.jsonl#7"), page=held)
    store(engine, [made])

    document = reader.document(engine, 1)

    assert document is not None
    assert document.body == "<p>été".encode() == zstandard.decompress(held.compressed)
    assert document.location == "feed.jsonl#7"
    assert document.url == "https://harbour.example/ferry?x=1"
    assert document.fetched_at == START
    assert document.claims == claims
    assert (document.encoding, document.publisher, document.origin) == ("utf-8", "Harbour Post", Origin.JSONL)


def test_a_time_without_a_zone_is_refused(engine: Engine) -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001
    counts = store(engine, [article(URL, story(1), published_at=naive)])

    assert counts.reasons == {Reason.STORAGE_ERROR: 1}
    assert UnstorableError.__name__ in view(engine, "rejections")[0]["detail"]
