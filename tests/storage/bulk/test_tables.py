"""Outcomes that are settled in buckets give the rows that a writer stores of them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from pipeline.batch import INDEXED, OUTCOMES, index_entries, outcomes_table
from pipeline.document import Article, Outcome, Reason
from pipeline.text import make_search_words
from storage import schema
from storage.base import checked
from storage.bulk import (
    GROUPS,
    IDS,
    PAGE_IDS,
    PUBLIC,
    Settled,
    Tables,
    band_rows,
    settle_bucket,
    signature_rows,
    story_groups,
    tables_of_bucket,
    tables_of_pairs,
)
from storage.database import open_database
from storage.search import words_digest
from storage.writer import BatchCounts
from tests.storage.bulk.rows import Row, ordered, rows_of_database, rows_of_tables, views_of_database
from tests.storage.bulk.worlds import worlds, worlds_of_rules
from tests.storage.news import SETTINGS, article, store, story, wire

ROWS = ("article", "revision", "document", "rejection", "removal", "search_entry", "quarantine")
VIEWS = ("articles", "revisions", "removed_text", "rejections")


def buckets(outcomes: Sequence[Outcome], count: int, chance: random.Random) -> list[pa.Table]:
    """The outcomes in so many tables, all of a URL and of a location in one, each in any order."""
    of_name: dict[str, int] = {}
    number = list(range(len(outcomes)))
    changed = True
    while changed:
        changed = False
        for n, outcome in enumerate(outcomes):
            names = [f"at {outcome.location}"]
            names += [outcome.url] if isinstance(outcome, Article) else []
            least = min(number[n], *(of_name.get(name, n) for name in names))
            changed |= least != number[n] or any(of_name.get(name) != least for name in names)
            number[n] = least
            of_name.update(dict.fromkeys(names, least))
    places = [chance.randrange(count) for _ in outcomes]
    sequences = sorted(chance.sample(range(1 << 40), len(outcomes)))
    found = []
    for bucket in range(count):
        rows = [n for n in range(len(outcomes)) if places[number[n]] == bucket]
        chance.shuffle(rows)
        found.append(outcomes_table([outcomes[n] for n in rows], [sequences[n] for n in rows]))
    return found


def made_of(outcomes: Sequence[Outcome], count: int, chance: random.Random) -> list[Settled]:
    """What they are settled into, in so many buckets."""
    tables = buckets([checked(outcome) for outcome in outcomes], count, chance)
    return [settle_bucket(table, SETTINGS) for table in tables]


def ranks(keys: Sequence[pa.ChunkedArray], kind: pa.Schema) -> pa.Table:
    every = np.sort(np.concatenate([key.to_numpy() for key in keys]))
    return pa.table([every, np.arange(1, every.size + 1)], schema=kind)


def tables_of(settled: Sequence[Settled], engine: Engine) -> Tables:
    """The tables of all buckets. What is grouped how is taken from the database."""
    ids = ranks([one.articles["first"] for one in settled], IDS)
    page_ids = ranks([one.pages["sequence"] for one in settled], PAGE_IDS)
    stored = {row["url"]: row for row in views_of_database(engine, ["articles"])["articles"]}
    urls = {
        first: url
        for one in settled
        for first, url in zip(*(one.articles[name].to_pylist() for name in ("first", "url")), strict=True)
    }
    in_order = [stored[urls[first]] for first in ids["first"].to_pylist()]
    # An article that came and went between them has taken a number.
    assert [row["id"] for row in in_order] == sorted(row["id"] for row in in_order)
    ids = ids.set_column(1, "id", pa.array([row["id"] for row in in_order], pa.int64()))
    groups = pa.table({name: [row[name] for row in in_order] for name in ("id", "group_id", "is_canonical")})
    made = [tables_of_bucket(one, ids, page_ids, groups) for one in settled]
    return Tables(
        public={name: pa.concat_tables([one.public[name] for one in made]) for name in VIEWS},
        rows={name: pa.concat_tables([one.rows[name] for one in made]) for name in ("page", *ROWS)},
    )


def counts_of(settled: Sequence[Settled]) -> BatchCounts:
    total = BatchCounts()
    for row in (row for one in settled for row in one.counts.to_pylist()):
        count = row["documents"]
        reasons = {} if row["reason"] is None else {Reason(row["reason"]): count}
        total += BatchCounts(seen=count, **{row["end"]: count}, reasons=reasons)
    return total


def assert_same(engine: Engine, settled: Sequence[Settled]) -> None:
    """Every column of every view and table is what the database has."""
    made = tables_of(settled, engine)
    assert rows_of_tables(made.public, made.rows) == rows_of_database(engine, ROWS)
    stored = views_of_database(engine, VIEWS)
    for name in VIEWS:
        assert made.public[name].schema.equals(PUBLIC[name], check_metadata=True)
        assert ordered(made.public[name].to_pylist()) == ordered(stored[name])


def counted(counts: BatchCounts) -> dict[str, object]:
    """All but how many are grouped."""
    return {f.name: getattr(counts, f.name) for f in fields(counts) if f.name != "grouped"}


@given(
    outcomes=worlds(),
    batch=st.integers(1, 20),
    chance=st.randoms(use_true_random=False),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_buckets_give_what_a_writer_stores(
    outcomes: list[Outcome], batch: int, chance: random.Random, sqlite_template: Path, tmp_path: Path
) -> None:
    assert_stored_so(sqlite_template, tmp_path, outcomes, batch, chance)


@given(outcomes=worlds_of_rules(), chance=st.randoms(use_true_random=False))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rules_that_differ_give_what_a_writer_stores_in_one_batch(
    outcomes: list[Outcome], chance: random.Random, sqlite_template: Path, tmp_path: Path
) -> None:
    """An article that loses all its texts and gets others is a new one in a different batch alone.

    A writer halves a batch where an outcome cannot be stored, so they are checked before.
    """
    outcomes = [checked(outcome) for outcome in outcomes]
    assert_stored_so(sqlite_template, tmp_path, outcomes, len(outcomes) or 1, chance)


def copies(engine: Engine) -> list[Settled]:
    """Copies of some stories, stored and settled."""
    outcomes: list[Outcome] = [*wire(40), *several_stories(), undated("https://site1.example/undated")]
    store(engine, outcomes, 7)
    return made_of(outcomes, 3, random.Random(1))


def mixed(table: pa.Table) -> pa.Table:
    """The rows in a different order."""
    return table.take(random.Random(2).sample(range(table.num_rows), table.num_rows))


def assert_view(engine: Engine, name: str, table: pa.Table) -> list[Row]:
    """The table is the view, row for row; returns its rows."""
    stored = views_of_database(engine, [name])[name]
    assert table.schema.equals(PUBLIC[name], check_metadata=True)
    assert ordered(table.to_pylist()) == ordered(stored)
    return stored


def test_groups_are_those_of_a_database(engine: Engine) -> None:
    settled = copies(engine)
    assert_same(engine, settled)
    articles = tables_of(settled, engine).public["articles"]

    groups = assert_view(engine, "story_groups", story_groups(mixed(articles)))

    assert len(groups) < articles.num_rows
    assert {row["agency"] for row in groups} == {None, "Reuters", "AP"}


def test_pairs_are_those_of_a_database(engine: Engine) -> None:
    copies(engine)
    with engine.connect() as connection:
        stored = connection.execute(select(schema.pair)).mappings()
        pairs = pa.Table.from_pylist([dict(row) for row in stored])

    made = tables_of_pairs(mixed(pairs))

    shown = assert_view(engine, "copies", made.public["copies"])
    assert {row["joins"] for row in shown} == {True, False}
    assert rows_of_tables(made.public, made.rows)["pair"] == rows_of_database(engine, ["pair"])["pair"]


def test_the_index_is_that_of_a_database(engine: Engine) -> None:
    entries = [index_entries(stories_of(one, engine), SETTINGS) for one in copies(engine)]
    signatures = signature_rows(pa.concat_tables([one.signatures for one in entries]))
    bands = band_rows(pa.concat_tables([one.bands for one in entries]))

    stored = rows_of_database(engine, ["signature", "band", "sketch"])
    versions = {row["id"]: row["version"] for row in stored["sketch"]}
    for row in stored["signature"]:
        row["sketch"] = versions[row.pop("sketch_id")]
    assert signatures.to_pylist() == sorted(stored["signature"], key=lambda row: row["article_id"])
    assert ordered(bands.to_pylist()) == stored["band"]


def several_stories() -> list[Article]:
    """A text that holds two stories which others tell: it joins neither group to the other."""
    one, other = story(501), story(502)
    texts = {"one": one, "other": other, "both": one + "\n" + other, "again": one}
    return [article(f"https://{name}.example/1", text, agency="AP") for name, text in texts.items()]


def undated(url: str) -> Article:
    """An article without a date, of which nobody says who wrote it."""
    return article(url, story(9), published_at=None, agency=None)


def stories_of(settled: Settled, engine: Engine) -> pa.Table:
    """What the index needs of the articles of a bucket, with the ids of the database."""
    ids = {row["url"]: row["id"] for row in views_of_database(engine, ["articles"])["articles"]}
    texts = settled.texts.filter(settled.texts["is_current"])
    columns = {
        "id": pa.array([ids[url] for url in settled.articles["url"].to_pylist()], pa.int64()),
        "url": settled.articles["url"],
        "fetched_at": settled.articles["first_seen_at"],
        "published_at": texts["published_at"],
        "fingerprint": texts["fingerprint"],
    }
    return pa.table([columns[name] for name in INDEXED], names=INDEXED)


def test_an_article_without_an_id_is_an_error() -> None:
    (settled,) = made_of([article("https://a.example/1", "It sails.")], 1, random.Random(1))
    page_ids = ranks([settled.pages["sequence"]], PAGE_IDS)
    for ids in (IDS.empty_table(), pa.table([[1 << 50], [1]], schema=IDS)):
        with pytest.raises(ValueError, match="no id for first"):
            tables_of_bucket(settled, ids, page_ids, GROUPS.empty_table())


def test_a_group_without_a_canonical_copy_is_an_error() -> None:
    (settled,) = made_of([article("https://a.example/1", "It sails.")], 1, random.Random(1))
    ids = ranks([settled.articles["first"]], IDS)
    groups = pa.table([[1], [1], [False]], schema=GROUPS)
    made = tables_of_bucket(settled, ids, ranks([settled.pages["sequence"]], PAGE_IDS), groups)

    with pytest.raises(ValueError, match="canonical"):
        story_groups(made.public["articles"])


def test_search_words_are_those_of_the_digest() -> None:
    (settled,) = made_of([article("https://a.example/1", "It SAILS.", title="Ferry")], 1, random.Random(1))
    ids, page_ids = ranks([settled.articles["first"]], IDS), ranks([settled.pages["sequence"]], PAGE_IDS)
    (entry,) = tables_of_bucket(settled, ids, page_ids, GROUPS.empty_table()).rows["search_entry"].to_pylist()

    assert (entry["title"], entry["text"]) == ("ferry", "it sails")
    assert entry["digest"] == words_digest(make_search_words("Ferry", "It SAILS."))


def test_nothing_gives_empty_tables() -> None:
    settled = settle_bucket(OUTCOMES.empty_table(), SETTINGS)
    made = tables_of_bucket(settled, IDS.empty_table(), PAGE_IDS.empty_table(), GROUPS.empty_table())

    assert {table.num_rows for table in (*made.public.values(), *made.rows.values())} == {0}
    assert story_groups(made.public["articles"]).num_rows == 0


def assert_stored_so(
    template: Path, folder: Path, outcomes: list[Outcome], batch: int, chance: random.Random
) -> None:
    path = folder / "copydesk.db"
    shutil.copyfile(template, path)
    engine = open_database(f"sqlite:///{path}")
    try:
        counts = store(engine, outcomes, batch)

        settled = made_of(outcomes, chance.randint(1, 4), chance)

        assert_same(engine, settled)
        assert counted(counts_of(settled)) == counted(counts)
    finally:
        engine.dispose()
