"""Constants name their entry in docs/tuning.md, and every entry has its measurement and its command."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT

PAGE = re.sub(
    r"^```.*?^```$", "", (ROOT / "docs" / "tuning.md").read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
)
SECTIONS = {
    title.strip("`"): text
    for title, text in re.findall(r"^#{2,3} (.*)\n((?:(?!#).*\n)*)", PAGE, re.MULTILINE)
}
ENTRIES = re.findall(r"^### (.*)", PAGE, re.MULTILINE)
FOLDERS = ("copydesk", "crawler", "storage", "pipeline", "training", "benchmarks")


def _names(text: str) -> list[str]:
    """The text after each mention of the page, in one line: `docs/tuning.md: NAME` or `…, "NAME"`."""
    flat = re.sub(r"\s+(?:#\s*)?", " ", text)
    return re.findall(r"docs/tuning\.md(?:: |, \")(.{1,80})", flat)


@pytest.mark.parametrize("title", ENTRIES)
def test_an_entry_has_its_measurement_and_its_command(title: str) -> None:
    text = SECTIONS[title.strip("`")]
    found = re.findall(r"^- \*\*(\w+)\*\*: ", text, re.MULTILINE)
    assert found == ["Data", "Command", "Scores", "Decided"], title


def test_names_in_the_code_are_entries_or_sections() -> None:
    files = [
        path
        for folder in FOLDERS
        for pattern in ("*.py", "*.toml")
        for path in sorted((ROOT / folder).rglob(pattern))
    ]
    named = [(path.relative_to(ROOT), name) for path in files for name in _names(path.read_text("utf-8"))]
    assert named
    titles = tuple(SECTIONS)
    assert [(str(path), name) for path, name in named if not name.strip("`").startswith(titles)] == []


def test_names_are_found_across_lines() -> None:
    assert _names("x\n    # see docs/tuning.md:\n    # FTS5 and\n    # GIN.\n") == ["FTS5 and GIN. "]
    assert _names('# docs/tuning.md, "Messages to workers".') == ['Messages to workers".']
