"""A database that was loaded is as one that got the same outcomes one after another."""

from __future__ import annotations

import itertools
import json
import os
import resource
import signal
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, text

from pipeline.document import Outcome, Reason
from pipeline.errors import OperatorError
from storage import reader
from storage.bulk.loading import Loaded, load, plan_load, rows
from storage.database import (
    DatabaseError,
    begin_write,
    connect,
    open_database,
    open_read_only,
    transactions,
    upgrade,
)
from storage.upkeep import ForgetTarget, check_integrity, forget_targets, plan_prune, prune_pages
from storage.writing import learn
from tests.storage.bulk import folders
from tests.storage.bulk.comparison import ALL, differences, private_differences, schema_of
from tests.storage.bulk.folders import folder_of
from tests.storage.news import SETTINGS, START, article, rejection, store, story, view, wire
from tests.storage.writing.learning.told import FURNITURE, told
from tests.storage.writing.test_quarantine import hung


def world() -> list[Outcome]:
    """Copies, revisions, rejections with and without a page, learned lines, and what hung twice."""
    later = START + timedelta(hours=9)
    made: list[Outcome] = [*wire(25)]
    made += [told(n, FURNITURE, 'A line of Zoë\'s\n\\.\n\t"quoted" \\N') for n in range(8)]
    made += [article(f"https://post.example/{n}", story(77 + n), later, title=f"Anew {n}") for n in range(4)]
    made += [rejection(f"https://post.example/list/{n}", START) for n in range(5)]
    made += [rejection("empty.html", page=None, reason=Reason.EMPTY, url=None)]
    made += [hung("news/slow.html"), hung("news/slow.html", at=later), hung("news/once.html")]
    made += [article("https://gazette.example/bare", story(5), authors=(), keywords=None, rights=None)]
    made += [article("nowhere.html", story(6), site="", fingerprint=None, published_at=None)]
    made += [rejection("https://post.example/1", later, is_gone=True, page=None, reason=Reason.UNREACHABLE)]
    return made


@pytest.fixture
def ingested(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """A database that got the world by the writer."""
    (tmp_path / "ingested.db").write_bytes(sqlite_template.read_bytes())
    engine = open_database(f"sqlite:///{tmp_path / 'ingested.db'}")
    store(engine, world(), batch=9)
    learn(engine, soon=True)
    yield engine
    engine.dispose()


def loaded(engine: Engine, folder: Path, **options: Any) -> Loaded:
    return load(engine, plan_load(engine, folder, SETTINGS), SETTINGS, **options)


def test_an_empty_database_is_filled_as_the_writer_fills_it(
    engine: Engine, ingested: Engine, tmp_path: Path
) -> None:
    folder = folder_of(ingested, world(), tmp_path / "folder")
    before = schema_of(engine)
    plan = plan_load(engine, folder, SETTINGS)
    rows: list[int] = []
    done = load(engine, plan, SETTINGS, connections=3, command="load folder", advance=rows.append)

    assert not done.merged
    assert sum(rows) == plan.total > 1000
    require_same(engine, ingested)
    assert schema_of(engine) == before
    (run,) = view(engine, "runs")
    assert (run["id"], run["command"], run["seen"]) == (done.run_id, "load folder", len(world()))
    for words in ("harbour friend", "Zoë", "ferry OR cable"):
        found, wanted = (reader.search(one, words, limit=99) for one in (engine, ingested))
        assert {hit.article.id for hit in found} == {hit.article.id for hit in wanted} != set()


def require_same(engine: Engine, wanted: Engine, views: Collection[str] = ALL) -> None:
    assert differences(wanted, engine, views) == {}
    assert private_differences(wanted, engine) == {}
    assert [finding for finding in check_integrity(engine) if finding.count] == []


def test_rows_of_many_parts_are_sorted_by_the_database(
    engine: Engine, ingested: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MERGED", 2)
    folder = folder_of(ingested, world(), tmp_path / "folder")
    before = schema_of(engine)
    loaded(engine, folder)
    require_same(engine, ingested)
    assert schema_of(engine) == before


def test_a_folder_of_many_parts_takes_few_open_files(
    engine: Engine, ingested: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MERGED", 4)
    monkeypatch.setattr(folders, "PARTS", 40)
    folder = folder_of(ingested, world(), tmp_path / "folder")
    assert len(list(folder.glob("rows/page/*.parquet"))) == 40
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = set(map(int, os.listdir("/proc/self/fd")))
    free = itertools.islice((number for number in itertools.count() if number not in taken), 25)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(free), usual[1]))
    try:
        loaded(engine, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)
    require_same(engine, ingested)


def test_parts_without_rows_are_loaded(engine: Engine, ingested: Engine, tmp_path: Path) -> None:
    """An input with nothing but rejections has no page, and a bucket may have nothing at all."""
    folder = folder_of(ingested, world(), tmp_path / "folder")
    for dataset in ("outcomes", "pages", "articles", "rows/article", "rows/page", "rows/search_entry"):
        first = min((folder / dataset).iterdir())
        pq.write_table(pq.read_schema(first).empty_table(), first.with_name("none.parquet"))
    loaded(engine, folder)
    require_same(engine, ingested)


def test_everything_goes_on_from_a_loaded_database(engine: Engine, ingested: Engine, tmp_path: Path) -> None:
    """New articles, other texts, lines learned, pages pruned and articles forgotten: as in the other."""
    loaded(engine, folder_of(ingested, world(), tmp_path / "folder"))
    later = START + timedelta(days=2)
    more: list[Outcome] = [replace(one, url=f"{one.url}/copy", location="x") for one in wire(6)]
    more += [told(n, FURNITURE, at=later) for n in range(20, 26)]
    more += [article("https://post.example/2", story(990), later), rejection("https://post.example/3", later)]
    for one in (engine, ingested):
        store(one, more, batch=7)
        learn(one)
        forget_targets(
            one, ForgetTarget(("https://post.example/1",), ("site3.example",)), settings=SETTINGS, now=START
        )
        prune_pages(one, plan_prune(one, older_than=later))
        store(one, more[:9], batch=7)
    require_same(engine, ingested)
    (before, after) = (view(engine, "changes"), view(ingested, "changes"))
    assert {row["article_id"] for row in before} == {row["article_id"] for row in after}


def test_a_killed_load_is_taken_up(
    engine: Engine, database_url: str, ingested: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is killed early and late. On SQLite nothing is left, on PostgreSQL the next load goes on."""
    monkeypatch.setattr(transactions, "_BACK_OFF", (0.0,))
    folder = folder_of(ingested, world(), tmp_path / "folder")
    before = schema_of(engine)
    kills, steps, journals = 0, 1, 0
    engine.dispose()  # nobody else has the file open
    while is_killed(database_url, folder, steps):
        kills += 1
        steps += 5
        if engine.dialect.name == "sqlite":
            journals += (tmp_path / "copydesk.db-journal").exists()
            assert schema_of(engine) == before
            assert view(engine, "runs") == view(engine, "articles") == []
            engine.dispose()
            continue
        for opening in (open_database, partial(open_read_only, seconds=1), lambda url: upgrade(connect(url))):
            with pytest.raises(DatabaseError, match="run the same copydesk load again"):
                opening(database_url)
        with pytest.raises(DatabaseError, match="unfinished load"):
            store(engine, world()[:1])
    assert kills >= 4
    # Without the log, so that every page is written once.
    assert journals == (kills if engine.dialect.name == "sqlite" else 0)
    require_same(engine, ingested)
    assert schema_of(engine) == before
    (run,) = view(engine, "runs")
    assert run["finished_at"] is not None


def is_killed(url: str, folder: Path, steps: int) -> bool:
    """Loads in a process that is killed after so many looks for a signal; whether it came so far."""
    child = os.fork()
    if not child:
        status = 1
        try:
            left = itertools.count(steps, -1)

            def is_stopped() -> bool:
                if next(left) == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return False

            loaded(open_database(url, unfinished=True), folder, connections=2, is_stopped=is_stopped)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL)
    return status != 0


def test_a_signal_ends_a_load(engine: Engine, database_url: str, ingested: Engine, tmp_path: Path) -> None:
    folder = folder_of(ingested, world(), tmp_path / "folder")
    looks = itertools.count()
    done = loaded(engine, folder, is_stopped=lambda: next(looks) > 9)
    assert done.is_interrupted
    again = open_database(database_url, unfinished=True)
    assert not loaded(again, folder).is_interrupted
    require_same(again, ingested)
    again.dispose()


def test_an_unfinished_load_of_another_folder_is_refused(
    engine: Engine, ingested: Engine, tmp_path: Path
) -> None:
    folder = folder_of(ingested, world(), tmp_path / "folder")
    plan = plan_load(engine, folder, SETTINGS)
    assert load(engine, plan, SETTINGS, is_stopped=lambda: True).is_interrupted
    manifest = folder / "manifest.json"
    manifest.write_text(f"{manifest.read_text()}\n")
    if engine.dialect.name == "postgresql":
        with pytest.raises(DatabaseError, match="unfinished load of another folder"):
            plan_load(engine, folder, SETTINGS)
    else:
        assert not plan_load(engine, folder, SETTINGS).merges


def test_a_load_that_another_release_began_is_left_to_it(
    engine: Engine, ingested: Engine, tmp_path: Path
) -> None:
    folder = folder_of(ingested, world(), tmp_path / "folder")
    plan = plan_load(engine, folder, SETTINGS)
    assert load(engine, plan, SETTINGS, is_stopped=lambda: True).is_interrupted
    if engine.dialect.name == "sqlite":  # nothing is left of it
        assert not loaded(engine, folder).is_interrupted
        return
    with engine.begin() as connection:
        connection.execute(text("UPDATE unfinished_load SET said = '0020' WHERE name = 'schema'"))
    with pytest.raises(DatabaseError, match=r"schema 0020, .* finish it with that Copydesk"):
        load(engine, plan, SETTINGS)


def test_a_second_writer_is_refused_during_a_load(engine: Engine, ingested: Engine, tmp_path: Path) -> None:
    """A load does not begin while a writer writes, and a writer does not while a load goes on."""
    folder = folder_of(ingested, world(), tmp_path / "folder")
    plan = plan_load(engine, folder, SETTINGS)
    if engine.dialect.name == "postgresql":
        with begin_write(engine), pytest.raises(DatabaseError, match="held by another program"):
            load(engine, plan, SETTINGS)
    store(engine, world()[:1])
    with pytest.raises(DatabaseError, match="run the same command again"):
        load(engine, plan, SETTINGS)
    assert plan_load(engine, folder, SETTINGS).merges


@pytest.mark.parametrize("is_held", [False, True])
def test_a_filled_database_gets_what_ingest_would_give(
    engine: Engine, ingested: Engine, tmp_path: Path, is_held: bool
) -> None:
    """It has half of the outcomes, and a tombstone. is_held: its load is ended, and repeated."""
    outcomes = world()
    folder = folder_of(ingested, outcomes, tmp_path / "folder")
    wanted = database_like(engine, tmp_path)
    for one in (engine, wanted):
        store(one, outcomes[::2], batch=5)
        forget_targets(one, ForgetTarget((outcomes[4].url or "",), ()), settings=SETTINGS, now=START)
    store(wanted, outcomes, batch=11)
    learn(wanted, soon=True)

    plan = plan_load(engine, folder, SETTINGS)
    assert plan.merges
    assert plan.total == len(outcomes)
    if is_held:
        looks = itertools.count()
        assert load(engine, plan, SETTINGS, is_stopped=lambda: next(looks) >= 0).is_interrupted
    done = load(engine, plan, SETTINGS)
    assert done.merged
    # A run that goes on, and one that fails again, count differently.
    require_same(engine, wanted, set(ALL) - {"runs"})
    assert done.counts.seen == len(outcomes)
    ends = [row["unchanged"] for one in (engine, wanted) for row in view(one, "runs")[-1:]]
    assert is_held or ends[0] == ends[1] > 20
    assert load(engine, plan, SETTINGS).counts.stored == 0


def database_like(engine: Engine, tmp_path: Path) -> Engine:
    return open_database(f"sqlite:///{tmp_path / 'wanted.db'}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"is_complete": False}, "is not complete: run the same copydesk backfill again"),
        ({"format": 0}, "run copydesk backfill into a new folder"),
        ({"versions": {"rules": "1-old", "fingerprint": "", "group": ""}}, "was made with rules 1-old"),
        ({"settings": {"site_rules": "others"}}, "different rules of sites: .* with --sites"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused(
    ingested: Engine, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    folder = folder_of(ingested, world(), tmp_path / "folder")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert plan_load(ingested, folder, SETTINGS).merges
    (folder / "manifest.json").write_text(json.dumps({**manifest, **change}))
    with pytest.raises(OperatorError, match=said):
        plan_load(ingested, folder, SETTINGS)


def test_what_is_no_folder_of_a_backfill_is_refused(ingested: Engine, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="copydesk backfill makes one"):
        plan_load(ingested, tmp_path, SETTINGS)
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(OperatorError, match="not the manifest of a backfill"):
        plan_load(ingested, tmp_path, SETTINGS)


def test_a_database_with_other_fingerprints_is_refused(
    engine: Engine, ingested: Engine, tmp_path: Path
) -> None:
    folder = folder_of(ingested, world(), tmp_path / "folder")
    old = wire(1)[0]
    assert old.fingerprint is not None
    store(engine, [replace(old, fingerprint=replace(old.fingerprint, version="0-old"))])
    with pytest.raises(DatabaseError, match="copydesk reprocess --fingerprints"):
        plan_load(engine, folder, SETTINGS)
