"""A database that this process may not write, in a folder where it may make no file, is read all the same."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from typer.testing import CliRunner

from copydesk.cli import app
from pipeline.errors import OperatorError
from storage import reader
from storage.database import DatabaseError, open_database, open_read_only
from storage.writer import start_run

FORK = multiprocessing.get_context("fork")
NOBODY = 65534


@pytest.fixture
def locked(news_url: str) -> Iterator[Path]:
    """A copy of the database, whole in one file, that nobody may write, in a folder that nobody may write."""
    folder = Path(mkdtemp(prefix="copydesk-read-only-"))  # pytest's own folders are closed to other users
    path = folder / "news.db"
    with (
        closing(sqlite3.connect(news_url.removeprefix("sqlite:///"))) as source,
        closing(sqlite3.connect(path)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = WAL")
    assert [file.name for file in folder.iterdir()] == ["news.db"]
    path.chmod(0o444)
    folder.chmod(0o555)
    yield path
    folder.chmod(0o755)
    shutil.rmtree(folder)


def as_nobody(work: Callable[[], Any]) -> Any:
    """What the function returns, which must be JSON; root may write everything, so it is run as nobody."""
    here, there = FORK.Pipe(duplex=False)

    def run() -> None:
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        there.send_bytes(json.dumps(work()).encode())

    process = FORK.Process(target=run)
    process.start()
    there.close()
    try:
        return json.loads(here.recv_bytes())
    finally:
        process.join()


READING = (
    ("stats",),
    ("groups", "--json"),
    ("show", "1"),
    ("search", "the", "--count"),
    ("export", "-"),
    ("forget", "--list"),
    ("db", "current"),
)


def test_every_command_that_reads_opens_it(locked: Path, news_url: str) -> None:
    def shown(text: str) -> str:
        # A run's command names the database that it wrote.
        return text.replace(str(locked), "FILE").replace(news_url.removeprefix("sqlite:///"), "FILE")

    def answers(url: str) -> list[tuple[int, str]]:
        done = (CliRunner().invoke(app, [*command, "--db", url]) for command in READING)
        return [(one.exit_code, shown(one.stdout)) for one in done]

    wanted = answers(news_url)  # first: what the commands import may be out of the reach of nobody
    found = as_nobody(lambda: answers(f"sqlite:///{locked}"))
    assert [tuple(one) for one in found] == wanted
    assert {status for status, _ in found} == {0}
    assert [file.name for file in locked.parent.iterdir()] == ["news.db"]


def test_what_would_write_says_so_in_one_line(locked: Path) -> None:
    def said() -> str:
        try:
            start_run(open_database(f"sqlite:///{locked}"), "ingest", datetime.now(UTC))
        except DatabaseError as error:
            return str(error)
        return ""

    assert as_nobody(said) == f"{locked} cannot be written: check the rights of the file and of its folder"


def test_the_desk_opens_it(locked: Path) -> None:
    def count() -> int:
        return len(list(reader.articles(open_read_only(f"sqlite:///{locked}", seconds=30))))

    assert as_nobody(count) == len(list(reader.articles(open_database(f"sqlite:///{locked}")))) > 3


def test_a_log_that_cannot_be_read_is_told(locked: Path) -> None:
    locked.parent.chmod(0o755)
    log = locked.with_name("news.db-wal")
    log.write_bytes(b"x" * 32)
    locked.parent.chmod(0o555)

    def said() -> str:
        try:
            open_database(f"sqlite:///{locked}", create=False)
        except OperatorError as error:
            return str(error)
        return ""

    assert "has a log (news.db-wal) that cannot be read" in as_nobody(said)


def test_a_mistake_leaves_no_empty_database_behind(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    for command in (
        ("ingest", str(tmp_path / "misspelt")),
        ("ingest", "https:///no-host"),
        ("ingest", str(tmp_path), "--sites", "none.toml"),
        ("crawl", "nobody"),
        *READING,
    ):
        done = CliRunner().invoke(app, [*command, "--db", url])
        assert isinstance(done.exception, OperatorError), command
    assert list(tmp_path.iterdir()) == []
