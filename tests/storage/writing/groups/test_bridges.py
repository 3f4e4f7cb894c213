"""Which pairs join is kept as articles come and go, where pages hold several stories."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from sqlalchemy import Engine, select, text, update

from pipeline.document import Article
from storage import schema
from storage.database import begin_write
from storage.writing.groups import wrong_cuts
from storage.writing.groups.bridges import Cut, cut_pairs, settle_bridges
from tests.storage.news import article, contents, retold, store, story, view

ONE, TWO = article("https://a.example/1", story(1)), article("https://b.example/2", story(2, 150))
PAGE = article("https://briefs.example/1", f"{ONE.text}\n{TWO.text}")
TOGETHER = {frozenset({ONE.url, PAGE.url}), frozenset({TWO.url})}


def groups(engine: Engine) -> set[frozenset[str]]:
    found: set[frozenset[str]] = contents(engine)["groups"]
    return found


def joins(engine: Engine) -> dict[frozenset[str], bool]:
    urls = {row["id"]: row["url"] for row in view(engine, "articles")}
    return {
        frozenset({urls[row["article_id"]], urls[row["other_id"]]}): row["joins"]
        for row in view(engine, "copies")
    }


def all_wrong(engine: Engine) -> list[tuple[int, int]]:
    with engine.connect() as connection:
        return wrong_cuts(connection, connection.scalars(select(schema.article.c.id)))


@pytest.mark.parametrize("order", list(itertools.permutations([ONE, TWO, PAGE])), ids=lambda made: "")
def test_a_page_joins_the_larger_of_its_stories_in_any_order(
    engine: Engine, order: Sequence[Article]
) -> None:
    store(engine, order, batch=1)
    assert groups(engine) == TOGETHER
    assert joins(engine) == {frozenset({ONE.url, PAGE.url}): True, frozenset({TWO.url, PAGE.url}): False}
    assert all_wrong(engine) == []


def test_a_page_joins_the_other_story_when_the_first_is_taken_out(engine: Engine) -> None:
    store(engine, [ONE, TWO, PAGE])
    store(engine, [retold(ONE, story(7), rules_version="2-next")])
    assert groups(engine) == {frozenset({TWO.url, PAGE.url}), frozenset({ONE.url})}
    assert all_wrong(engine) == []


def test_the_article_that_holds_several_stories_is_the_one_that_cuts(engine: Engine) -> None:
    store(engine, [TWO, ONE, PAGE])
    with begin_write(engine) as connection:
        rows = connection.execute(select(schema.article.c.url, schema.article.c.id))
        ids = {row.url: row.id for row in rows}
        pair = (ids[TWO.url], ids[PAGE.url])
        assert cut_pairs(connection, ids.values()) == {pair}
        assert connection.scalar(select(schema.pair.c.cut).where(schema.pair.c.a == pair[0])) == Cut.BY_B

        # What was decided before stands; what was damaged is decided as before.
        assert settle_bridges(connection, ids.values()).cut == frozenset()
        connection.execute(update(schema.pair).values(cut=None))
        assert wrong_cuts(connection, ids.values()) == [pair]
        assert settle_bridges(connection, [ids[TWO.url]]).cut == {pair}
        connection.execute(update(schema.pair).values(cut=int(Cut.BY_A)))
        settled = settle_bridges(connection, ids.values())
        assert settled.decided == set(pair)
        assert settled.cut == frozenset()
        assert settled.joined == {(ids[ONE.url], ids[PAGE.url])}


def test_a_pair_stored_before_passages_were_known_overlaps_everything(engine: Engine) -> None:
    store(engine, [ONE, TWO, PAGE])
    with begin_write(engine) as connection:
        connection.execute(text("UPDATE pair SET a_start = NULL, a_end = NULL, b_start = NULL, b_end = NULL"))
        ids = list(connection.scalars(select(schema.article.c.id)))
        assert len(settle_bridges(connection, ids).joined) == 1
