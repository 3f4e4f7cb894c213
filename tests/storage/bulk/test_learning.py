"""Lines are learned from Arrow tables as they are from the database with the same articles."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from pipeline.document import Article
from storage import schema
from storage.bulk import PUBLIC
from storage.bulk.learning import (
    BLOCKS_QUERY,
    FLAGGED,
    GROUPED_QUERY,
    LEARNED,
    SIGHTED,
    SIGHTED_QUERY,
    SIGHTINGS,
    flag_groups,
    hashes_in,
    learn_sites,
    sightings_of_articles,
)
from storage.database import open_database
from storage.writing.learning import learn
from tests.storage.news import START, store, view
from tests.storage.writing.learning.test_lessons import processed
from tests.storage.writing.learning.told import FURNITURE, SITE, told

LINES = (
    FURNITURE,
    "Read more of this on our pages tomorrow",
    "The council said that it would decide in the coming weeks.",
)


def learned_from_database(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """The rows of learning in a database, with blocks by site and quarter."""
    with engine.connect() as connection:
        blocks = {row.id: row for row in connection.execute(select(schema.sight_block))}
        rows = {
            name: [dict(row._mapping) for row in connection.execute(select(schema.metadata.tables[name]))]
            for name in LEARNED
        }
    return _by_block(rows, {id: (row.site, row.quarter) for id, row in blocks.items()})


def learned_from_tables(engine: Engine, folder: Path, in_memory: int) -> dict[str, list[dict[str, Any]]]:
    """The same, learned from the public views of the database by way of files."""
    articles, removed = (
        pa.Table.from_pylist(view(engine, name), schema=PUBLIC[name]) for name in ("articles", "removed_text")
    )
    sightings = sightings_of_articles(articles, removed)
    assert sightings.schema == SIGHTINGS
    db = duckdb.connect()
    db.register("sightings", sightings)
    db.register("groups", articles.select(["id"]))
    grouped = db.sql(GROUPED_QUERY.format(buckets=1)).order("group_id").to_arrow_reader(3)
    db.register("flagged", pa.Table.from_batches(flag_groups(grouped), schema=FLAGGED))
    blocks = db.sql(BLOCKS_QUERY).to_arrow_table()
    db.register("blocks", blocks)
    joined = db.sql(SIGHTED_QUERY.format(buckets=1)).order("site, block_id, article_id").to_arrow_table()
    sighted = joined.select(SIGHTED.names).cast(SIGHTED)
    pq.write_table(sighted, folder / "sighted.parquet")
    batches = sighted.to_batches(max_chunksize=3)
    lines = pa.Table.from_batches(
        learn_sites(batches, hashes_in([str(folder / "sighted.parquet")]), in_memory=in_memory),
        schema=LEARNED["learned_line"],
    )
    made = {
        "sight_block": blocks.cast(LEARNED["sight_block"]).to_pylist(),
        "sighting": sighted.select(LEARNED["sighting"].names).to_pylist(),
        "learned_line": lines.to_pylist(),
    }
    return _by_block(made, {row["id"]: (row["site"], row["quarter"]) for row in made["sight_block"]})


def _by_block(
    rows: dict[str, list[dict[str, Any]]], blocks: dict[int, Any]
) -> dict[str, list[dict[str, Any]]]:
    for name, key in (("sight_block", "id"), ("sighting", "block_id"), ("learned_line", "block_id")):
        for row in rows[name]:
            row[key] = blocks[row[key]]
    return {name: sorted(of, key=repr) for name, of in rows.items()}


@st.composite
def articles(draw: st.DrawFn) -> list[Article]:
    """Articles of some sites and quarters, with copies among them, editions, and lines under them."""
    made = []
    for number in range(draw(st.integers(0, 30))):
        lines = draw(st.lists(st.sampled_from(LINES), max_size=3))
        made.append(
            told(
                number,
                *lines,
                site=draw(st.sampled_from((SITE, SITE, SITE, "www.gazette.example", "times.example", ""))),
                seed=draw(st.sampled_from((None, None, None, 7, 8))),
                at=START + timedelta(days=draw(st.sampled_from((0, 0, 0, 0, 100, 400)))),
            )
        )
    return made


@pytest.mark.parametrize("in_memory", [0, 1000])
@settings(
    max_examples=15,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(made=articles())
def test_the_rows_are_those_of_the_database(
    in_memory: int, made: list[Article], sqlite_template: Path, tmp_path: Path
) -> None:
    """in_memory: 0, as of a site whose hashes are read again from its files."""
    with TemporaryDirectory(dir=tmp_path) as folder:
        shutil.copyfile(sqlite_template, Path(folder, "copydesk.db"))
        engine = open_database(f"sqlite:///{folder}/copydesk.db")
        store(engine, made)
        learn(engine, soon=True)
        found, wanted = learned_from_tables(engine, tmp_path, in_memory), learned_from_database(engine)
        engine.dispose()
    assert found == wanted


def test_lines_that_were_learned_before_are_restored(engine: Engine, tmp_path: Path) -> None:
    """As a folder that was made with learned lines has them, and so has a database after reprocessing."""
    made = [told(n, "Read by the harbour", FURNITURE) for n in range(6)]
    store(engine, made)
    learn(engine)
    store(engine, [processed(engine, one) for one in made])
    learn(engine)
    assert any(row["rule"].startswith("site.learned") for row in view(engine, "removed_text"))
    found = learned_from_tables(engine, tmp_path, 1000)
    assert found == learned_from_database(engine)
    assert len(found["learned_line"]) == 2
