"""All commands have help, usage errors, and mistakes in one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.copydesk.conftest import Run


def test_help_names_every_command(copydesk: Run) -> None:
    said = copydesk("--help").stdout
    for command in ("ingest", "crawl", "reprocess", "groups", "show", "stats", "extract", "export", "db"):
        assert re.search(rf"\b{command}\b", said), command


@pytest.mark.parametrize(
    "command", ["ingest", "crawl", "reprocess", "groups", "show", "stats", "extract", "export"]
)
def test_every_command_has_help(copydesk: Run, command: str) -> None:
    said = copydesk(command, "--help")
    assert said.returncode == 0
    assert len(said.stdout) > 300


def test_an_unknown_option_is_a_usage_error(copydesk: Run) -> None:
    assert copydesk("stats", "--colour").returncode == 2


@pytest.mark.parametrize(
    "args",
    [
        ("ingest", "no/such/folder"),
        ("stats", "--db", "sqlite:///no-such.db"),
        ("stats", "--db", "oracle://somewhere"),
        ("extract", "no-such-page.html"),
        ("crawl", "no-such-site"),
        ("export", "articles.xml"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    copydesk: Run, tmp_path: Path, args: tuple[str, ...]
) -> None:
    done = copydesk(*args, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("copydesk: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
