"""Runs that are killed, whose server is restarted, or whose disk fills up lose and repeat nothing."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, event

from crawler.runs import drive as run_module
from crawler.runs.ingest import ingest
from crawler.workers.fork_server import start_fork_server
from crawler.workers.pool import modules_of_workers
from crawler.workers.worker import Process
from pipeline.document import Document, Outcome
from pipeline.settings import Settings
from storage.database import DatabaseError, open_database, transactions
from storage.writer import BatchCounts
from tests import forked
from tests.crawler import drive
from tests.crawler.crawling import ROOT
from tests.crawler.runs.test_ingest import ended, rows, write_input
from tests.postgres import OwnServer, own_server
from tests.storage.news import contents, view
from tests.waiting import PATIENCE

SETTINGS = Settings()
FORK = multiprocessing.get_context("fork")
KILLS = 60
_numbers = itertools.count()


class AtOnce:
    """Replaces a WorkerPool: the caller processes documents when it submits them.

    Killed workers are tested in `test_pool` and `test_ingest`. Here a run has to start quickly.
    """

    def __init__(self, settings: Settings, _workers: int, *, process: Process) -> None:
        self.settings, self.process = settings, process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, document: Document) -> Future[Outcome]:
        done: Future[Outcome] = Future()
        done.set_result(self.process(document, self.settings))
        return done

    def worker_pids(self) -> list[int]:
        return []


def ingest_and_die(url: str, folder: Path, statement: int, delay: float) -> None:
    """A process that ingests, and is killed `delay` seconds after its `statement`-th statement has begun."""
    forked.use_inherited_fork_server()
    engine = open_database(url)
    patch = pytest.MonkeyPatch()
    patch.setattr(run_module, "WorkerPool", AtOnce)
    patch.setattr(run_module, "BATCH_SIZE", 4)
    begun = 0

    def step(*_: Any) -> None:
        nonlocal begun
        begun += 1
        if begun == statement and not delay:
            os.kill(os.getpid(), signal.SIGKILL)
        if begun == statement:
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()

    for name in ("before_cursor_execute", "commit"):
        event.listen(engine, name, step)
    ingest(engine, [str(folder)], workers=1, settings=SETTINGS, process=drive.process)


def uninterrupted(tmp_path: Path, folder: Path, process: Process = drive.process) -> dict[str, Any]:
    """The rows of the views after a run without faults."""
    engine = open_database(f"sqlite:///{tmp_path / 'uninterrupted.db'}")
    ingest(engine, [str(folder)], workers=2, settings=SETTINGS, process=process)
    found = rows(engine)
    engine.dispose()
    return found


def test_a_run_that_is_killed_sixty_times_ends_like_an_uninterrupted_one(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    folder = write_input(tmp_path / "in", 160)
    chance = random.Random(7)
    stored = [0]
    for _ in range(KILLS):
        delay = chance.choice([0.0, 0.0, chance.random() * 0.01])
        start_fork_server(modules_of_workers(drive.process))  # the last one may have ended with its client
        process = FORK.Process(
            target=ingest_and_die, args=(database_url, folder, chance.randrange(1, 90), delay)
        )
        process.start()
        process.join(PATIENCE)
        assert process.exitcode == -signal.SIGKILL
        contents(engine)  # stored groups, canonical copies and pairs agree
        stored.append(ended(engine))
    assert stored == sorted(stored)
    assert 0 < stored[KILLS // 2] < stored[-1] <= 161

    process = FORK.Process(target=ingest_and_die, args=(database_url, folder, 0, 0.0))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == 0
    assert ended(engine) == 161
    assert rows(engine) == uninterrupted(tmp_path, folder)


# --- a server for these tests only --------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    with own_server() as found:
        yield found


@pytest.fixture
def own_url(server: OwnServer) -> str:
    """URL of a fresh database on that server."""
    name = f"copydesk_{next(_numbers)}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = server.url_of(name)
    open_database(url).dispose()
    return url


def test_a_server_that_is_restarted_six_times_under_a_run_loses_nothing(
    server: OwnServer,
    own_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = write_input(tmp_path / "in", 160)
    expected = uninterrupted(tmp_path, folder)
    monkeypatch.setattr(run_module, "BATCH_SIZE", 8)
    monkeypatch.setattr(run_module, "WorkerPool", AtOnce)
    engine = open_database(own_url)
    chance = random.Random(3)
    # In the middle of a transaction, and while the run does something else.
    planned = [
        (mode, is_waited_for) for is_waited_for in (True, False, True) for mode in ("immediate", "fast")
    ]
    restarting: list[threading.Thread] = []
    begun, next_at = 0, 40

    def step(*_: Any) -> None:
        nonlocal begun, next_at
        begun += 1
        if begun < next_at or not planned or any(thread.is_alive() for thread in restarting):
            return
        mode, is_waited_for = planned.pop(0)
        next_at = begun + chance.randrange(15, 40)
        restarting.append(threading.Thread(target=server.control, args=("-m", mode, "restart")))
        restarting[-1].start()
        if is_waited_for:
            restarting[-1].join()

    for name in ("before_cursor_execute", "commit"):
        event.listen(engine, name, step)
    done = ingest(engine, [str(folder)], workers=1, settings=SETTINGS, process=drive.process)
    for thread in restarting:
        thread.join()

    assert planned == []
    assert len(restarting) == 6
    assert caplog.text.count("trying again in") >= 4  # the restarts that it waited for
    assert done.counts.seen == 161
    assert done.counts.stored + done.counts.rejected == 161
    assert rows(engine) == expected
    assert [(run["seen"], run["stored"]) for run in view(engine, "runs")] == [(161, done.counts.stored)]
    engine.dispose()


def test_a_server_that_stays_away_ends_the_run_in_one_line(
    server: OwnServer, own_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_input(tmp_path / "in", 80)
    expected = uninterrupted(tmp_path, folder)
    monkeypatch.setattr(run_module, "BATCH_SIZE", 8)
    monkeypatch.setattr(run_module, "WorkerPool", AtOnce)
    monkeypatch.setattr(transactions, "_BACK_OFF", (0.0, 0.1, 0.2))
    engine = open_database(own_url)

    class Stopping:
        def advance(self, counts: BatchCounts) -> None:
            if counts.seen == 32:
                server.control("-m", "fast", "stop")

        def total(self, documents: int) -> None:
            pass

    run = partial(ingest, engine, [str(folder)], workers=1, settings=SETTINGS, process=drive.process)
    with pytest.raises(DatabaseError, match="cannot be reached") as error:
        run(progress=Stopping())
    assert "\n" not in str(error.value)
    server.start()

    assert ended(engine) == 32
    assert run().counts.unchanged == 32
    assert rows(engine) == expected
    engine.dispose()


# --- a full disk ----------------------------------------------------------------------------------------

# Files of PostgreSQL's log have 16 MB and must fit. The stored pages are larger together.
_LARGEST_FILE = 17 << 20


def test_a_full_disk_of_the_server_stops_the_run_and_the_next_run_continues(
    server: OwnServer, own_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_input(tmp_path / "in", 60)
    expected = uninterrupted(tmp_path, folder, drive.process_large)
    monkeypatch.setattr(run_module, "BATCH_SIZE", 5)
    monkeypatch.setattr(run_module, "WorkerPool", AtOnce)
    server.control("-m", "fast", "stop")
    server.start(largest_file=_LARGEST_FILE)
    engine = open_database(own_url)
    run = partial(ingest, engine, [str(folder)], workers=1, settings=SETTINGS, process=drive.process_large)
    with pytest.raises(DatabaseError, match="could not extend file") as error:
        run()

    assert "\n" not in str(error.value)
    stored = ended(engine)
    assert stored in range(5, 61, 5)  # whole batches
    contents(engine)
    with pytest.raises(DatabaseError, match="could not extend file"):
        run()
    assert ended(engine) == stored

    server.control("-m", "fast", "stop")
    server.start()
    assert run().counts.unchanged == stored
    assert rows(engine) == expected
    engine.dispose()


# `copydesk` with documents that are processed quickly, and with a largest size of its files in bytes.
_PROGRAM = """
import functools, os, resource
from crawler import runs
from copydesk.cli import main
from tests.crawler import drive
if limit := os.environ.get("LARGEST_FILE"):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
runs.ingest = functools.partial(runs.ingest, process=drive.process)
main()
"""


def copydesk(*arguments: str, largest_file: int | None = None) -> subprocess.CompletedProcess[str]:
    limit = {} if largest_file is None else {"LARGEST_FILE": str(largest_file)}
    return forked.run([sys.executable, "-c", _PROGRAM, *arguments], cwd=ROOT, env={**os.environ, **limit})


def test_a_full_disk_ends_the_program_with_one_line_and_the_database_is_sound(
    tmp_path: Path, sqlite_template: Path
) -> None:
    folder = write_input(tmp_path / "in", 80)
    path = tmp_path / "full.db"
    shutil.copyfile(sqlite_template, path)
    url = f"sqlite:///{path}"
    assert copydesk("ingest", str(folder / "a.jsonl"), "--db", url).returncode == 0
    engine = open_database(url)
    before = rows(engine)
    full = copydesk("ingest", str(folder), "--db", url, largest_file=64 << 10)

    assert full.returncode == 2, full
    (line,) = full.stderr.splitlines()
    assert line.startswith(f"copydesk: {path} cannot be read or written: the disk is full")
    assert rows(engine) == before
    contents(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    assert copydesk("ingest", str(folder), "--db", url).returncode == 0
    assert rows(engine) == uninterrupted(tmp_path, folder)
    engine.dispose()
