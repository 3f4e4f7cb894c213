"""A small database for the commands, and a way to run them as a shell would."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import forked

Run = Callable[..., "subprocess.CompletedProcess[str]"]

NEWS = Path(__file__).parents[2] / "examples" / "news"

# A page of NEWS that has lines to remove.
FERRY = "copied/ferry-stranded.txt"


@pytest.fixture(scope="session")
def copydesk() -> Run:
    """Runs `copydesk ARG…` in a process of its own; `stdin` is text for its standard input."""

    def run(*args: str, stdin: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return forked.run(
            [sys.executable, "-m", "copydesk", *args],
            input=stdin,
            cwd=cwd,
        )

    return run


@pytest.fixture(scope="session")
def news_url(tmp_path_factory: pytest.TempPathFactory, copydesk: Run) -> str:
    """URL of a database that holds two outlets of the examples: copies, a look-alike, rejections."""
    url = f"sqlite:///{tmp_path_factory.mktemp('cli')}/news.db"
    done = copydesk(
        "ingest",
        str(NEWS / "tessaryobserver.example"),
        str(NEWS / "northmeregazette.example"),
        str(NEWS / "copied"),
        "--db",
        url,
    )
    assert done.returncode == 0, done.stderr
    return url


@pytest.fixture
def own(news_url: str, tmp_path: Path) -> str:
    """A copy of the database, to be changed."""
    shutil.copyfile(news_url.removeprefix("sqlite:///"), tmp_path / "own.db")
    return f"sqlite:///{tmp_path / 'own.db'}"


def articles(copydesk: Run, url: str) -> list[dict[str, object]]:
    lines = copydesk("export", "-", "--format", "jsonl", "--db", url).stdout.splitlines()
    return [json.loads(line) for line in lines]
