"""The short form of chaos: each fault on both databases; and the parts that decide what is wrong."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from pipeline.document import Outcome
from storage.database import open_database
from tests.chaos.comparison import differences
from tests.chaos.plan import WRITERS, Kind, make_plan
from tests.chaos.reader import Copy
from tests.storage.news import rejection, store, wire
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
# Those that need no file system of one's own.
ANYWHERE = set(Kind) - {Kind.FULL_DISK, Kind.FULL_TMP}


def test_faults_of_every_kind_end_in_the_rows_of_a_run_without_any() -> None:
    size = ["--quick", "--faults", "1", "--documents", "24", "--kills", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--seed", "19", "--rounds", "1", *size],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line for line in done.stdout.splitlines() if "same as without faults" in line]
    assert [line.split(": ")[0] for line in said] == ["seed 19, sqlite", "seed 19, postgresql"]
    for line, possible in zip(said, (ANYWHERE - {Kind.CRASH}, ANYWHERE), strict=True):
        assert all(f"1 {kind}" in line for kind in possible), line
        assert re.search(r"\d+ with -9", line), line  # killed


def test_a_seed_gives_the_same_faults_on_every_machine() -> None:
    plan = make_plan(5, 3, set(Kind))
    assert plan == make_plan(5, 3, set(Kind)) != make_plan(6, 3, set(Kind))
    assert len(plan) == WRITERS
    faults = [fault for of_writer in plan for fault in of_writer]
    assert sorted(fault.kind for fault in faults) == sorted(kind for kind in Kind for _ in range(3))
    fewer = [fault for of_writer in make_plan(5, 3, ANYWHERE) for fault in of_writer]
    assert sorted(fewer, key=repr) == sorted((f for f in faults if f.kind in ANYWHERE), key=repr)


def _database(path: Path, template: Path, order: int) -> str:
    """A database with the same documents, in either order."""
    shutil.copyfile(template, path)
    url = f"sqlite:///{path}"
    engine = open_database(url)
    outcomes: list[Outcome] = [*wire(30), rejection("https://x.example/1")]
    store(engine, outcomes[::order], batch=7)
    engine.dispose()
    return url


def test_the_order_of_writers_makes_no_difference_and_a_lost_row_does(
    tmp_path: Path, sqlite_template: Path
) -> None:
    clean = _database(tmp_path / "clean.db", sqlite_template, 1)
    tried = _database(tmp_path / "tried.db", sqlite_template, -1)
    assert list(differences(clean, tried)) == []
    for statement, view in (
        ("DELETE FROM rejection", "rejections"),
        ("DELETE FROM removal WHERE article_id = 3", "removed_text"),
        ("UPDATE run SET stored = stored + 1", "runs"),
    ):
        with closing(sqlite3.connect(tmp_path / "tried.db")) as connection:
            connection.execute(statement)
            connection.commit()
        said = list(differences(clean, tried))
        assert any(line.startswith(f"{view}: ") for line in said), said


def test_a_reader_finds_changes_that_were_not_noted(tmp_path: Path, sqlite_template: Path) -> None:
    url = _database(tmp_path / "read.db", sqlite_template, 1)
    engine = open_database(url)
    copy = Copy()
    assert copy.differs(engine).startswith("a copy made by changes has 30 articles differently")
    assert copy.follow(engine) == copy.differs(engine) == ""
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE article SET title = 'Another' WHERE id = 4")
        connection.exec_driver_sql("DELETE FROM change WHERE article_id = 4")
    assert copy.follow(engine) == ""
    assert copy.differs(engine) == "a copy made by changes has 1 articles differently, such as 4"
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE article SET is_canonical = 0")
    assert copy.follow(engine) == "a group has not exactly one canonical copy"
    engine.dispose()
