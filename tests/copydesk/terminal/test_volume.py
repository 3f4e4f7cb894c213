"""-q, -v and --version, before and behind the name of a command."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

import copydesk
from copydesk.cli import app
from copydesk.terminal import HABITS, Volume
from copydesk.terminal.volume import set_volume, volume

GROUP = typer.main.get_command(app)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    set_volume(Volume.NORMAL)


def _commands(group: object, *before: str) -> Iterator[tuple[str, ...]]:
    yield before
    for name, command in getattr(group, "commands", {}).items():
        yield from _commands(command, *before, name)


@pytest.mark.parametrize("command", list(_commands(GROUP)), ids=" ".join)
def test_every_command_has_short_help_and_a_version(command: tuple[str, ...]) -> None:
    said = CliRunner().invoke(app, [*command, "--version"])
    assert (said.exit_code, said.stdout) == (0, f"copydesk {copydesk.__version__}\n")
    short, long = (CliRunner().invoke(app, [*command, option]).stdout for option in ("-h", "--help"))
    assert short == long
    assert all(f"--{habit}" in short for habit in HABITS)


@pytest.mark.parametrize("before", [True, False])
def test_quiet_leaves_the_results_and_what_went_wrong(before: bool, tmp_path: object) -> None:
    page = "tests/pages/articles/german.html"
    command = ["ingest", page, "--db", f"sqlite:///{tmp_path}/a.db"]
    said = CliRunner().invoke(app, ["-q", *command] if before else [*command, "--quiet"])
    assert (said.exit_code, said.output) == (0, "")
    said = CliRunner().invoke(app, command)
    assert said.stderr.startswith("seen 1: stored 0"), "a later command says as much as ever"
    assert CliRunner().invoke(app, ["-q", "stats", "--db", f"sqlite:///{tmp_path}/a.db"]).stdout
    assert CliRunner().invoke(app, ["-q", "stats", "--colour"]).exit_code == 2


def test_verbose_and_quiet_exclude_each_other() -> None:
    said = CliRunner().invoke(app, ["sites", "list", "-q", "-v"])
    assert said.exit_code == 2
    assert "give one of them" in said.stderr
    assert CliRunner().invoke(app, ["sites", "list", "-v"]).exit_code == 0
    assert volume() is Volume.VERBOSE
