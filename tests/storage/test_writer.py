"""What a batch of outcomes does to a base: revisions, rules, rejections, odd values. On both databases."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import zstandard
from sqlalchemy import Engine, event, func, select
from sqlalchemy.exc import DataError

from pipeline import copies
from pipeline.document import Claims, Origin, Outcome, Reason, Removed, Stage
from pipeline.settings import Settings
from storage import reader, schema, writer
from storage.base.keys import UnstorableError
from storage.database import transactions
from storage.writer import BatchCounts, batches
from storage.writing import groups
from tests.storage.news import (
    SETTINGS,
    START,
    article,
    contents,
    cut,
    page,
    rejection,
    store,
    story,
    view,
    wire,
)

URL = "https://harbour.example/ferry"
LATER = START + timedelta(days=1)


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def test_an_article_is_stored_with_all_that_the_views_promise(engine: Engine) -> None:
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


@pytest.mark.parametrize("batch", [1, 4])
def test_the_latest_fetch_is_current_whatever_came_first(engine: Engine, batch: int) -> None:
    for number, order in enumerate(itertools.permutations(range(4))):
        url = f"{URL}/{number}"
        # The first text comes back at the end: the one before it stays an older one.
        fetched = [
            article(url, story(1), START),
            article(url, story(2), START + timedelta(hours=1)),
            article(url, story(3), START + timedelta(hours=2), location=f"mirror{number}.html"),
            article(url, story(1), START + timedelta(hours=3), body="other bytes, same text"),
        ]

        store(engine, [fetched[n] for n in order], batch)

        found = reader.article_by_url(engine, url)
        assert found is not None
        assert found.text == story(1)
        assert found.revision == 3
        assert found.first_seen_at == START.replace(microsecond=0)
        assert found.updated_at == (START + timedelta(hours=2)).replace(microsecond=0)
        assert found.published_at == (START + timedelta(hours=2.5)).replace(microsecond=0)
        stored = reader.document(engine, found.id)
        assert stored is not None
        assert stored.body == b"other bytes, same text"
        assert count(engine, schema.page) == 3 * (number + 1)


def test_texts_fetched_at_the_same_moment_are_ordered_by_their_hash(engine: Engine) -> None:
    one, other = article(URL, story(1)), article(URL, story(2), location="mirror.html")

    store(engine, [one, other], 1)
    first = reader.article_by_url(engine, URL)
    writer.remove_articles(engine, [1], SETTINGS)
    store(engine, [other, one], 1)
    second = reader.article_by_url(engine, URL)

    assert first is not None
    assert second is not None
    assert first.text == second.text


def test_counts_tell_revised_from_unchanged(engine: Engine) -> None:
    store(engine, [article(URL, story(1))])

    counts = store(engine, [article(URL, story(2), LATER), article(URL, story(1), START, location="b.html")])

    assert counts == BatchCounts(seen=2, revised=1, unchanged=1)


def test_new_rules_on_the_same_bytes_change_the_text_in_place(engine: Engine) -> None:
    old = article(URL, story(1) + "\nRegister now", body="bytes")
    store(engine, [old, article("https://other.example/x", story(1))])
    pages = count(engine, schema.page)
    new = replace(
        article(URL, story(5), body="bytes"),
        rules_version="2-next",
        removed=(Removed(9, "Register now", "phrase.en.new-rule"),),
    )

    counts = store(engine, [new])

    assert (counts.updated, counts.revised) == (1, 0)
    found = reader.article_by_url(engine, URL)
    assert found is not None
    assert found.text == story(5)
    assert found.revision == 1
    assert [line.rule for line in reader.removed(engine, found.id)] == ["phrase.en.new-rule"]
    assert reader.copies(engine, found.id) == []
    assert count(engine, schema.page) == pages
    stored = reader.document(engine, found.id)
    assert stored is not None
    assert stored.body == b"bytes"


def test_new_rules_may_find_another_url_in_the_same_bytes(engine: Engine) -> None:
    old = article("https://harbour.example/?id=1", story(1), location="saved.html")
    kept = article("https://harbour.example/?id=1", story(2), LATER, location="later.html")
    store(engine, [old, kept])

    store(engine, [replace(old, url=URL, rules_version="2-next")])

    rows = {row["url"]: row for row in view(engine, "articles")}
    assert set(rows) == {URL, "https://harbour.example/?id=1"}
    assert rows[URL]["text"] == story(1)
    assert rows["https://harbour.example/?id=1"]["revision"] == 1


def test_an_article_that_new_rules_turn_away_goes_and_its_group_splits(engine: Engine) -> None:
    texts = [story(1), story(1), story(1)]
    made = [article(f"https://s{n}.example/a", text) for n, text in enumerate(texts)]
    store(engine, made)
    gone = rejection(made[0].location, reason=Reason.SECTION_FRONT, rules_version="2-next", page=made[0].page)

    counts = store(engine, [gone])

    assert counts.rejected == 1
    assert {row["url"] for row in view(engine, "articles")} == {made[1].url, made[2].url}
    assert {row["group_id"] for row in view(engine, "articles")} == {2}
    assert len(view(engine, "unique_articles")) == 1


def test_an_older_text_is_current_again_when_the_newer_one_goes(engine: Engine) -> None:
    newer = article(URL, story(2), LATER)
    other = article("https://other.example/x", story(1))
    store(engine, [article(URL, story(1), removed=(Removed(1, "Share", "link.share"),)), newer, other])
    turned_away = rejection(
        newer.location, LATER, reason=Reason.ERROR_PAGE, rules_version="2-next", page=newer.page
    )

    store(engine, [turned_away])

    found = reader.article_by_url(engine, URL)
    assert found is not None
    assert (found.text, found.revision) == (story(1), 1)
    assert [line.text for line in reader.removed(engine, found.id)] == ["Share"]
    assert [copy.kind for copy in reader.copies(engine, found.id)] == ["exact"]


def test_a_rejection_is_the_present_end_of_its_location(engine: Engine) -> None:
    store(engine, [rejection(URL)])
    assert [row["reason"] for row in view(engine, "rejections")] == ["no article"]

    store(engine, [rejection(URL, LATER, reason=Reason.ERROR_PAGE, page=None)])
    assert [row["reason"] for row in view(engine, "rejections")] == ["error page"]

    store(engine, [article(URL, story(1), LATER + timedelta(hours=1))])
    assert view(engine, "rejections") == []
    assert count(engine, schema.page) == 1


def test_a_page_turned_away_later_leaves_the_article_that_other_bytes_gave(engine: Engine) -> None:
    store(engine, [article(URL, story(1)), rejection(URL, LATER, reason=Reason.ERROR_PAGE)])

    assert len(view(engine, "articles")) == 1
    assert [row["reason"] for row in view(engine, "rejections")] == ["error page"]


def test_ends_of_one_location_do_not_depend_on_the_order(engine: Engine) -> None:
    for number, order in enumerate(itertools.permutations(range(3))):
        url = f"{URL}/{number}"
        ends: list[Outcome] = [
            rejection(url, START, reason=Reason.CONSENT_WALL, page=page("consent", START)),
            article(url, story(1), START + timedelta(hours=1)),
            rejection(url, START + timedelta(hours=2), reason=Reason.ERROR_PAGE, page=page("404", START)),
        ]

        store(engine, [ends[n] for n in order], 1)

        assert [row["reason"] for row in view(engine, "rejections")] == ["error page"] * (number + 1)
        assert len(view(engine, "articles")) == number + 1


def test_a_timeout_takes_nothing_away_and_is_forgotten_when_the_next_try_goes_well(engine: Engine) -> None:
    made = article(URL, story(1))
    store(engine, [made])
    timeout = rejection(URL, reason=Reason.TIMEOUT, stage=Stage.WORKER, page=made.page)

    assert store(engine, [timeout]).unchanged == 1
    assert view(engine, "rejections") == []

    store(engine, [replace(timeout, rules_version="2-next")])
    assert len(view(engine, "articles")) == 1
    assert [row["reason"] for row in view(engine, "rejections")] == ["timeout"]

    store(engine, [replace(made, rules_version="2-next")])
    assert view(engine, "rejections") == []


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


def test_what_cannot_be_stored_costs_itself_alone(engine: Engine) -> None:
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


def test_a_value_that_the_database_refuses_costs_itself_alone(engine: Engine) -> None:
    bad = article("https://bad.example/a", story(2), word_count=2**70)

    counts = store(engine, [*wire(5), bad, rejection("https://x.example/")])

    assert counts.stored == 5
    assert counts.rejected == 2
    assert counts.reasons[Reason.STORAGE_ERROR] == 1


def test_a_mistake_in_verification_costs_one_article(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_ids_have_no_gaps_and_are_never_used_twice(engine: Engine) -> None:
    made = wire(6)
    store(engine, made[:3])
    writer.remove_articles(engine, [3], SETTINGS)
    store(engine, made[3:], 1)

    assert sorted(row["id"] for row in view(engine, "articles")) == [1, 2, 4, 5, 6]


def test_a_busy_database_is_tried_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
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


def test_runs_add_up_while_they_run(engine: Engine) -> None:
    run = writer.start_run(engine, "ingest pages", START)
    writer.write_batch(engine, run, wire(4), SETTINGS)
    writer.write_batch(engine, run, [rejection("https://x.example/")], SETTINGS)

    row = reader.run(engine, run)
    assert row is not None
    assert (row.seen, row.stored, row.rejected, row.finished_at) == (5, 4, 1, None)
    assert row.reasons == {"no article": 1}

    writer.finish_run(engine, run, BatchCounts(seen=9, stored=4, unchanged=4, rejected=1), LATER)
    row = reader.run(engine, run)
    assert row is not None
    assert (row.seen, row.unchanged, row.finished_at) == (9, 4, LATER.replace(microsecond=0))
    assert writer.start_run(engine, "again", LATER) == run + 1


def test_counts_add() -> None:
    one = BatchCounts(seen=2, stored=1, rejected=1, reasons={Reason.EMPTY: 1})
    other = BatchCounts(seen=3, rejected=3, reasons={Reason.EMPTY: 1, Reason.STORAGE_ERROR: 2})

    assert one + other == BatchCounts(
        seen=5, stored=1, rejected=4, reasons={Reason.EMPTY: 2, Reason.STORAGE_ERROR: 2}
    )
    assert (one + other).faults == 2


def test_a_naive_time_is_turned_away(engine: Engine) -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001
    counts = store(engine, [article(URL, story(1), published_at=naive)])

    assert counts.reasons == {Reason.STORAGE_ERROR: 1}
    assert UnstorableError.__name__ in view(engine, "rejections")[0]["detail"]


def test_fetch_validators_are_kept(engine: Engine) -> None:
    feed = "https://harbour.example/feed.xml"
    assert reader.fetch_state(engine, feed) is None

    writer.put_fetch_state(engine, feed, etag='W/"1"', last_modified=None, fetched_at=START)
    writer.put_fetch_state(engine, feed, etag=None, last_modified="Sun, 01 Mar 2026", fetched_at=LATER)

    state = reader.fetch_state(engine, feed)
    assert state is not None
    assert (state.etag, state.last_modified) == (None, "Sun, 01 Mar 2026")
    assert state.fetched_at == LATER.replace(microsecond=0)


def test_stubs_stay_out_of_grouping(engine: Engine) -> None:
    made = [article(f"https://s{n}.example/a", cut(story(1), 0.1), fingerprint=None) for n in range(3)]

    store(engine, made)

    assert {row["size"] for row in view(engine, "story_groups")} == {1}


def test_settings_of_another_version_never_meet_in_a_band(engine: Engine) -> None:
    other = Settings(fingerprint=replace(SETTINGS.fingerprint, seed=2))
    one, two = article("https://a.example/1", story(1)), article("https://b.example/1", story(1))
    assert two.fingerprint is not None
    two = replace(two, fingerprint=replace(two.fingerprint, version=other.fingerprint.version))

    store(engine, [one, two])

    assert view(engine, "copies") == []
