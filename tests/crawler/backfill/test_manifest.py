"""A folder is taken up again with the same inputs, settings and versions only."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from crawler.backfill import Folder, find_parts, read_manifest
from crawler.backfill.manifest import begin, write_manifest
from pipeline.errors import OperatorError
from pipeline.settings import Settings
from pipeline.sites import SiteRulebook, SiteRules


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a.html").write_text("a")
    Path("b.html").write_text("b")
    Path("c.html").write_text("c")
    return tmp_path


def started(inputs: list[str], settings: Settings | None = None, rows: int = 10) -> None:
    chosen = settings or Settings()
    begin(Folder(str(Path("out").absolute())), find_parts(inputs, chosen), chosen, rows)


def test_a_folder_is_taken_up_again(given: Path) -> None:
    folder = Folder(str(given / "out"))
    started(["a.html", "b.html"])
    manifest = read_manifest(folder)
    assert manifest is not None
    assert manifest.inputs["files"] == 2
    write_manifest(folder, replace(manifest.finished("process"), counts={"articles": 2}))
    started(["a.html", "b.html"])
    again = read_manifest(folder)
    assert again is not None
    assert (again.stages, again.counts) == (("process",), {"articles": 2})


def test_other_inputs_are_refused(given: Path) -> None:
    started(["a.html", "b.html"])
    with pytest.raises(
        OperatorError, match=r"begun with other inputs \(b\.html, now c\.html\): name another"
    ):
        started(["a.html", "c.html"])
    with pytest.raises(OperatorError, match=r"other inputs \(2 files, now 1\)"):
        started(["a.html"])
    Path("b.html").write_text("changed")
    with pytest.raises(OperatorError, match=r"other inputs \(b\.html has changed\)"):
        started(["a.html", "b.html"])


def test_other_settings_and_versions_are_refused(given: Path) -> None:
    started(["a.html"])
    with pytest.raises(OperatorError, match=r"other settings \(rows_per_bucket: 10, now 20\)"):
        started(["a.html"], rows=20)
    with pytest.raises(OperatorError, match=r"other settings \(min_words: 0, now 7\)"):
        started(["a.html"], Settings(min_words=7))
    rules = SiteRulebook((SiteRules("gazette", ("gazette.example",), drop=("aside",)),))
    with pytest.raises(OperatorError, match=r"other settings \(site_rules: "):
        started(["a.html"], Settings(site_rules=rules))
    with pytest.raises(OperatorError, match=r"other versions \(rules: "):
        started(["a.html"], Settings(extractor="trafilatura"))


def test_a_folder_of_something_else_is_refused(given: Path) -> None:
    Path("out").mkdir()
    Path("out/thesis.txt").write_text("mine")
    with pytest.raises(OperatorError, match="not empty, and not the folder of a backfill"):
        started(["a.html"])
    Path("out/manifest.json").write_text("{")
    with pytest.raises(OperatorError, match="not the manifest of a backfill"):
        started(["a.html"])


def test_a_folder_of_another_format_is_refused(given: Path) -> None:
    started(["a.html"])
    path = Path("out/manifest.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 0}))
    with pytest.raises(OperatorError, match=r"another release of Copydesk \(format 0\)"):
        started(["a.html"])
