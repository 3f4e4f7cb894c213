"""A database into which a backfill was loaded is as one that ingested the same files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crawler.backfill import Folder, backfill, find_parts
from crawler.backfill.engines import LocalEngine
from crawler.runs import ingest, reprocess
from crawler.sites import read_rulebook
from pipeline.settings import Settings
from storage.bulk import load, plan_load
from storage.database import open_database
from storage.upkeep import ForgetTarget, check_integrity, forget_targets
from storage.writing import learn, learning
from tests.crawler.backfill.world import World, make_world
from tests.storage.bulk.comparison import ALL, differences, private_differences, schema_of
from tests.storage.news import view

DOCUMENTS = 240
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"), DOCUMENTS)


@pytest.fixture(scope="module")
def settings(world: World) -> Settings:
    return Settings(site_rules=read_rulebook(world.sites_file))


@pytest.fixture(scope="module")
def folder(world: World, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its backfill, in several buckets."""
    made = Folder(str(tmp_path_factory.mktemp("backfill") / "out"))
    parts = find_parts(world.inputs, settings)
    with made.locked(), LocalEngine(made, workers=2, memory_bytes=256 << 20) as engine:
        backfill(engine, made, parts, settings, workers=1, rows_per_bucket=80, task_memory=64 << 20)
    assert len(list(Path(made.root, "articles").iterdir())) > 1
    return Path(made.root)


@pytest.fixture(scope="module")
def ingested_file(
    world: World, settings: Settings, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A database of its ingest."""
    path = tmp_path_factory.mktemp("ingested") / "news.db"
    shutil.copyfile(sqlite_template, path)
    engine = open_database(f"sqlite:///{path}")
    ingest(engine, world.inputs, workers=2, settings=settings)
    engine.dispose()
    return path


@pytest.fixture
def ingested(ingested_file: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copyfile(ingested_file, tmp_path / "ingested.db")
    engine = open_database(f"sqlite:///{tmp_path / 'ingested.db'}")
    yield engine
    engine.dispose()


def require_same(engine: Engine, wanted: Engine) -> None:
    assert differences(wanted, engine) == {}
    assert private_differences(wanted, engine) == {}
    assert [finding for finding in check_integrity(engine) if finding.count] == []


def test_a_loaded_database_is_an_ingested_one(
    engine: Engine, folder: Path, ingested: Engine, settings: Settings, tmp_path: Path
) -> None:
    before = schema_of(engine)
    load(engine, plan_load(engine, folder, settings), settings, connections=2)
    require_same(engine, ingested)
    assert schema_of(engine) == before
    (run,) = view(engine, "runs")
    assert min(run[end] for end in ("stored", "revised", "unchanged", "rejected")) > 0
    assert any(group["size"] > 2 for group in view(engine, "story_groups"))
    assert learn(engine).articles == 0

    more = make_world(tmp_path / "more", 24, seed=2)
    for one in (engine, ingested):
        # Texts without the lines that were learned, and other texts of URLs that are there.
        reprocess(one, workers=2, settings=settings)
        ingest(one, more.inputs, workers=2, settings=settings)
    require_same(engine, ingested)
    assert any(line["rule"].startswith("site.learned") for line in view(engine, "removed_text"))


def test_what_is_merged_is_as_if_ingested(
    engine: Engine, folder: Path, world: World, settings: Settings, tmp_path: Path
) -> None:
    """The database has half of the files, and has forgotten an article and a site."""
    wanted = open_database(f"sqlite:///{tmp_path / 'wanted.db'}")
    half = world.inputs[: len(world.inputs) // 2]
    for one in (engine, wanted):
        ingest(one, half, workers=2, settings=settings)
        urls = sorted(row["url"] for row in view(one, "articles"))
        sites = sorted({row["site"] for row in view(one, "articles")})
        forget_targets(one, ForgetTarget((urls[0],), (sites[-1],)), settings=settings, now=NOW)
    ingest(wanted, world.inputs, workers=2, settings=settings)
    done = load(engine, plan_load(engine, folder, settings), settings)
    assert done.merged
    assert done.counts.stored > 50
    for one in (engine, wanted):
        # The folder does not know the lines that the first half had taught.
        learn(one)
        reprocess(one, workers=2, settings=settings)
        learn(one)
    assert differences(wanted, engine, set(ALL) - {"runs"}) == {}
    assert learning.site_lines(engine) == learning.site_lines(wanted) != []
    assert {row["reason"] for row in view(engine, "rejections")} >= {"forgotten"}
    assert [finding for finding in check_integrity(engine) if finding.count] == []
    wanted.dispose()
