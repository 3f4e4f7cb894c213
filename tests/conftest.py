"""Databases for tests: SQLite files, and databases of a real PostgreSQL that is started once a session."""

from __future__ import annotations

import gc
import importlib
import itertools
import os
import re
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, make_url

from storage.database import open_database
from tests import forked
from tests.postgres import start_postgres

# Databases and files of tests are kept in memory where there is enough of it: a disk takes milliseconds for
# each write that is to last, and the tests never stop the machine. TMPDIR decides otherwise.
_MEMORY = Path("/dev/shm")
_ENOUGH_BYTES = 8 << 30


def _has_room() -> bool:
    """Whether so much memory is free, and programs may be started from it."""
    try:
        found, memory = os.statvfs(_MEMORY), Path("/proc/meminfo").read_text()
    except OSError:
        return False
    available = re.search(r"^MemAvailable: +(\d+) kB", memory, re.MULTILINE)
    free = min(found.f_bavail * found.f_frsize, int(available[1]) << 10 if available else 0)
    return free >= _ENOUGH_BYTES and not found.f_flag & os.ST_NOEXEC and os.access(_MEMORY, os.W_OK)


if "TMPDIR" not in os.environ and _has_room():
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)

# No example has a time limit: how long one takes says more about the machine than about the code.
hypothesis.settings.register_profile("copydesk", deadline=None)
hypothesis.settings.load_profile("copydesk")

# A shell starts background jobs with SIGINT ignored, and every program that a test starts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_numbers = itertools.count()

# Files and folders with the slowest tests. They start first, so that none of them runs alone at the end.
_LONGEST = (
    "copydesk/test_safe_path.py",
    "crawler/scheduling/test_schedule.py",
    "chaos",
    "crawler/backfill/test_plan.py",
    "crawler/test_faults.py",
    "crawler/test_scrapyd.py",
    "crawler/test_incremental.py",
    "docs",
    "benchmarks",
    "storage/reader/test_change_rows.py",
    "storage/search/test_index.py",
    "fuzz",
    "test_quality.py",
    "copydesk/web/browser",
    "crawler/runs",
    "crawler/workers",
    "crawler/test_crawl.py",
    "storage/writing",
    "crawler",
    "copydesk",
    "storage",
)


# What workers of any test need. The last one freezes all that was imported before.
_OF_WORKERS = [
    "pipeline.batch",
    "storage.bulk",
    "crawler.discovery",
    "crawler.workers.reading.process",
    "crawler.workers.worker",
    "tests.crawler.misbehaving",
    "tests.crawler.rules",
    "pipeline.warm",
]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Let a process of pytest-xdist share the server of commands; its first command is what costs."""
    node.workerinput["commands"] = forked.server_address()


def pytest_configure(config: pytest.Config) -> None:
    if (given := getattr(config, "workerinput", None)) is not None:
        forked.use_server(given["commands"])
        _preload_for_workers()
        # Early, because it looks through all modules for each frame of the stack.
        importlib.import_module("scrapy.core.downloader.contextfactory")


def _preload_for_workers() -> None:
    """Let the fork server of this process import what the workers of any test need, whichever starts it.

    The server imports what the test that starts it names, and is kept for later tests. Each worker of those
    would import the rest for itself.
    """
    preload = forkserver.set_forkserver_preload

    def preload_all(modules_names: list[str]) -> None:
        preload([name for name in modules_names if name not in _OF_WORKERS] + _OF_WORKERS)

    forkserver.set_forkserver_preload = preload_all


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect without garbage collection, which would look through all tests again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _turn(item.path))


@cache
def _turn(file: Path) -> int:
    """The place of a test's file in `_LONGEST`; all others come last, in the order of their names."""
    path = file.relative_to(Path(__file__).parent)
    return next((n for n, name in enumerate(_LONGEST) if path.is_relative_to(name)), len(_LONGEST))


@dataclass
class PostgresServer:
    """A PostgreSQL server for the tests, with an empty database and a template at the newest schema."""

    url: str
    folder: Path
    connection: psycopg.Connection
    made: list[str] = field(default_factory=list)

    def url_of(self, name: str) -> str:
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def create(self, template: str) -> str:
        """Makes a database, a copy of the template; returns its URL."""
        name = f"copydesk_{os.getpid()}_{next(_numbers)}"
        self._do(
            # Copying its files takes half of the processor time of writing all of its pages into the log.
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        self.made.append(name)
        return self.url_of(name)

    def drop(self, url: str) -> None:
        name = make_url(url).database or ""
        self._do(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _do(self, statement: sql.Composed | sql.SQL) -> None:
        self.connection.execute(statement)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server. Durability is off: the tests kill clients, never the machine."""
    folder = Path(tempfile.mkdtemp(prefix="copydesk-pg-"))
    server = start_postgres(folder)
    connection = psycopg.connect(server.get_uri(), autocommit=True)
    found = PostgresServer(server.get_uri(), folder, connection)
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            found._do(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        found._do(sql.SQL("SELECT pg_reload_conf()"))
        found._do(sql.SQL("CREATE DATABASE copydesk_template"))
        open_database(found.url_of("copydesk_template")).dispose()
        yield found
    finally:
        connection.close()
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    open_database(f"sqlite:///{path}").dispose()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a fresh database at the newest schema. A test that uses it runs on SQLite and on PostgreSQL."""
    if backend == "sqlite":
        path = tmp_path / "copydesk.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.create("copydesk_template")
    yield url
    server.drop(url)


@pytest.fixture
def empty_database_url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a database with nothing in it: no file yet on SQLite."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.create("template1")
    yield url
    server.drop(url)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a fresh database, on SQLite and on PostgreSQL."""
    found = open_database(database_url)
    yield found
    found.dispose()


Fill = Callable[[Engine], object]
# Databases as such functions leave them: the path of a file, or the name of a database of the server.
_filled: dict[tuple[str, Fill], str] = {}


@pytest.fixture
def filled_by(
    backend: str,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    sqlite_template: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[[Fill], Engine]]:
    """An engine on a fresh database as a function leaves it, which is called once in a session."""
    engines: list[Engine] = []
    urls: list[str] = []

    def sqlite(fill: Fill) -> str:
        if (backend, fill) not in _filled:
            template = tmp_path_factory.mktemp("filled") / "filled.db"
            shutil.copyfile(sqlite_template, template)
            _fill(fill, f"sqlite:///{template}")
            _filled[backend, fill] = str(template)
        return f"sqlite:///{shutil.copyfile(_filled[backend, fill], tmp_path / 'copydesk.db')}"

    def postgresql(fill: Fill) -> str:
        server: PostgresServer = request.getfixturevalue("postgres")
        if (backend, fill) not in _filled:
            template = server.create("copydesk_template")
            _fill(fill, template)
            _filled[backend, fill] = str(make_url(template).database)
        urls.append(server.create(_filled[backend, fill]))
        return urls[-1]

    def make(fill: Fill) -> Engine:
        engines.append(open_database(sqlite(fill) if backend == "sqlite" else postgresql(fill)))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()
    for url in urls:
        request.getfixturevalue("postgres").drop(url)


def _fill(fill: Fill, url: str) -> None:
    """Fill a database, of which no connection and no log is left, so that it can be copied."""
    engine = open_database(url)
    fill(engine)
    engine.dispose()
    assert not Path(f"{make_url(url).database}-wal").exists()
