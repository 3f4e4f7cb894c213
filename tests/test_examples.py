"""The invented news world: its pages follow from its sources, and ingesting it gives its stories."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from crawler.runs.ingest import ingest
from pipeline.settings import Settings
from storage.database import open_database
from storage.reader import articles, rejections
from tests.known_pages import EXAMPLES, examples


def _build() -> Callable[[Path], None]:
    spec = importlib.util.spec_from_file_location("examples_build", EXAMPLES / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Where the dataclasses of the script look for their own module.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
    build: Callable[[Path], None] = module.build
    return build


def _unpacked(path: Path) -> bytes:
    """Bytes without gzip framing, which depends on the version of zlib."""
    body = path.read_bytes()
    if path.suffix == ".gz" and path.name != "broken.html.gz":
        return gzip.decompress(body)
    return body


def test_the_committed_pages_follow_from_their_sources(tmp_path: Path) -> None:
    _build()(tmp_path)
    made = {p.relative_to(tmp_path): p for p in tmp_path.rglob("*") if p.is_file()}
    committed = {p.relative_to(EXAMPLES): p for p in (EXAMPLES / "news").rglob("*") if p.is_file()}
    committed[Path("truth.jsonl")] = EXAMPLES / "truth.jsonl"
    assert made.keys() == committed.keys()
    changed = [str(name) for name in made if _unpacked(made[name]) != _unpacked(committed[name])]
    assert not changed, "run python examples/build.py"


def test_the_world_has_everything_that_its_readme_names() -> None:
    rows = [json.loads(line) for line in (EXAMPLES / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    articles = [row for row in rows if "story" in row]
    copies = Counter(row["story"] for row in articles)
    in_many_outlets = {story for story, count in copies.items() if count > 1}
    assert len(in_many_outlets) >= 13
    assert sum(copies[story] for story in in_many_outlets) >= 50
    forms = {row["edit"] for row in articles}
    assert forms >= {
        "whole",
        "truncated",
        "re-headlined",
        "localised",
        "re-led",
        "restyled",
        "updated",
        "own",
    }
    assert {row["language"] for row in articles} == {"en", "de", "fr", "es", "ru", "uk"}
    size = sum(p.stat().st_size for p in (EXAMPLES / "news").rglob("*") if p.is_file())
    assert size < 1_000_000, "the examples are to stay small"


def test_ingesting_the_world_gives_its_stories(tmp_path: Path) -> None:
    settings = Settings()
    known = {k.source.location: k for k in examples(settings)}
    engine = open_database(f"sqlite:///{tmp_path / 'world.db'}")
    ended = ingest(engine, [str(EXAMPLES / "news")], workers=2, settings=settings)
    assert not ended.is_interrupted

    expected: dict[str, set[str]] = defaultdict(set)
    for location, k in known.items():
        expected[k.story].add(location)
    rejected = expected.pop("")
    found: dict[int, set[str]] = defaultdict(set)
    for article in articles(engine):
        found[article.group_id].add(article.location)
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, expected.values()))

    reasons = {row.location: str(row.reason) for row in rejections(engine)}
    assert reasons.keys() == rejected
    assert all(reason in known[location].reasons for location, reason in reasons.items())
    engine.dispose()
