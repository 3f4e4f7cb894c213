"""The limits of a check, from a program and from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from copydesk.cli import app
from crawler import probing
from crawler.probing.limits import Limits
from tests.crawler.probing.gazette import HOME


def _given(monkeypatch: pytest.MonkeyPatch, folder: Path, *options: str) -> Limits:
    """The limits that `copydesk sites check` gives to a check."""
    given: list[Limits] = []

    def check_sites(sites: Any, limits: Limits, **_: Any) -> list[Any]:
        given.append(limits)
        return []

    monkeypatch.setattr(probing, "check_sites", check_sites)
    file = folder / "sites.toml"
    file.write_text(f'[sites.gazette]\nhomepage = "{HOME}"\nfeeds = ["{HOME}rss.xml"]\n')
    done = CliRunner().invoke(app, ["sites", "check", "--sites", str(file), *options])
    assert done.exit_code == 0, done.output
    (limits,) = given
    return limits


def test_the_command_line_has_the_limits_of_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _given(monkeypatch, tmp_path) == Limits()


def test_each_limit_has_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = _given(monkeypatch, tmp_path, "--stale", "36h", "--pages", "5", "--seconds", "7")
    assert (limits.stale_after.total_seconds(), limits.pages, limits.seconds) == (36 * 3600, 5, 7)
