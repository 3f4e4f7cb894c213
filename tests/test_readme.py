"""The README says what is so: its schema is the views', its queries run, its commands exist."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from copydesk.cli import app
from crawler.ingest import ingest
from crawler.sites import read_sites
from pipeline.settings import Settings
from storage.database import open_database
from storage.schema import VIEWS, as_markdown

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def news(engine: Engine) -> Engine:
    """A base, on both databases, with some outlets of the examples in it."""
    fill(engine)
    return engine


def fill(engine: Engine) -> None:
    folder = ROOT / "examples" / "news"
    outlets = ("tessaryobserver.example", "northmeregazette.example", "kaldvalleytimes.example")
    ingest(engine, [str(folder / name) for name in outlets], workers=os.cpu_count() or 1, settings=Settings())


def test_the_schema_section_is_what_the_views_are() -> None:
    assert as_markdown().strip() in README
    for view in VIEWS:
        assert f"### {view.name}\n" in README


def test_there_are_at_least_five_queries_and_each_finds_something(news: Engine) -> None:
    queries = _blocks("sql")
    assert len(queries) >= 5
    with news.connect() as connection:
        for query in queries:
            assert connection.execute(text(query)).all(), query


def test_the_programs_run_on_the_exports_and_print_something(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a folder with a `copydesk.db`, and after the exports of the README, all of which work."""
    shutil.copyfile(sqlite_template, tmp_path / "copydesk.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COPYDESK_DB", raising=False)
    engine = open_database("sqlite:///copydesk.db")
    fill(engine)
    engine.dispose()
    exports = [line.split("  #")[0].split() for line in _indented() if line.startswith("    copydesk export")]
    assert len(exports) >= 6
    for _, *args in exports:
        done = CliRunner().invoke(app, args)
        assert done.exit_code == 0, (args, done.output, done.exception)
    programs = _blocks("python")
    assert len(programs) >= 6
    for program in programs:
        capsys.readouterr()
        exec(compile(program, "README.md", "exec"), {})
        assert capsys.readouterr().out.strip(), program


def test_every_command_and_option_that_the_readme_names_exists() -> None:
    runner = CliRunner()
    named = set(re.findall(r"copydesk ((?:(?:db|sites) )?[a-z]+)", README)) - {"is"}
    for command in sorted(named):
        assert runner.invoke(app, [*command.split(), "--help"]).exit_code == 0, command
    help_of_all = "".join(
        runner.invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200"}).output for command in named
    )
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(_indented()))):
        assert option in help_of_all, option


def _indented() -> list[str]:
    return [line for line in README.splitlines() if line.startswith("    ") and "copydesk" in line]


def test_every_command_of_the_program_is_in_the_readme() -> None:
    said = {f"{command.name}" for command in app.registered_commands}
    for group in app.registered_groups:
        for command in group.typer_instance.registered_commands if group.typer_instance else ():
            said.add(f"{group.name} {command.name or getattr(command.callback, '__name__', '')}")
    assert {"crawl", "db current", "sites add"} <= said
    for name in said:
        assert f"copydesk {name}" in README, name


def test_the_example_site_is_read_as_it_stands(tmp_path: Path) -> None:
    block = "\n".join(_blocks("toml"))
    path = tmp_path / "sites.toml"
    path.write_text(block, encoding="utf-8")
    assert list(read_sites(path)) == ["gazette"]


def test_the_readme_links_to_what_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
