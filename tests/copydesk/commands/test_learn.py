"""`copydesk learn`: lists the lines that are clutter on their site, and learns only where it is not dry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from copydesk.cli import app
from pipeline.errors import OperatorError
from storage.database import open_database
from storage.writing.learning import site_lines
from tests.storage.news import article, store, story

GAZETTE, HERALD = "gazette.example", "herald.example"
WALKS = "Walks with the [Gazette], in all weathers"
CRUISE = "Win a cruise on the good ship Herald this spring"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """URL of a database with unrelated stories of two sites that print a line under each."""
    url = f"sqlite:///{tmp_path / 'copydesk.db'}"
    engine = open_database(url)
    lines = {GAZETTE: WALKS, HERALD: CRUISE}
    made = [
        article(f"https://{site}/{number}", f"{story(seed)}\n{line}")
        for start, (site, line) in enumerate(lines.items())
        for number, seed in enumerate(range(100 * start, 100 * start + 5))
    ]
    store(engine, made)
    engine.dispose()
    return url


def _learn(url: str, *arguments: str) -> Result:
    done = CliRunner().invoke(app, ["learn", "--db", url, *arguments], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done


def _learned(url: str) -> list[str]:
    engine = open_database(url)
    found = [line.text for line in site_lines(engine)]
    engine.dispose()
    return found


def test_the_lines_of_each_site_are_listed_under_its_name(url: str) -> None:
    done = _learn(url)
    assert done.stdout.splitlines() == [
        GAZETTE,
        f"     5 stories  article 1  {WALKS}",
        HERALD,
        f"     5 stories  article 6  {CRUISE}",
    ]
    assert "lines of gazette.example, herald.example: 2 learned as clutter" in done.stderr
    assert _learned(url) == [WALKS, CRUISE]


def test_a_dry_run_lists_the_same_and_learns_nothing(url: str) -> None:
    dry = _learn(url, "--dry-run")
    assert "a dry run: nothing was written" in dry.stderr
    assert "2 learned as clutter" in dry.stderr
    assert _learned(url) == []
    assert _learn(url).stdout == dry.stdout


@pytest.mark.parametrize("dry", [["--dry-run"], []])
def test_a_site_has_its_own_lines_alone(url: str, dry: list[str]) -> None:
    assert _learn(url, "--site", HERALD, *dry).stdout.splitlines() == [
        HERALD,
        f"     5 stories  article 6  {CRUISE}",
    ]
    unknown = CliRunner().invoke(app, ["learn", "--db", url, "--site", "heraldd.example", *dry])
    assert isinstance(unknown.exception, OperatorError)
    assert "did you mean herald.example?" in str(unknown.exception)


def test_json_has_the_lesson_and_the_lines(url: str) -> None:
    done = _learn(url, "--json", "--site", GAZETTE)
    assert json.loads(done.stdout) == {
        "lesson": {"articles": 10, "learned": {GAZETTE: 1, HERALD: 1}, "unlearned": {}},
        "lines": [{"site": GAZETTE, "stories": 5, "text": WALKS, "example": 1}],
    }
    assert done.stderr == ""


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "none.db"
    done = CliRunner().invoke(app, ["learn", "--db", f"sqlite:///{file}"])
    assert done.exit_code != 0
    assert not file.exists()
