"""Forgotten articles are not stored again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from pipeline.document import Article, Origin, Outcome, Reason
from storage import reader
from storage.upkeep import ForgetTarget, lift_tombstones
from storage.upkeep.pages import count_pruned
from storage.writing.tombstones import list_tombstones, withheld_urls
from tests.storage.news import article, page, store, story, view
from tests.storage.upkeep.rows_of_tables import NOW, rows
from tests.storage.upkeep.spellings import SPELLINGS, gone


@pytest.mark.parametrize("made", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_forgotten_article_is_not_stored_from_any_source(
    engine: Engine, made: Callable[[str, str], Outcome]
) -> None:
    url, text = "https://a.example/s/1", story(5)
    outcome = made(url, text)
    store(engine, [article("https://a.example/s/2", story(6))])
    gone(engine, url, reason="asked by the court")
    counts = store(engine, [outcome])

    assert counts.reasons == {Reason.FORGOTTEN: 1}
    assert counts.faults == 0
    assert [row["url"] for row in view(engine, "articles")] == ["https://a.example/s/2"]
    (row,) = view(engine, "rejections")
    assert (row["reason"], row["location"]) == ("forgotten", outcome.location)
    assert text[:40] not in str(row)
    assert rows(engine, "page") == 1
    assert store(engine, [outcome]).unchanged == 1, "it is known, and not counted at every run"
    assert count_pruned(engine, "other") == 0
    if outcome.page and outcome.page.origin is not Origin.JSONL:
        key = reader.SourceKey(outcome.location, outcome.page.sha256)
        assert reader.known(engine, [key]) == {key}, "so it is not even processed"

    assert lift_tombstones(engine, ForgetTarget(urls=(url,))) == [url]
    assert list_tombstones(engine) == []
    assert store(engine, [outcome]).reasons.get(Reason.FORGOTTEN) is None
    if isinstance(outcome, Article):
        assert len(view(engine, "articles")) == 2


def test_all_urls_of_a_forgotten_article_are_refused(engine: Engine) -> None:
    url, alias = "https://a.example/s/1", "https://a.example/print.php?id=1"
    store(engine, [article(url, story(1), location=alias, page=page(story(1), url=alias))])
    gone(engine, url, reason="wrong name")

    (stone,) = list_tombstones(engine)
    assert (stone.value, stone.aliases, stone.reason, stone.at) == (url, (alias,), "wrong name", NOW)
    assert store(engine, [article(alias, story(2))]).reasons == {Reason.FORGOTTEN: 1}
    asked = [url, alias, "https://a.example/s/2"]
    assert withheld_urls(engine, asked) == {url, alias}
    assert lift_tombstones(engine, ForgetTarget(urls=(alias,))) == [alias]
    assert (list_tombstones(engine), view(engine, "rejections"), withheld_urls(engine, asked)) == (
        [],
        [],
        set(),
    )
