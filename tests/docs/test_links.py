"""Links between files of the repository have targets. `make docs` checks those within docs/ as well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT

ALL = [
    *PAGES,
    *(path for name in ("benchmarks", "examples", "training") for path in (ROOT / name).rglob("*.md")),
]


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings(path: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target, anchor in re.findall(r"\]\((?!\w+:)([^)#\s]*)#?([^)\s]*)\)", text):
        found = (path.parent / target) if target else path
        assert found.exists(), target
        if anchor:
            assert anchor in _anchors(found), f"{target}#{anchor}"


def test_files_that_the_pages_name_are_there() -> None:
    """A path in backticks, such as `storage/database.py`."""
    for path in PAGES:
        for name in re.findall(
            r"`((?:[\w.-]+/)+[\w-]+\.(?:py|toml|md|json|yml|npz|svg))`", path.read_text("utf-8")
        ):
            assert (ROOT / name).exists(), f"{path.relative_to(ROOT)}: {name}"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


def test_every_page_is_in_the_navigation() -> None:
    config = (ROOT / ".zensical.toml").read_text(encoding="utf-8")
    listed = re.findall(r'"([\w/-]+\.md)"', config)
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert sorted(listed) == sorted(pages)


def test_nothing_is_fetched_from_the_web() -> None:
    """Pictures are in the repository, and the theme has no web fonts."""
    for path in PAGES:
        assert not re.findall(
            r"!\[[^\]]*\]\(\w+:|<(?:script|img|link)\b", path.read_text(encoding="utf-8")
        ), path
    assert "font = false" in (ROOT / ".zensical.toml").read_text(encoding="utf-8")
