"""Outcomes that are settled in buckets give the rows that a writer stores of them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from pipeline.batch import outcomes_table
from pipeline.document import Article, Outcome, Reason
from storage.base import checked
from storage.bulk import IDS, PAGE_IDS, PUBLIC, Settled, Tables, settle_bucket, tables_of_bucket
from storage.database import open_database
from storage.writer import BatchCounts
from tests.storage.bulk.rows import ordered, rows_of_database, rows_of_tables, views_of_database
from tests.storage.bulk.worlds import worlds, worlds_of_rules
from tests.storage.news import SETTINGS, store

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


def ranks(keys: Sequence[pa.ChunkedArray], schema: pa.Schema) -> pa.Table:
    every = np.sort(np.concatenate([key.to_numpy() for key in keys]))
    return pa.table([every, np.arange(1, every.size + 1)], schema=schema)


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
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_buckets_give_what_a_writer_stores(
    outcomes: list[Outcome], batch: int, chance: random.Random, sqlite_template: Path, tmp_path: Path
) -> None:
    assert_stored_so(sqlite_template, tmp_path, outcomes, batch, chance)


@given(outcomes=worlds_of_rules(), chance=st.randoms(use_true_random=False))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rules_that_differ_give_what_a_writer_stores_in_one_batch(
    outcomes: list[Outcome], chance: random.Random, sqlite_template: Path, tmp_path: Path
) -> None:
    """An article that loses all its texts, and gets others, is a new one only in a different batch."""
    assert_stored_so(sqlite_template, tmp_path, outcomes, len(outcomes) or 1, chance)


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
