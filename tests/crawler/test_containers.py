"""`ingest` over files that were made to end or hang it: each is a rejection, and what follows is stored."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crawler.runs import ingest
from storage.database import open_database
from tests import forked
from tests.chaos.processes import in_sessions
from tests.crawler.crawling import ROOT
from tests.crawler.drive import process
from tests.crawler.files.hostile import HOSTILE, SETTINGS, gzip_bomb
from tests.storage.news import story, view
from tests.waiting import PATIENCE, wait_until


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hostile files, each with a text that follows it."""
    made = tmp_path_factory.mktemp("hostile")
    for number, hostile in enumerate(HOSTILE.values()):
        (made / f"{number:02}{hostile.suffix}").write_bytes(hostile.make())
        (made / f"{number:02}.txt").write_text(f"Title {number}\n{story(number)}")
    return made


def test_hostile_files_are_rejections_and_what_follows_is_stored(engine: Engine, folder: Path) -> None:
    done = ingest(engine, [str(folder)], workers=1, settings=SETTINGS, process=process)
    assert not done.is_interrupted
    assert done.counts.faults == 0
    rejected = view(engine, "rejections")
    stored = {row["location"] for row in view(engine, "articles")}
    for number, (name, hostile) in enumerate(HOSTILE.items()):
        assert str(folder / f"{number:02}.txt") in stored, name
        path = str(folder / f"{number:02}{hostile.suffix}")
        own = [row for row in rejected if row["location"].startswith((f"{path}!", f"{path}#"))]
        own += [row for row in rejected if row["location"] == path]
        assert (hostile.reason, True) in {(row["reason"], hostile.detail in row["detail"]) for row in own}, (
            name
        )
    again = ingest(engine, [str(folder)], workers=1, settings=SETTINGS, process=process)
    assert (again.counts.stored, again.counts.seen) == (0, done.counts.seen)


def test_the_command_ends_with_its_status(tmp_path: Path, folder: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    command = [sys.executable, "-m", "copydesk", "ingest", str(folder), "--workers", "1", "--db", url]
    done = forked.run(command, cwd=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    engine = open_database(url)
    stored = {Path(row["location"]).name for row in view(engine, "articles")}
    assert stored >= {f"{number:02}.txt" for number in range(len(HOSTILE))}
    engine.dispose()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_a_run_that_reads_what_takes_minutes(number: signal.Signals, tmp_path: Path) -> None:
    first = tmp_path / "1.txt"
    first.write_text(f"Title\n{story(1)}")
    (tmp_path / "2.gz").write_bytes(gzip_bomb())
    url = f"sqlite:///{tmp_path}/a.db"
    command = [sys.executable, "-m", "copydesk", "ingest", str(tmp_path), "--workers", "1", "--db", url]
    run = forked.Started(command, cwd=ROOT, has_session=True)
    engine = open_database(url)
    wait_until(lambda: view(engine, "articles") or run.poll() is not None)
    os.killpg(run.pid, number)  # to all of its processes, as from a terminal or a service manager
    out, err = run.communicate(timeout=PATIENCE)
    wait_until(lambda: not in_sessions({run.pid}))
    assert run.returncode == 130, out + err
    assert "interrupted" in err
    assert [row["location"] for row in view(engine, "articles")] == [str(first)]
    assert view(engine, "rejections") == []
    engine.dispose()
