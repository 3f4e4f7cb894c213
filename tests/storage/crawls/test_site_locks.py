"""A site has one holder at a time, on both databases, and a killed holder loses its lock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from storage.crawls.site_locks import SiteLocks
from storage.database import DatabaseError
from tests.waiting import wait_until

ROOT = Path(__file__).parents[3]

_HOLD = """
import sys
from storage.crawls.site_locks import SiteLocks
locks = SiteLocks(sys.argv[1])
print(locks.take("gazette"), flush=True)
sys.stdin.read()
"""


def _holder(url: str) -> subprocess.Popen[str]:
    """A process that requests the site's lock and stays until its standard input is closed."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    return holder


def _wait_for(locks: SiteLocks) -> None:
    """PostgreSQL notices in its own time that a client is gone."""
    wait_until(lambda: locks.take("gazette"), lambda: "the lock is still held")


@pytest.mark.parametrize("end", ["closed", "killed"])
def test_a_site_is_locked_for_other_processes_until_its_holder_ends(database_url: str, end: str) -> None:
    with _holder(database_url) as holder, SiteLocks(database_url) as locks:
        assert not locks.take("gazette")
        assert locks.take("herald")
        if end == "killed":
            holder.kill()
        else:
            holder.communicate("")
        _wait_for(locks)
        assert locks.take("gazette"), "who has it may ask again"


def test_closing_releases_the_locks(database_url: str) -> None:
    with SiteLocks(database_url) as locks, SiteLocks(database_url) as others:
        assert locks.take("gazette")
        assert not others.take("gazette")
        locks.close()
        _wait_for(others)


def test_one_sqlite_file_under_two_names_is_one_database(sqlite_template: Path, tmp_path: Path) -> None:
    (tmp_path / "news.db").write_bytes(sqlite_template.read_bytes())
    (tmp_path / "link.db").symlink_to("news.db")
    with (
        SiteLocks(f"sqlite:///{tmp_path}/news.db") as locks,
        SiteLocks(f"sqlite:///{tmp_path}/link.db") as others,
    ):
        assert locks.take("gazette")
        assert not others.take("gazette")


def test_a_site_of_any_name_has_a_lock_of_its_own(sqlite_template: Path, tmp_path: Path) -> None:
    (tmp_path / "news.db").write_bytes(sqlite_template.read_bytes())
    with SiteLocks(f"sqlite:///{tmp_path}/news.db") as locks:
        assert all(locks.take(site) for site in ("..", "a/b", "../news.db", "ü"))
    assert {file.name for file in tmp_path.iterdir()} - {"news.db-wal", "news.db-shm"} == {
        "news.db",
        "news.db.locks",
    }
    assert len(list((tmp_path / "news.db.locks").iterdir())) == 4


def test_a_lock_file_that_cannot_be_made_is_named(sqlite_template: Path, tmp_path: Path) -> None:
    (tmp_path / "news.db").write_bytes(sqlite_template.read_bytes())
    (tmp_path / "news.db.locks").write_text("in the way")
    with (
        SiteLocks(f"sqlite:///{tmp_path}/news.db") as locks,
        pytest.raises(DatabaseError, match=r"news\.db\.locks.*: cannot be opened"),
    ):
        locks.take("gazette")
