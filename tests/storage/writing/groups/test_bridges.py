"""Which pairs join is kept as articles come and go, where pages hold several stories."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, text, update

from pipeline import copies
from pipeline.copies import Cut, Passage
from pipeline.document import Article
from storage import schema
from storage.database import begin_write, insert_rows
from storage.writing.groups import wrong_cuts
from storage.writing.groups.bridges import cut_pairs, settle_bridges
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


@pytest.mark.parametrize("seed", range(4))
def test_what_the_database_leaves_out_has_no_cut(engine: Engine, seed: int) -> None:
    """All pairs of every article decide as they do in `copies.bridges`, which reads all of them."""
    store(engine, [article(f"https://a.example/{n}", story(n)) for n in range(1, 6)])
    draw, found = random.Random(seed), 0
    with begin_write(engine) as connection:
        ids = list(connection.scalars(select(schema.article.c.id)))
        for _ in range(40):
            rows = [drawn_pair(draw, a, b) for a, b in itertools.combinations(ids, 2) if draw.random() < 0.6]
            connection.execute(delete(schema.pair))
            insert_rows(connection, schema.pair, rows)
            expected = pairs_cut(rows)
            assert set(wrong_cuts(connection, ids)) == expected
            found += len(expected)
    assert found


def drawn_pair(draw: random.Random, a: int, b: int) -> dict[str, Any]:
    """A pair of texts of 100 words; one in ten was stored before passages were known."""

    def passage() -> tuple[int | None, int | None]:
        start = draw.randrange(80)
        return (None, None) if draw.random() < 0.1 else (start, draw.randrange(start + 10, 101))

    return {
        "a": a,
        "b": b,
        "kind": "near",
        "jaccard": 1.0,
        "containment": 1.0,
        **dict(zip(("a_start", "a_end"), passage(), strict=True)),
        **dict(zip(("b_start", "b_end"), passage(), strict=True)),
        "holder": draw.choice([a, b, None]),
        "cut": None,
    }


def pairs_cut(rows: Sequence[Mapping[str, Any]]) -> set[tuple[int, int]]:
    """The pairs that either of the two cuts, by the plain function over all pairs."""
    shared: dict[int, dict[int, Passage]] = {}
    for row in rows:
        for one, other, end in ((row["a"], row["b"], "a"), (row["b"], row["a"], "b")):
            start, stop = row[f"{end}_start"], row[f"{end}_end"]
            shared.setdefault(one, {})[other] = Passage(0, 1 << 40) if start is None else Passage(start, stop)
    held = {(row["holder"], ({row["a"], row["b"]} - {row["holder"]}).pop()) for row in rows if row["holder"]}
    cut = copies.bridges(shared, held, {(row["a"], row["b"]) for row in rows})
    return {(min(pair), max(pair)) for pair in cut}


def test_a_pair_stored_before_passages_were_known_overlaps_everything(engine: Engine) -> None:
    store(engine, [ONE, TWO, PAGE])
    with begin_write(engine) as connection:
        connection.execute(text("UPDATE pair SET a_start = NULL, a_end = NULL, b_start = NULL, b_end = NULL"))
        ids = list(connection.scalars(select(schema.article.c.id)))
        assert len(settle_bridges(connection, ids).joined) == 1
