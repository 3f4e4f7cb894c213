"""Killed writers, concurrent writers, and a server that stops: nothing is lost or stored twice."""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.exc import OperationalError

from pipeline.document import Outcome
from storage import reader, writer
from storage.database import begin_write, open_database, transactions
from tests.conftest import PostgresServer
from tests.storage.news import SETTINGS, START, article, contents, rejection, store, story, view, wire
from tests.waiting import PATIENCE

FORK = multiprocessing.get_context("fork")
NAMES = ("articles", "unique_articles", "story_groups", "copies", "removed_text")


def outcomes() -> list[Outcome]:
    """Articles in groups, revisions of some of them, and rejections."""
    made = wire(60, stories=7)
    revised = [article(a.url, story(n), a.page.fetched_at.replace(day=20)) for n, a in enumerate(made[::9])]
    return [
        *made[:40],
        rejection("https://x.example/1"),
        *revised,
        *made[40:],
        rejection("https://x.example/2"),
    ]


def write(url: str, made: Sequence[Outcome], batch: int, die_at: int | None = None) -> None:
    """A writer process. It kills itself before its `die_at`-th statement, commits included."""
    engine = open_database(url)
    statements = 0

    def step(*_: Any) -> None:
        nonlocal statements
        statements += 1
        if statements == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "before_cursor_execute", step)
    event.listen(engine, "commit", step)
    run = writer.start_run(engine, "test", START)
    for start in range(0, len(made), batch):
        writer.write_batch(engine, run, made[start : start + batch], SETTINGS)
    engine.dispose()


def child(*arguments: Any) -> Any:
    process = FORK.Process(target=write, args=arguments)
    process.start()
    return process


def reference(sqlite_template: Path, folder: Path, made: Sequence[Outcome]) -> tuple[dict[str, Any], Any]:
    path = folder / "reference.db"
    shutil.copyfile(sqlite_template, path)
    engine = open_database(f"sqlite:///{path}")
    store(engine, made)
    rows = {name: view(engine, name) for name in NAMES}
    found = contents(engine)
    engine.dispose()
    return rows, found


def test_a_writer_that_is_killed_repeatedly_ends_like_an_uninterrupted_one(
    database_url: str, sqlite_template: Path, tmp_path: Path
) -> None:
    made = outcomes()
    chance = random.Random(4)
    stored = []
    for _ in range(14):
        process = child(database_url, made, 9, chance.randrange(5, 400))
        process.join(PATIENCE)
        assert process.exitcode in (-signal.SIGKILL, 0)
        engine = open_database(database_url)
        contents(engine)  # stored groups, canonical copies and pairs agree
        stored.append(reader.counts(engine).articles)
        engine.dispose()
    assert stored == sorted(stored)
    assert any(0 < count < stored[-1] for count in stored)

    last = child(database_url, made, 9)
    last.join(PATIENCE)
    assert last.exitcode == 0
    rows, found = reference(sqlite_template, tmp_path, made)
    engine = open_database(database_url)
    assert contents(engine) == found
    assert {name: view(engine, name) for name in NAMES} == rows
    engine.dispose()


def write_without_waiting_twice(*arguments: Any) -> None:
    """Like `write`, but fails if the database was locked so long that a batch was tried again."""
    warnings: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: warnings.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("storage").addHandler(handler)
    write(*arguments)
    assert warnings == []


def read_at_once(url: str, query: str) -> list[tuple[Any, ...]]:
    """Reads like a program that never waits for a lock."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(make_url(url).database or "", timeout=0)) as connection:
            return connection.execute(query).fetchall()
    with psycopg.connect(url, options="-c lock_timeout=1ms") as connection:
        return connection.execute(query.encode()).fetchall()


def test_four_writers_and_a_reader_at_once(database_url: str, sqlite_template: Path, tmp_path: Path) -> None:
    made = outcomes()
    chance = random.Random(8)
    # Most outcomes are written by several processes.
    shares = [chance.sample(made, 45) for _ in range(4)]
    shares[0] += [outcome for outcome in made if not any(outcome in share for share in shares)]
    processes = [
        FORK.Process(target=write_without_waiting_twice, args=(database_url, share, size))
        for share, size in zip(shares, (4, 7, 13, 5), strict=True)
    ]
    for process in processes:
        process.start()
    engine = open_database(database_url)
    sizes = []
    while any(process.is_alive() for process in processes):
        sum(1 for _ in reader.articles(engine))
        rows = read_at_once(database_url, "SELECT url, group_id, is_canonical FROM articles")
        sizes.append(len(rows))
        assert len({url for url, _, _ in rows}) == len(rows)
        canonical = [group_id for _, group_id, is_canonical in rows if is_canonical]
        assert sorted(canonical) == sorted({group_id for _, group_id, _ in rows})
    for process in processes:
        process.join(PATIENCE)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert sizes == sorted(sizes)

    _, found = reference(sqlite_template, tmp_path, made)
    assert contents(engine) == found
    ids = sorted(row["id"] for row in view(engine, "articles"))
    assert ids == list(range(1, len(ids) + 1))
    counted = [run["seen"] for run in view(engine, "runs")]
    assert sorted(counted) == sorted(len(share) for share in shares)
    engine.dispose()


def test_a_batch_whose_commit_had_no_answer_is_stored_and_counted_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[bool] = []

    @contextmanager
    def silent(engine: Engine) -> Iterator[Connection]:
        with begin_write(engine) as connection:
            yield connection
        if len(broken) < 2:
            broken.append(True)
            raise OperationalError("COMMIT", None, psycopg.OperationalError("the connection is lost"))

    run = writer.start_run(engine, "test", START)
    monkeypatch.setattr(transactions, "begin_write", silent)
    monkeypatch.setattr(transactions, "_BACK_OFF", (0.0, 0.0))
    counts = writer.write_batch(engine, run, wire(10), SETTINGS)

    assert len(broken) == 2
    assert (counts.seen, counts.stored) == (10, 10)
    assert (reader.runs(engine)[0].seen, reader.runs(engine)[0].stored) == (10, 10)
    assert reader.counts(engine).articles == 10


def test_a_connection_that_the_server_closes_is_made_again(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.create("copydesk_template")
    engine = open_database(url)
    made = wire(20)
    store(engine, made[:10])
    closed: list[int] = []

    @event.listens_for(engine, "before_cursor_execute")
    def close(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE counter") and len(closed) < 2:
            pid = connection.connection.driver_connection.info.backend_pid
            with psycopg.connect(url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", (pid,))
            closed.append(pid)

    monkeypatch.setattr(transactions, "_BACK_OFF", (0.0, 0.0, 0.0))
    counts = store(engine, made[10:])

    assert counts.stored == 10
    assert len(set(closed)) == 2
    assert reader.counts(engine).articles == 20
    assert reader.runs(engine)[0].stored == 10
    engine.dispose()
    postgres.drop(url)
