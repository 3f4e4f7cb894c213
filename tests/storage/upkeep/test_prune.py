"""Old pages are deleted, and their articles stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from storage import reader, schema
from storage.base import space
from storage.upkeep import Pruned, plan_prune, prune_pages
from storage.upkeep import prune as pruning
from tests.storage.news import START, article, contents, store, story, view
from tests.storage.upkeep.aged import aged
from tests.storage.upkeep.rows_of_tables import NOW, rows, values


def test_pages_are_deleted_by_age_and_articles_stay(engine: Engine) -> None:
    store(engine, aged(10))
    before = contents(engine)
    plan = plan_prune(engine, older_than=START + timedelta(days=4))

    assert (plan.pages, plan.kept_pages) == (4, 6)
    assert (plan.oldest, plan.newest) == (START, START + timedelta(days=3))
    assert plan.size > 0
    assert plan.kept_size > 0
    assert rows(engine, "page") == 10, "a plan drops nothing"

    assert prune_pages(engine, plan) == Pruned(4, plan.size, is_interrupted=False)
    assert rows(engine, "page") == 6
    assert contents(engine) == before
    assert prune_pages(engine, plan) == Pruned(0, 0, is_interrupted=False)
    found = {
        url: reader.article_by_url(engine, url) for url in ("https://a.example/3", "https://a.example/4")
    }
    kept = [reader.document(engine, found_.id) is not None for found_ in found.values() if found_]
    assert kept == [False, True]


def test_the_newest_pages_are_kept_up_to_a_total_size(engine: Engine) -> None:
    store(engine, list(reversed(aged(10))))
    with engine.connect() as connection:
        sizes = connection.execute(
            select(func.length(schema.page.c.body)).order_by(schema.page.c.fetched_us.desc())
        ).scalars()
        newest = list(sizes)
    room = sum(newest[:4])

    for spare, kept in ((0, 4), (-1, 3), (newest[4], 5), (newest[4] - 1, 4)):
        plan = plan_prune(engine, keep_size=room + spare)
        assert (plan.kept_pages, plan.kept_size) == (kept, sum(newest[:kept]))
    assert plan_prune(engine, keep_size=0).kept_pages == 0
    assert plan_prune(engine, keep_size=sum(newest)).pages == 0
    both = plan_prune(engine, keep_size=room, older_than=START + timedelta(days=8))
    assert both.kept_pages == 2, "what either of the two drops, goes"
    prune_pages(engine, plan_prune(engine, keep_size=room))
    assert values(engine, schema.page.c.location) == {f"https://a.example/{n}" for n in (6, 7, 8, 9)}


def test_pruning_can_be_stopped_and_continued(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "_PAGES_AT_ONCE", 3)
    store(engine, aged(10))
    plan = plan_prune(engine, older_than=NOW)
    told: list[int] = []

    first = prune_pages(engine, plan, advance=told.append, is_stopped=lambda: len(told) == 2)
    assert (first.pages, first.is_interrupted) == (6, True)
    store(engine, [article("https://a.example/new", story(99), START)])
    second = prune_pages(engine, plan)
    assert (second.pages, second.is_interrupted) == (4, False)
    assert first.size + second.size == plan.size
    assert values(engine, schema.page.c.location) == {"https://a.example/new"}, "it came after the plan"


def test_pruned_documents_are_known_and_not_stored_again(engine: Engine) -> None:
    outcomes = aged(6)
    store(engine, outcomes)
    keys = [reader.source_key(reader.document(engine, n)) for n in range(1, 6)]  # type: ignore[arg-type]
    prune_pages(engine, plan_prune(engine, older_than=NOW))

    assert reader.known(engine, keys) == set(keys)
    counts = store(engine, outcomes)
    assert (counts.unchanged, rows(engine, "page")) == (6, 0)
    fetched_again = [replace(o, page=replace(o.page, fetched_at=NOW)) for o in outcomes if o.page][1:]
    assert store(engine, fetched_again).unchanged == 5
    assert rows(engine, "page") == 5, "a page that is fetched again is a page of today"


def test_older_revisions_lose_their_pages_too(engine: Engine) -> None:
    url = "https://a.example/1"
    store(engine, [article(url, story(n), START + timedelta(days=n)) for n in range(3)])
    prune_pages(engine, plan_prune(engine, older_than=START + timedelta(hours=36)))

    assert values(engine, schema.page.c.fetched_us) == {
        (START + timedelta(days=2) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    }
    assert values(engine, schema.revision.c.page_id) == {None}
    assert [row["revision"] for row in view(engine, "articles")] == [3]


def test_a_database_is_rewritten_smaller(engine: Engine) -> None:
    store(engine, [article(f"https://b.example/{n}", story(n, 600), START) for n in range(40)])
    before = space.disk_space(engine)
    prune_pages(engine, plan_prune(engine, older_than=NOW))
    if engine.dialect.name == "sqlite":
        freed = space.disk_space(engine)
        assert freed.size >= before.size
        assert freed.free
        assert freed.free > (before.free or 0)
    space.rewrite(engine)
    if engine.dialect.name == "sqlite":
        assert space.disk_space(engine).size < before.size
        assert Path(engine.url.database or "").stat().st_size == space.disk_space(engine).size
    assert len(view(engine, "articles")) == 40
