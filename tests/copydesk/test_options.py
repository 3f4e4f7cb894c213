"""Options that several commands share: their names, and the variables that stand in for them."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from copydesk import options

app = typer.Typer()


@app.command()
def told(
    sites: options.Sites = None,
    db: options.Database = options.DEFAULT_DATABASE,
    sites_file: options.SitesFile = None,
    removed: options.Removed = False,
    json: options.Json = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
) -> None:
    typer.echo((sites, db, sites_file, removed, json, dry_run, yes))


@app.command()
def ruled(sites_file: options.SiteRulesFile = None) -> None:
    typer.echo(sites_file)


def said(monkeypatch: pytest.MonkeyPatch, *arguments: str, **environment: str) -> str:
    for name in ("COPYDESK_DB", "COPYDESK_SITES"):
        monkeypatch.delenv(name, raising=False)
    done = CliRunner().invoke(app, list(arguments), env=environment)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def test_without_options(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = (None, "sqlite:///copydesk.db", None, False, False, False, False)
    assert said(monkeypatch, "told") == str(expected)


def test_each_option_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ("--removed", "--json", "--dry-run", "--yes")
    expected = (["one", "two"], "sqlite:///a.db", "mine.toml", True, True, True, True)
    given = ("told", "one", "two", "--db", "sqlite:///a.db", "--sites", "mine.toml", *flags)
    assert said(monkeypatch, *given) == str(expected)
    assert said(monkeypatch, "ruled", "--sites", "mine.toml") == "mine.toml"


def test_an_option_has_priority_over_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"COPYDESK_DB": "sqlite:///env.db", "COPYDESK_SITES": "env.toml"}
    from_variables = (None, "sqlite:///env.db", "env.toml", False, False, False, False)
    assert said(monkeypatch, "told", **environment) == str(from_variables)
    assert said(monkeypatch, "ruled", **environment) == "env.toml"
    from_options = (None, "sqlite:///a.db", "mine.toml", False, False, False, False)
    given = ("told", "--db", "sqlite:///a.db", "--sites", "mine.toml")
    assert said(monkeypatch, *given, **environment) == str(from_options)
