"""Everything is documented: commands, settings, views, exit statuses, rules, reasons, keys of a sites
file.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.request import urlopen

import pytest
import typer

import crawler.settings
from copydesk.cli import app
from copydesk.status import Status
from copydesk.terminal import HABITS
from crawler.monitor import metrics
from crawler.sites.site import Politeness, Rules, Site
from pipeline.document import (
    Article,
    Block,
    Document,
    Extraction,
    Fingerprint,
    Reason,
    Rejection,
    Stage,
)
from storage.schema import VIEWS
from tests.docs.pages import PAGES, ROOT, blocks
from tests.docs.shell import NOT_RUN, commands, transcripts
from tests.waiting import PATIENCE

REFERENCE = ROOT / "docs" / "reference"
SOURCES = [
    path for name in ("copydesk", "crawler", "storage", "pipeline") for path in (ROOT / name).rglob("*.py")
]


def _page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def _rows(page: str) -> dict[str, list[str]]:
    """The rows of all tables of a page, by their first cell without its backticks."""
    cells = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in page.splitlines()
        if line[:1] == "|"
    ]
    return {row[0].strip("` "): row for row in cells}


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """The script that fills in the generated parts."""
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_parts_are_up_to_date(generate: ModuleType) -> None:
    stale = [path.name for path in PAGES if generate.filled(path) != path.read_text(encoding="utf-8")]
    assert not stale, "run python docs/generate.py"
    marked = re.findall(
        r"<!-- generated: (\w+) -->", "".join(path.read_text(encoding="utf-8") for path in PAGES)
    )
    assert sorted(marked) == ["commands", "layers", "phrases", "views"]


def _commands(command: Any, name: str) -> dict[str, Any]:
    inner = getattr(command, "commands", {})
    if not inner:
        return {name: command}
    return {k: v for part, found in inner.items() for k, v in _commands(found, f"{name} {part}").items()}


ALL = _commands(typer.main.get_command(app), "copydesk")


def test_every_command_has_its_section_and_every_option_its_row() -> None:
    sections = dict(
        re.findall(r"^## (copydesk [^\n]*)\n(.*?)(?=^## |\Z)", _page("cli.md"), re.DOTALL | re.MULTILINE)
    )
    every = _rows(_page("cli.md"))
    assert {"--quiet, -q", "--verbose, -v", "--version", "--help, -h", "--show-completion"} <= {
        name.removesuffix(" SHOW_COMPLETION") for name in every
    }
    assert {"copydesk crawl", "copydesk db check", "copydesk sites add"} <= sections.keys()
    assert sections.keys() == ALL.keys()
    assert not re.findall(r"\[/\w+\\?\]", _page("cli.md"))  # markup that a terminal shows as a style
    for name, command in ALL.items():
        for parameter in command.params:
            if parameter.name in HABITS:
                continue
            assert f"`{parameter.opts[0]}" in sections[name] or parameter.metavar in sections[name], (
                name,
                parameter,
            )


def test_every_command_has_an_example_on_some_page() -> None:
    shown = {command for block in blocks("sh") for command in commands(block)}
    shown |= {command for block in blocks("console") for command, _ in transcripts(block)}
    for name in ALL:
        assert any(re.search(rf"\b{name}\b", command) for command in shown), name


def test_every_command_and_option_that_a_page_names_exists() -> None:
    options = {
        option for command in ALL.values() for p in command.params for option in (*p.opts, *p.secondary_opts)
    }
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        for named in re.findall(r"[`$] ?copydesk ((?:(?:db|sites) )?[a-z]+)(?=[ `\n])", text):
            assert any(f"copydesk {named}" in (name, name.rsplit(" ", 1)[0]) for name in ALL), (path, named)
        for line in re.findall(r"^(?:\$ )?copydesk .*", text, re.MULTILINE):
            for option in re.findall(r"(?<=\s)--[a-z][a-z-]+", line.split("  #")[0]):
                assert option in options, (path, line)


def test_every_setting_is_documented_with_its_default() -> None:
    named = {
        name
        for path in [*SOURCES, ROOT / "crawler" / "settings.py"]
        for name in re.findall(r"\bCOPYDESK_[A-Z_]*[A-Z]\b(?!_)", path.read_text(encoding="utf-8"))
    }
    rows = {name: row for name, row in _rows(_page("settings.md")).items() if name.startswith("COPYDESK_")}
    assert named == rows.keys()
    source = (ROOT / "crawler" / "settings.py").read_text(encoding="utf-8")
    for name, (_, default, environment, meaning) in rows.items():
        assert meaning
        assert (environment == "yes") is (f'os.environ.get("{name}"' in source), name
        value = getattr(crawler.settings, name, None)
        if value is not None and value is not False:
            assert default == f"`{value}`", name


def test_every_view_and_column_is_documented() -> None:
    page = _page("views.md")
    assert len(VIEWS) >= 9
    for view in VIEWS:
        section = page.partition(f"### {view.name}\n")[2].partition("\n### ")[0]
        assert section, view.name
        if view.name != "unique_articles":
            assert [c.name for c in view.columns] == list(_rows(section))[2:], view.name


def test_every_exit_status_is_documented() -> None:
    rows = _rows(_page("exit-status.md"))
    assert {name: row[1] for name, row in rows.items() if name.isdigit()} == {
        str(s.value): s.name for s in Status
    }


def test_every_reason_and_stage_of_a_rejection_is_documented() -> None:
    page = _page("rejections.md")
    assert list(_rows(page))[2:] == [str(reason) for reason in Reason]
    assert all(f"`{stage}`" in page for stage in Stage)


def test_every_metric_of_a_database_is_documented(news_database: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "operations.md").read_text(encoding="utf-8")
    server = metrics.serve(f"sqlite:///{news_database}")
    try:
        with urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=PATIENCE) as answer:
            names = re.findall(r"^# HELP (copydesk_\w+)", answer.read().decode(), re.MULTILINE)
    finally:
        server.close()
    assert len(names) >= 6
    of_all = ("copydesk_site", "copydesk_data", "copydesk_deliveries")
    assert sorted(name for name in _rows(page) if name.startswith(of_all)) == sorted(names)


def test_every_rule_is_documented() -> None:
    """Literals in the code name rules, `family.name`; the names of others are made from data or a score."""
    page = _page("rules.md")
    families = {"structure", "model", "phrase", "copied", "wire", "site"}
    assert families <= _rows(page).keys()
    named = {
        node.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(rf"(?:{'|'.join(families)})\.[a-z][a-z-]*", node.value)
    }
    assert {"structure.caption", "wire.dateline", "copied.masthead", "site.learned"} <= named
    for rule in named - {"site.learned"}:
        assert f"`{rule}`" in page, rule


def test_every_key_of_a_sites_file_is_documented() -> None:
    rows = _rows(_page("sites-file.md"))
    for record in (Site, Politeness, Rules):
        for name, f in record.model_fields.items():
            if name not in ("key", "politeness", "rules"):
                assert name in rows, name
                if isinstance(f.default, int | float):
                    assert rows[name][1] == str(f.default), name


def test_modules_of_measurements_are_there() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    named = set(re.findall(r"python -m ((?:benchmarks|training|examples)[\w.]*)", text))
    assert {"benchmarks.sizes", "examples.web"} <= named
    for name in named:
        assert importlib.util.find_spec(name), name


def test_commands_that_are_not_run_are_on_some_page() -> None:
    lines = [command for block in blocks("sh") for command in commands(block)]
    for pattern in NOT_RUN:
        assert any(re.match(pattern, line) for line in lines), pattern


def test_the_map_for_contributors_has_every_package() -> None:
    [tree] = (block.text for block in blocks("text", page="CONTRIBUTING.md") if "pipeline/" in block.text)
    for house in ("copydesk", "crawler", "storage", "pipeline"):
        packages = {path.parent.name for path in (ROOT / house).glob("*/__init__.py")}
        part = re.split(r"^(?=\w)", tree, flags=re.MULTILINE)
        [mine] = (text for text in part if text.startswith(f"{house}/"))
        assert packages <= set(re.findall(r"\b(\w+)/", mine)), house


def test_targets_of_make_are_there() -> None:
    targets = set(
        re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    assert {"demo", "test", "lint", "docs", "bench"} <= named
    assert named <= targets


def test_the_glossary_is_in_order_and_has_the_words_of_the_records() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = list(_rows(page))[2:]
    assert words == sorted(words, key=str.lower)
    records = {Document, Extraction, Article, Rejection, Block, Fingerprint}
    assert {record.__name__.lower() for record in records} <= set(words)
