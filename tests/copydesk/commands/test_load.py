"""`copydesk load`: what it says and how it ends. tests/storage/bulk/loading has what it loads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crawler.sites import read_rulebook
from pipeline.document import Outcome, Reason
from pipeline.settings import Settings
from storage.database import open_database
from storage.writing import learn
from tests.copydesk.conftest import Run
from tests.storage.bulk.folders import folder_of
from tests.storage.news import rejection, store, view, wire


@pytest.fixture
def folder(sqlite_template: Path, tmp_path: Path) -> Path:
    """The folder of a backfill of twelve articles, a list, and a page that we failed at."""
    (tmp_path / "ingested.db").write_bytes(sqlite_template.read_bytes())
    engine = open_database(f"sqlite:///{tmp_path / 'ingested.db'}")
    outcomes: list[Outcome] = [
        *wire(12),
        rejection("list.html"),
        rejection("b.html", reason=Reason.INTERNAL_ERROR),
    ]
    store(engine, outcomes)
    learn(engine, soon=True)
    settings = Settings(site_rules=read_rulebook(None))
    made = folder_of(engine, outcomes, tmp_path / "march", settings)
    engine.dispose()
    return made


def test_a_database_is_made_and_filled_and_then_merged_into(
    copydesk: Run, folder: Path, empty_database_url: str
) -> None:
    done = copydesk("load", str(folder), "--db", empty_database_url, "--connections", "2", "--json")
    assert done.returncode == 1, done.stderr
    said = json.loads(done.stdout)
    assert (said["merged"], said["interrupted"], said["run"]) == (False, False, 1)
    assert {end: said["counts"][end] for end in ("seen", "stored", "rejected")} == {
        "seen": 14,
        "stored": 12,
        "rejected": 2,
    }
    again = copydesk("load", str(folder), "--db", empty_database_url)
    assert "seen 14: stored 0, revised 0, updated 0, unchanged" in again.stderr
    assert again.returncode == 1
    engine = open_database(empty_database_url)
    assert len(view(engine, "articles")) == 12
    assert [f"load {folder}" in row["command"] for row in view(engine, "runs")] == [True, True]
    engine.dispose()


def test_a_folder_that_is_none_makes_no_database(copydesk: Run, tmp_path: Path) -> None:
    done = copydesk("load", str(tmp_path), "--db", f"sqlite:///{tmp_path}/a.db")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"{tmp_path}: not the folder of a backfill" in done.stderr
    assert not (tmp_path / "a.db").exists()
