"""What watchlists tell: of stories and not of copies, of news and not of what was known."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from pipeline.document import Article, Reason, RightsStatement
from pipeline.settings import Settings
from storage import reader, schema, writer
from storage.database import DatabaseError, begin_write
from storage.watching import (
    Rule,
    add_watchlist,
    claim,
    deliveries,
    edit_watchlist,
    match_news,
    matching,
    remove_watchlist,
)
from tests.storage.news import START, article, cut, rejection, retold, store, story, view

SETTINGS = Settings()
EVERYTHING = ("story", "copies", "corrections", "removals")
FERRIES = Rule("ferries", "norhaven", tells=EVERYTHING)
TEXT = "Norhaven news. " + story(1)
OTHER = "Norhaven news. " + story(2)
HOUR = timedelta(hours=1)


def copy_on(site: str, text: str = TEXT, hours: int = 0, **changes: Any) -> Article:
    return article(f"https://{site}.example/1", text, START + hours * HOUR, **changes)


def put(engine: Engine, *made: Any, is_news: bool = True) -> None:
    """Writes a batch, as a run does that has not ended yet."""
    run = writer.start_run(engine, "ingest", START)
    writer.write_batch(engine, run, made, SETTINGS, is_news=is_news)


def told(engine: Engine) -> list[tuple[str, str]]:
    """What the outbox has: the kind and the URL of each, in no order."""
    with engine.connect() as connection:
        bodies = connection.execute(select(schema.notification.c.kind, schema.notification.c.body)).all()
    found = [(kind, body["article"]["url"]) for kind, body in bodies]
    return sorted((kind, url.removeprefix("https://").partition(".")[0]) for kind, url in found)


def told_of(engine: Engine, *made: Any, is_news: bool = True) -> list[tuple[str, str]]:
    """What a batch adds to the outbox."""
    before = told(engine)
    if made:
        put(engine, *made, is_news=is_news)
    match_news(engine)
    after = told(engine)
    for one in before:
        after.remove(one)
    return after


def test_the_first_match_of_a_story_tells_and_a_copy_only_if_asked(engine: Engine) -> None:
    add_watchlist(engine, FERRIES, START)
    add_watchlist(engine, replace(FERRIES, name="quiet", tells=("story",)), START)

    assert told_of(engine, copy_on("a"), copy_on("z", story(9))) == [("story", "a"), ("story", "a")]
    assert told_of(engine, copy_on("b", hours=1)) == [("copy", "b")]
    assert told_of(engine) == []
    assert told_of(engine, copy_on("c", OTHER), copy_on("d", OTHER)) == [
        ("copy", "d"),
        ("story", "c"),
        ("story", "c"),
    ]


def test_a_notification_says_what_it_tells(engine: Engine) -> None:
    ways = ("feed", "mail:a@b.example", "webhook:https://hooks.example/x")
    add_watchlist(engine, replace(FERRIES, ways=ways), START)
    put(engine, copy_on("a", title="Harbour opens", agency="Northwire"), copy_on("b", description=None))
    match_news(engine, START)
    with engine.connect() as connection:
        made = connection.execute(select(schema.notification).where(schema.notification.c.kind == "story"))
        (row,) = made.all()

    assert row.id.startswith("msg_")
    assert (row.group_id, row.article_id) == (1, 1)
    assert row.kind == "story"
    assert row.body["watchlist"] == "ferries"
    assert row.body["outlets"] == ["a.example", "b.example"]
    assert row.body["story"] == {"id": 1, "articles": 2, "sites": 2}
    assert row.body["article"] == {
        "id": 1,
        "url": "https://a.example/1",
        "title": "Harbour opens",
        "site": "a.example",
        "publisher": "Harbour Post",
        "agency": "Northwire",
        "language": "en",
        "published_at": "2026-03-01T09:30:00Z",
        "description": "The ferry runs again after two weeks.",
    }
    assert [one.due.way for one in deliveries(engine) if one.due.id == row.id] == [*ways[1:]]
    (of_copy,) = {
        one.due.body["article"]["description"] for one in deliveries(engine) if one.due.kind == "copy"
    }
    assert of_copy == " ".join(TEXT[:300].split())
    assert len(claim(engine, START, 100)) == 4


def test_a_watchlist_that_cannot_be_meant_keeps_no_other_from_telling(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    add_watchlist(engine, FERRIES, START)
    add_watchlist(engine, replace(FERRIES, name="broken"), START)
    with begin_write(engine) as connection:
        table = schema.watchlist
        connection.execute(update(table).where(table.c.name == "broken").values(query="-strike"))
    assert told_of(engine, copy_on("a")) == [("story", "a")]
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("Watchlist broken tells nothing until copydesk watch edit changes it: nothing to")


def test_nothing_of_a_reserved_text_is_told(engine: Engine) -> None:
    add_watchlist(engine, FERRIES, START)
    rights = (RightsStatement("tdm-reservation", "1", "header", None, True),)
    put(engine, copy_on("a", rights=rights))
    match_news(engine)
    with engine.connect() as connection:
        (body,) = connection.execute(select(schema.notification.c.body)).scalars()
    assert body["article"]["title"]
    assert body["article"]["description"] is None


def test_what_was_stored_before_a_watchlist_is_no_news(engine: Engine) -> None:
    add_watchlist(engine, Rule("other", "nothing"), START)
    put(engine, copy_on("a"))
    add_watchlist(engine, FERRIES, START)

    assert told_of(engine) == []
    assert told_of(engine, copy_on("b", OTHER)) == [("story", "b")]


def test_a_paused_watchlist_is_told_nothing_of_that_time(engine: Engine) -> None:
    add_watchlist(engine, FERRIES, START)
    edit_watchlist(engine, "ferries", replace(FERRIES, is_paused=True))
    assert told_of(engine, copy_on("a")) == []
    put(engine, copy_on("b", OTHER))
    edit_watchlist(engine, "ferries", FERRIES)
    assert told_of(engine) == []
    assert told_of(engine, copy_on("c", "Norhaven news. " + story(3))) == [("story", "c")]


def test_a_match_is_forgotten_with_its_article_while_a_watchlist_is_paused(engine: Engine) -> None:
    add_watchlist(engine, FERRIES, START)
    assert told_of(engine, copy_on("a")) == [("story", "a")]
    edit_watchlist(engine, "ferries", replace(FERRIES, is_paused=True))
    writer.remove_articles(engine, [1], SETTINGS)
    assert told_of(engine) == []
    with engine.connect() as connection:
        assert connection.execute(select(schema.watch_match)).all() == []
    edit_watchlist(engine, "ferries", FERRIES)
    assert told_of(engine) == []


def test_what_waits_for_more_sites_is_not_told_after_the_query_changed(engine: Engine) -> None:
    rule = replace(FERRIES, min_sites=2)
    add_watchlist(engine, rule, START)
    assert told_of(engine, copy_on("a"), copy_on("b", OTHER)) == []
    edit_watchlist(engine, "ferries", replace(rule, tells=("story",)))
    assert told_of(engine, copy_on("c")) == [("story", "c")]
    edit_watchlist(engine, "ferries", replace(rule, query="zeppelin"))
    assert told_of(engine, copy_on("d", OTHER)) == []


def test_a_watchlist_that_is_made_late_looks_at_little(engine: Engine) -> None:
    add_watchlist(engine, FERRIES, START)
    remove_watchlist(engine, "ferries")
    put(engine, *(copy_on(f"s{n}", story(n)) for n in range(4)))
    add_watchlist(engine, FERRIES, START)
    assert match_news(engine).news == 0
    with engine.connect() as connection:
        seen = select(schema.counter.c.value).where(schema.counter.c.name == "watched")
        assert connection.scalar(seen) == reader.last_change(engine)


def test_a_story_is_told_when_enough_sites_carry_it(engine: Engine) -> None:
    add_watchlist(engine, replace(FERRIES, min_sites=3), START)
    without = TEXT.replace("Norhaven", "Other")

    assert told_of(engine, copy_on("a")) == []
    assert told_of(engine, copy_on("b", hours=1)) == []
    # The third site has the story without the word; the last match is shown.
    assert told_of(engine, copy_on("c", without, hours=2)) == [("story", "b")]
    assert told_of(engine, copy_on("d", hours=3)) == [("copy", "d")]


def test_a_match_that_was_corrected_away_is_not_told_later(engine: Engine) -> None:
    add_watchlist(engine, replace(FERRIES, min_sites=2), START)
    without = TEXT.replace("Norhaven", "Other")

    assert told_of(engine, copy_on("a")) == []
    assert told_of(engine, copy_on("a", without, hours=1)) == []
    assert told_of(engine, copy_on("b", without, hours=2)) == []


def test_that_a_story_reaches_outlets_is_told_once_if_asked(engine: Engine) -> None:
    add_watchlist(engine, replace(FERRIES, tells=("story", "outlets"), outlets=3), START)

    assert told_of(engine, copy_on("a"), copy_on("b", hours=1)) == [("story", "a")]
    assert told_of(engine, copy_on("c", hours=2)) == [("outlets", "c")]
    assert told_of(engine, copy_on("d", hours=3)) == []
    assert told_of(engine, *(copy_on(site, OTHER) for site in "efg")) == [("outlets", "e"), ("story", "e")]


def test_a_correction_is_told_if_asked(engine: Engine) -> None:
    add_watchlist(engine, FERRIES, START)
    add_watchlist(engine, replace(FERRIES, name="quiet", tells=("story",)), START)
    first = copy_on("a")
    assert told_of(engine, first) == [("story", "a"), ("story", "a")]

    assert told_of(engine, copy_on("a", TEXT + "\nTwo were hurt.", hours=2)) == [("correction", "a")]
    # The same text in other bytes, an older text, and the same bytes again are none.
    again = copy_on("a", TEXT + "\nTwo were hurt.", hours=3, body="<p>other advertisement")
    assert told_of(engine, again) == []
    assert told_of(engine, copy_on("a", TEXT + "\nAn older text.", hours=1, body="older")) == []
    assert told_of(engine, first) == []


def test_a_text_that_matches_only_after_it_was_corrected_is_news(engine: Engine) -> None:
    add_watchlist(engine, FERRIES, START)
    without = TEXT.replace("Norhaven", "Other")

    assert told_of(engine, copy_on("a", without)) == []
    assert told_of(engine, copy_on("a", hours=1)) == [("story", "a")]


def test_reprocessing_tells_nothing(engine: Engine) -> None:
    """Neither of texts that match now, nor of those that were told, nor of rejections that are accepted."""
    add_watchlist(engine, FERRIES, START)
    unlike = copy_on("a", story(5))
    matched = copy_on("b")
    refused = rejection("https://c.example/1")
    assert refused.page is not None
    assert told_of(engine, unlike, matched, refused) == [("story", "b")]

    newer: dict[str, Any] = {"rules_version": "newer"}
    accepted = replace(copy_on("c", OTHER, **newer), page=refused.page)
    remade = [retold(unlike, OTHER, **newer), retold(matched, TEXT + "\nMore.", **newer), accepted]
    assert told_of(engine, *remade, is_news=False) == []
    assert {row["text"][:7] for row in view(engine, "articles")} == {"Norhave"}
    # The next copy is news again.
    assert told_of(engine, copy_on("d", hours=5)) == [("copy", "d")]
    assert told_of(engine, copy_on("e", OTHER, hours=5)) == [("story", "e")]


def test_a_fetch_after_reprocessing_that_brings_nothing_new_is_no_correction(engine: Engine) -> None:
    add_watchlist(engine, FERRIES, START)
    first = copy_on("a")
    assert told_of(engine, first) == [("story", "a")]
    other_bytes = replace(copy_on("a", hours=1, body="<p>other advertisement"))
    assert told_of(engine, other_bytes) == []
    newer = [retold(one, TEXT + "\nMore.", rules_version="newer") for one in (first, other_bytes)]

    assert told_of(engine, *newer, is_news=False) == []
    assert told_of(engine, retold(copy_on("a", hours=3, body="third"), TEXT + "\nMore.")) == []


def test_groups_that_merge_and_split_are_told_once(engine: Engine) -> None:
    """A whole copy brings two halves together; when it is gone they part again."""
    lines = story(7, words=800).split("\n")
    part = len(lines) // 20
    halves = ["Norhaven news.\n" + "\n".join(some) for some in (lines[: 13 * part], lines[7 * part :])]
    whole = "Norhaven news.\n" + "\n".join(lines[2 * part : 18 * part])
    add_watchlist(engine, FERRIES, START)
    assert told_of(engine, copy_on("a", halves[0]), copy_on("b", halves[1])) == [
        ("story", "a"),
        ("story", "b"),
    ]
    assert told_of(engine, copy_on("c", whole, hours=1)) == [("copy", "c")]
    assert {row["group_id"] for row in view(engine, "articles")} == {1}

    writer.remove_articles(engine, [3], SETTINGS)
    assert {row["group_id"] for row in view(engine, "articles")} == {1, 2}
    assert told_of(engine) == [("removal", "c")]
    assert told_of(engine, copy_on("d", halves[0], hours=2), copy_on("e", halves[1], hours=2)) == [
        ("copy", "d"),
        ("copy", "e"),
    ]


def test_regrouping_alone_tells_nothing(engine: Engine) -> None:
    add_watchlist(engine, replace(FERRIES, min_sites=2), START)
    assert told_of(engine, copy_on("a"), copy_on("b", OTHER)) == []
    with begin_write(engine) as connection:
        connection.execute(update(schema.article).values(group_id=1))
    assert told_of(engine) == []


def test_removals_are_told_once_with_nothing_but_the_url(engine: Engine) -> None:
    add_watchlist(engine, replace(FERRIES, ways=("mail:a@b.example",)), START)
    add_watchlist(engine, replace(FERRIES, name="quiet", tells=("story",)), START)
    urls = [f"https://{site}.example/1" for site in "ab"]
    assert told_of(engine, copy_on("a"), copy_on("b", OTHER), copy_on("x", story(4))) == [
        ("story", "a"),
        ("story", "a"),
        ("story", "b"),
        ("story", "b"),
    ]
    gone = rejection(urls[0], START + HOUR, page=None, reason=Reason.ERROR_PAGE, is_gone=True)
    assert told_of(engine, gone) == [("removal", "a")]
    # It comes back, and is taken down again.
    again = copy_on("a", hours=2, body="back again")
    assert told_of(engine, again) == []
    assert told_of(engine, replace(gone, at=START + 3 * HOUR)) == [("removal", "a")]

    writer.remove_articles(engine, [1, 2, 3], SETTINGS)
    match_news(engine)
    with engine.connect() as connection:
        left = connection.execute(select(schema.notification)).all()
        assert connection.execute(select(schema.watch_match)).all() == []
    # What was told of the texts is gone with them.
    assert {row.kind for row in left} == {"removal"}
    assert all(row.body.keys() == {"watchlist", "article"} for row in left)
    assert all(row.body["article"].keys() == {"url"} for row in left)
    assert sorted(row.body["article"]["url"] for row in left) == [urls[0], urls[0], urls[1]]


def test_removals_of_what_was_not_told_are_not_told(engine: Engine) -> None:
    add_watchlist(engine, replace(FERRIES, min_sites=2), START)
    assert told_of(engine, copy_on("a")) == []
    writer.remove_articles(engine, [1], SETTINGS)
    assert told_of(engine) == []


def test_a_run_matches_at_its_end(engine: Engine) -> None:
    add_watchlist(engine, FERRIES, START)
    run = writer.start_run(engine, "ingest", START)
    counts = writer.write_batch(engine, run, [copy_on("a")], SETTINGS)
    assert told(engine) == []
    writer.finish_run(engine, run, counts, START)
    assert told(engine) == [("story", "a")]


def test_matching_that_fails_fails_no_run(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    add_watchlist(engine, FERRIES, START)
    for error in (DatabaseError("the disk is full"), ValueError("a fault of ours")):
        with monkeypatch.context() as patch:

            def fail(*_: object, error: Exception = error) -> None:
                raise error

            patch.setattr(matching, "_step", fail)
            store(engine, [copy_on("a")])
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.ERROR]
    assert "the disk is full" in caplog.messages[0]
    assert told_of(engine) == [("story", "a")]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_how_much_a_step_takes_changes_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(matching, "_AT_ONCE", size)
    add_watchlist(engine, replace(FERRIES, min_sites=2), START)
    made: Sequence[Article] = [
        copy_on(f"{name}{n}", cut("Norhaven news.\n" + story(n), share), hours=at)
        for n in range(5)
        for at, (name, share) in enumerate((("a", 0.7), ("b", 1.0), ("c", 0.8)))
    ]
    put(engine, *made)
    done = match_news(engine)

    stories = [one for one in told(engine) if one[0] == "story"]
    assert sorted({url[1:] for _, url in stories}) == [str(n) for n in range(5)]
    assert len(stories) == 5
    assert done.news == len(made)
    assert match_news(engine).news == 0
    assert reader.counts(engine).articles == len(made)
