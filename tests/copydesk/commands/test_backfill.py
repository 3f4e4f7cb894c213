"""The command: what it makes and says, and its exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from copydesk.cli import app
from crawler.backfill import Folder
from pipeline.errors import OperatorError

PAGES = "examples/news/gazettedecorvanne.example"


def test_a_backfill_says_what_it_made_and_is_not_done_twice(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    made = CliRunner().invoke(app, ["backfill", PAGES, "--out", out, "--workers", "1", "--memory", "128MB"])
    assert made.exit_code == 0, made.output
    assert "process: 1 task" in made.stderr
    assert "copydesk load brings them into a database" in " ".join(made.stderr.split())
    again = CliRunner().invoke(app, ["backfill", PAGES, "--out", out, "--json"])
    said = json.loads(again.stdout)
    assert (again.exit_code, said["new"], said["interrupted"]) == (0, False, False)
    assert said["counts"]["rows"]["articles"] == said["counts"]["documents"]["stored"] > 0


def test_a_folder_that_another_process_fills_is_busy(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    with Folder(out).locked():
        done = CliRunner().invoke(app, ["backfill", PAGES, "--out", out])
    assert done.exit_code == 75
    assert "another process is filling this folder" in done.stderr.replace("\n", " ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--engine", "flink"], "engine flink: write one of local, spark"),
        (["--master", "local[1]"], "a master is for the engine spark"),
        (["--memory", "much"], "'much' is not a size"),
        (["--map", "text"], "--map text: write OURS=THEIRS"),
    ],
)
def test_mistakes_are_said_in_one_line(tmp_path: Path, options: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["backfill", PAGES, "--out", str(tmp_path / "out"), *options])
    assert isinstance(done.exception, OperatorError)
    assert said in str(done.exception)
    assert not (tmp_path / "out").exists()
