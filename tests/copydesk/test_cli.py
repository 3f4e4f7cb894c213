"""All commands have help, usage errors, and mistakes in one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
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


def test_verbose_says_how_an_error_came_without_passwords(copydesk: Run) -> None:
    url = "oracle://desk:hunter2@somewhere"
    done = copydesk("-v", "stats", "--db", url)
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("copydesk: ")
    assert "hunter2" not in done.stderr


def _completed(shell: str, words: str) -> str:
    """What a shell is told where the cursor stands behind these words, which begin with the program."""
    variables = {
        "bash": {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": words},
        "fish": {"_TYPER_COMPLETE_ARGS": words, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    return _output({**variables, "_COPYDESK_COMPLETE": f"complete_{shell}"})


def _output(variables: dict[str, str]) -> str:
    program = "import sys; sys.argv = ['copydesk']; from copydesk.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands_options_and_values(shell: str) -> None:
    assert "groups" in _completed(shell, "copydesk gr")
    assert "--min-sites" in _completed(shell, "copydesk groups --min-s")
    assert "spread" in _completed(shell, "copydesk groups --sort s")
    assert "france24" in _completed(shell, "copydesk crawl fr")
    assert "complete" in _output({"_COPYDESK_COMPLETE": f"source_{shell}"})


def test_bash_completes_as_the_script_says() -> None:
    script = """
        eval "$(_COPYDESK_COMPLETE=source_bash copydesk)"
        COMP_WORDS=(copydesk export --view art); COMP_CWORD=3
        _copydesk_completion copydesk
        echo "${COMPREPLY[@]}"
    """
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True
    )
    assert "articles" in done.stdout.split()
