"""Writing the changes of a batch: texts, their order, and the outcome of each location."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from pipeline.document import Outcome, Reason, Removed, Stage
from storage import reader, schema, writer
from tests.storage.news import SETTINGS, START, article, page, rejection, store, story, view

URL = "https://harbour.example/ferry"
LATER = START + timedelta(days=1)


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


@pytest.mark.parametrize("batch", [1, 4])
def test_the_latest_fetch_is_current_in_any_order(engine: Engine, batch: int) -> None:
    for number, order in enumerate(itertools.permutations(range(4))):
        url = f"{URL}/{number}"
        # The first text comes back at the end, and the text before it stays an older one.
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


def test_new_rules_may_find_a_different_url_in_the_same_bytes(engine: Engine) -> None:
    old = article("https://harbour.example/?id=1", story(1), location="saved.html")
    kept = article("https://harbour.example/?id=1", story(2), LATER, location="later.html")
    store(engine, [old, kept])

    store(engine, [replace(old, url=URL, rules_version="2-next")])

    rows = {row["url"]: row for row in view(engine, "articles")}
    assert set(rows) == {URL, "https://harbour.example/?id=1"}
    assert rows[URL]["text"] == story(1)
    assert rows["https://harbour.example/?id=1"]["revision"] == 1


def test_an_article_that_new_rules_reject_is_removed_and_its_group_splits(engine: Engine) -> None:
    texts = [story(1), story(1), story(1)]
    made = [article(f"https://s{n}.example/a", text) for n, text in enumerate(texts)]
    store(engine, made)
    gone = rejection(made[0].location, reason=Reason.SECTION_FRONT, rules_version="2-next", page=made[0].page)

    counts = store(engine, [gone])

    assert counts.rejected == 1
    assert {row["url"] for row in view(engine, "articles")} == {made[1].url, made[2].url}
    assert {row["group_id"] for row in view(engine, "articles")} == {2}
    assert len(view(engine, "unique_articles")) == 1


def test_an_older_text_is_current_again_after_the_newer_one_is_removed(engine: Engine) -> None:
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


def test_a_rejection_is_the_present_outcome_of_its_location(engine: Engine) -> None:
    store(engine, [rejection(URL)])
    assert [row["reason"] for row in view(engine, "rejections")] == ["no article"]

    store(engine, [rejection(URL, LATER, reason=Reason.ERROR_PAGE, page=None)])
    assert [row["reason"] for row in view(engine, "rejections")] == ["error page"]

    store(engine, [article(URL, story(1), LATER + timedelta(hours=1))])
    assert view(engine, "rejections") == []
    assert count(engine, schema.page) == 1


def test_a_later_rejection_leaves_the_article_of_different_bytes(engine: Engine) -> None:
    store(engine, [article(URL, story(1)), rejection(URL, LATER, reason=Reason.ERROR_PAGE)])

    assert len(view(engine, "articles")) == 1
    assert [row["reason"] for row in view(engine, "rejections")] == ["error page"]


def test_outcomes_of_one_location_do_not_depend_on_the_order(engine: Engine) -> None:
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


def test_a_timeout_removes_nothing_and_is_deleted_after_the_next_success(engine: Engine) -> None:
    made = article(URL, story(1))
    store(engine, [made])
    timeout = rejection(URL, reason=Reason.TIMEOUT, stage=Stage.WORKER, page=made.page)

    assert store(engine, [timeout]).unchanged == 1
    assert view(engine, "rejections") == []

    store(engine, [made])  # or the second timeout in a row would put it into quarantine
    store(engine, [replace(timeout, rules_version="2-next")])
    assert len(view(engine, "articles")) == 1
    assert [row["reason"] for row in view(engine, "rejections")] == ["timeout"]

    store(engine, [replace(made, rules_version="2-next")])
    assert view(engine, "rejections") == []
