"""Every query, program and sites file on the pages works."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from crawler.runs.ingest import ingest
from crawler.sites.reader import read_sites
from pipeline.settings import Settings
from tests.docs.pages import ROOT, blocks
from tests.docs.shell import Shell, commands


@pytest.fixture
def news(engine: Engine) -> Engine:
    """A database, of both kinds, with some outlets of the examples in it."""
    folder = ROOT / "examples" / "news"
    outlets = ("tessaryobserver.example", "northmeregazette.example", "kaldvalleytimes.example")
    ingest(engine, [str(folder / name) for name in outlets], workers=os.cpu_count() or 1, settings=Settings())
    return engine


def test_every_query_finds_something_on_both_databases(news: Engine) -> None:
    queries = blocks("sql")
    assert len(queries) >= 7
    with news.connect() as connection:
        for query in queries:
            assert connection.execute(text(query.text)).all(), f"{query}: {query.text}"


def test_every_program_prints_something(
    shell: Shell, news_database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a folder with two databases, and after the exports of the page about exports."""
    for name in ("copydesk.db", "agency.db"):
        shutil.copyfile(news_database, shell.folder / name)
    exports = [command for block in blocks("sh", page="docs/how-to/export.md") for command in commands(block)]
    assert sum(command.startswith("copydesk export ") for command in exports) >= 6
    for command in exports:
        shell.run(command)
    programs = blocks("python")
    assert len(programs) >= 8
    for program in programs:
        capsys.readouterr()
        exec(compile(program.text, str(program), "exec"), {})
        assert capsys.readouterr().out.strip(), f"{program} prints nothing"


def test_every_sites_file_is_read_as_it_stands(tmp_path: Path) -> None:
    """A table of rules is read under the first site of the README."""
    files = blocks("toml")
    assert len(files) >= 5
    [site, *_] = (block.text for block in files if block.page == "README.md")
    path = tmp_path / "sites.toml"
    for block in files:
        path.write_text(block.text if "homepage" in block.text else f"{site}\n{block.text}", encoding="utf-8")
        assert "gazette" in read_sites(path), str(block)
