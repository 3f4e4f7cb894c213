"""Each check finds its fault, and repairs it if that is possible."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crawler.runs.ingest import ingest
from pipeline.errors import OperatorError
from pipeline.settings import Settings
from storage.database import connect, upgrade
from storage.upkeep import (
    ForgetTarget,
    check_integrity,
    forget_targets,
    integrity,
    plan_prune,
    prune_pages,
    repair_faults,
)
from tests.storage.bases import SCHEMAS, load
from tests.storage.news import SETTINGS, contents, rejection, store, view, wire
from tests.storage.upkeep.damage import damage, faults
from tests.storage.upkeep.rows_of_tables import NOW

NEWS = Path(__file__).parents[3] / "examples" / "news"


# name of the check -> statements that cause its fault; {group} has 3 or more members, {copy} is one
# of them and neither first nor canonical, {first} its first; {pair} is two of them.
BROKEN: dict[str, tuple[str, ...]] = {
    "references": (
        "DELETE FROM article WHERE id = 25",
        "DELETE FROM page WHERE id = (SELECT min(page_id) FROM article)",
    ),
    "revisions": ("UPDATE article SET revision = 7 WHERE id = 3",),
    "documents": ("UPDATE document SET text_hash = location_hash",),
    "gone articles": ("UPDATE article SET gone_at = (SELECT min(first_seen_at) FROM article) WHERE id = 26",),
    "pages": (
        "INSERT INTO page SELECT 9999, sha256, location, url, media_type, encoding, origin, fetched_us,"
        " publisher, claims, size, body, headers FROM page WHERE id = 1",
    ),
    "fingerprint versions": ("INSERT INTO sketch (id, version) VALUES (77, 'of-old')",),
    "bands": (
        "DELETE FROM band WHERE article_id = 5",
        "INSERT INTO band (key, position, article_id) VALUES (123456, 7, 6), (7, 7, 4444)",
    ),
    "pairs": ("UPDATE pair SET a = b, b = a WHERE a = {first} AND b = {copy}",),
    "bridges": ("UPDATE pair SET cut = 1 WHERE a = {first} AND b = {copy}",),
    "groups": ("UPDATE article SET group_id = {copy} WHERE id = {copy}",),
    "canonical copies": ("UPDATE article SET is_canonical = NOT is_canonical WHERE group_id = {first}",),
    "search": ("DELETE FROM search_entry WHERE article_id = 9",),
    "changes": (
        "DELETE FROM change WHERE article_id = 9",
        "UPDATE change SET gone = TRUE WHERE article_id = 8",
    ),
    "counters": (
        "UPDATE counter SET value = 3 WHERE name = 'article'",
        "DELETE FROM counter WHERE name = 'page'",
    ),
    "watchlists": ("INSERT INTO counter (name, value) VALUES ('watched', 99999)",),
    "learning": (
        "DELETE FROM sighting WHERE article_id = 4",
        "UPDATE sighting SET title = 1 WHERE article_id = 5",
        "INSERT INTO learned_line (block_id, hash, stories, is_shared, example)"
        " SELECT min(id), 12345, 9, FALSE, 1 FROM sight_block",
        "INSERT INTO sight_block (id, site, quarter, articles, changes) VALUES (999, 'no.one', 8100, 1, 0)",
    ),
}


BROKEN["documents"] = ("UPDATE document SET text_hash = digest WHERE article_id = 4",)


def broken(engine: Engine, name: str) -> None:
    groups = [row for row in view(engine, "story_groups") if row["size"] >= 3]
    first = groups[0]["id"]
    copies = [row for row in view(engine, "copies") if row["article_id"] == first]
    copy = next(r["other_id"] for r in copies if r["other_id"] != groups[0]["canonical_article_id"])
    damage(engine, *(statement.format(first=first, copy=copy) for statement in BROKEN[name]))


@pytest.mark.parametrize("name", BROKEN)
def test_faults_of_derived_rows_are_found_and_repaired(filled: Engine, name: str) -> None:
    before = contents(filled)
    assert faults(filled) == {}
    broken(filled, name)

    found = check_integrity(filled)
    wrong = {finding.check: finding for finding in found if finding.count}
    assert name in wrong
    assert wrong[name].can_mend
    assert wrong[name].samples
    assert faults(filled) == {n: f.count for n, f in wrong.items()}, "to check changes nothing"

    after = repair_faults(filled, found)
    left = {finding.check for finding in after if finding.count}
    # The document is processed when it comes again, and then its text has a document.
    assert left == ({"texts"} if name == "documents" else set())
    assert next(f.mended for f in after if f.check == name) > 0
    if name not in ("references", "pairs"):
        assert contents(filled) == before
    if name == "documents":
        store(filled, wire(24))
        assert faults(filled) == {}


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("references", "DELETE FROM article WHERE id = 26"),
        ("references", "UPDATE rejection SET run_id = 99"),
        ("texts", "DELETE FROM document WHERE article_id = 3"),
        ("runs", "UPDATE run SET seen = seen + 1"),
        ("runs", "UPDATE run SET reasons = '{}'"),
        ("tombstones", ""),
    ],
)
def test_faults_that_cannot_be_repaired_are_reported(filled: Engine, name: str, statement: str) -> None:
    if statement:
        damage(filled, statement)
    else:  # a forgetting that was killed after its first step
        forget_targets(filled, ForgetTarget(urls=("https://alone.example/1",)), settings=SETTINGS, now=NOW)
        damage(filled, "UPDATE article SET url = 'https://alone.example/1' WHERE id = 26")
    assert name in faults(filled)
    left = {
        finding.check: finding for finding in repair_faults(filled, check_integrity(filled)) if finding.count
    }
    # The documents of a revision without its article are deleted, because they only named it.
    assert set(left) - {name} <= ({"texts"} if name == "references" else set())
    assert left[name].advice


def test_a_database_is_sound_after_any_writes(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "news"
    shutil.copytree(NEWS, folder)
    ingest(engine, [str(folder)], workers=2, settings=Settings())
    assert [finding.count for finding in check_integrity(engine)] == [0] * len(check_integrity(engine))
    store(engine, [*wire(50), rejection("x")], batch=9)
    prune_pages(engine, plan_prune(engine, keep_size=30_000))
    forget_targets(engine, ForgetTarget(sites=("site1.example",)), settings=SETTINGS, now=NOW)
    store(engine, wire(60, seed=2), batch=9)
    assert faults(engine) == {}
    everything = ForgetTarget(sites=tuple({row["site"] for row in view(engine, "articles")} - {""}))
    forget_targets(engine, everything, settings=SETTINGS, now=NOW)
    assert faults(engine) == {}


@pytest.mark.parametrize("of", SCHEMAS)
def test_an_upgraded_database_is_sound(empty_database_url: str, of: str) -> None:
    load(empty_database_url, of)
    engine = connect(empty_database_url)
    upgrade(engine)
    assert faults(engine) == {}
    engine.dispose()


def test_names_of_checks_are_different_and_each_can_be_run_alone(filled: Engine) -> None:
    names = [finding.check for finding in check_integrity(filled)]
    assert len(set(names)) == len(names)
    told: list[str] = []
    assert [f.check for f in check_integrity(filled, only=["bands", "runs"], began=told.append)] == [
        "bands",
        "runs",
    ]
    assert told == ["bands", "runs"]
    with pytest.raises(OperatorError, match="there is no check nothing: the checks are file, references"):
        check_integrity(filled, only=["nothing"])


def test_many_faults_are_counted_and_a_few_shown(filled: Engine) -> None:
    damage(filled, "DELETE FROM band")
    (found,) = check_integrity(filled, only=["bands"])
    assert found.count > 500
    assert len(found.samples) == integrity.SAMPLES
