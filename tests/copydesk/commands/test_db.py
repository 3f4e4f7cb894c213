"""`copydesk db`: check, upgrade and current as an operator runs them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

from tests.copydesk.conftest import Run


def test_a_sound_database_is_reported(copydesk: Run, news_url: str) -> None:
    done = copydesk("db", "check", "--db", news_url)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == f"{len(lines) - 1} checks, all well"
    assert all(line.startswith("ok") for line in lines[:-1])


def test_faults_are_shown_and_repaired(copydesk: Run, news_url: str, tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    shutil.copyfile(news_url.removeprefix("sqlite:///"), path)
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM band WHERE article_id = 3")
        connection.execute("UPDATE run SET seen = seen + 1")
    connection.close()
    own = f"sqlite:///{path}"
    done = copydesk("db", "check", "--json", "--db", own)
    assert done.returncode == 1
    wrong = {f["check"]: f for f in json.loads(done.stdout) if f["count"]}
    assert wrong.keys() == {"bands", "runs"}
    assert (wrong["bands"]["can_mend"], wrong["runs"]["can_mend"]) == (True, False)

    said = copydesk("db", "check", "--repair", "--db", own)
    assert said.returncode == 1
    assert "WRONG  bands" in said.stdout
    assert f"ok     bands: {wrong['bands']['says']} ({wrong['bands']['count']} mended)" in said.stdout
    assert said.stdout.splitlines()[-1].endswith("1 left wrong")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE run SET seen = seen - 1")
    connection.close()
    assert copydesk("db", "check", "--db", own).returncode == 0
    some = copydesk("db", "check", "--only", "runs", "--only", "canonical copies", "--db", own)
    assert some.stdout.splitlines()[-1] == "2 checks, all well"
    assert copydesk("db", "check", "--only", "no", "--db", own).returncode == 2


def test_a_missing_database_is_not_created(copydesk: Run, tmp_path: Path) -> None:
    done = copydesk("db", "check", "--db", f"sqlite:///{tmp_path / 'none.db'}")
    assert done.returncode == 2
    assert not (tmp_path / "none.db").exists()


def test_db_upgrade_makes_a_database_and_current_reads_it(copydesk: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    assert copydesk("db", "current", "--db", url).returncode == 2
    assert copydesk("db", "upgrade", "--db", url).returncode == 0
    assert "the newest" in copydesk("db", "current", "--db", url).stdout
