"""A small base for the commands to look at, and a way to run them as a shell would."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import forked

Run = Callable[..., "subprocess.CompletedProcess[str]"]

NEWS = Path(__file__).parents[2] / "examples" / "news"


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
def base(tmp_path_factory: pytest.TempPathFactory, copydesk: Run) -> str:
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
