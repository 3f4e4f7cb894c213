"""Each thing that must hold is broken by hand: it is found by its name, and mended where that can be."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crawler.runs.ingest import ingest
from pipeline.document import Outcome
from pipeline.errors import OperatorError
from pipeline.settings import Settings
from storage import writer
from storage.database import connect, open_database, upgrade
from storage.upkeep import (
    ForgetTarget,
    check_groups,
    check_integrity,
    forget_targets,
    integrity,
    plan_prune,
    prune_pages,
    repair_faults,
)
from storage.writing.learning import learn
from tests.storage.bases import SCHEMAS, load
from tests.storage.news import SETTINGS, START, article, contents, rejection, store, story, view, wire
from tests.storage.upkeep.rows_of_tables import NOW

NEWS = Path(__file__).parents[3] / "examples" / "news"


def faults(engine: Engine) -> dict[str, int]:
    return {finding.check: finding.count for finding in check_integrity(engine) if finding.count}


def damage(engine: Engine, *statements: str) -> None:
    """Runs statements as no program of ours would: without foreign keys and checks."""
    connection = engine.raw_connection()
    cursor = connection.cursor()
    if engine.dialect.name == "sqlite":
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute("PRAGMA ignore_check_constraints = ON")
    else:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("ALTER TABLE pair DROP CONSTRAINT IF EXISTS pair_once")
    for statement in statements:
        cursor.execute(statement)
    connection.commit()
    cursor.close()
    connection.invalidate()


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Copies, a lone article (25), one with an older text (26), a rejection with a page and one without."""
    url = "https://alone.example/2"
    outcomes: list[Outcome] = [
        *wire(24),
        article("https://alone.example/1", story(900)),
        article(url, story(901)),
        article(url, story(902), START.replace(hour=12)),
        rejection("https://alone.example/list"),
        rejection("https://alone.example/none", page=None),
    ]
    store(engine, outcomes, batch=16)
    learn(engine)
    return engine


# name of the check -> statements that break what it is about; {group} has 3 or more members, {copy} is one
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
        " publisher, claims, size, body FROM page WHERE id = 1",
    ),
    "fingerprint versions": ("INSERT INTO sketch (id, version) VALUES (77, 'of-old')",),
    "bands": (
        "DELETE FROM band WHERE article_id = 5",
        "INSERT INTO band (key, position, article_id) VALUES (123456, 7, 6), (7, 7, 4444)",
    ),
    "pairs": ("UPDATE pair SET a = b, b = a WHERE a = {first} AND b = {copy}",),
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
def test_what_is_derived_is_found_and_mended(filled: Engine, name: str) -> None:
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
    # The document is processed again when it comes, and then its text has one again.
    assert left == ({"texts"} if name == "documents" else set())
    assert next(f.mended for f in after if f.check == name) > 0
    if name not in ("references", "pairs"):
        assert contents(filled) == before
    if name == "documents":
        store(filled, wire(24))
        assert faults(filled) == {}


def test_a_mended_index_groups_what_comes_as_ever(filled: Engine, tmp_path: Path) -> None:
    fresh = open_database(f"sqlite:///{tmp_path / 'fresh.db'}")
    store(fresh, [*wire(24), *wire(60)[24:]])
    damage(
        filled,
        "DELETE FROM band WHERE article_id < 15",
        "UPDATE article SET group_id = id, is_canonical = TRUE WHERE id < 20",
    )
    assert {"bands", "groups"} <= faults(filled).keys()
    assert all(finding.count == 0 for finding in repair_faults(filled, check_integrity(filled)))
    writer.remove_articles(filled, [25, 26], SETTINGS)
    store(filled, wire(60)[24:])
    one, other = contents(filled), contents(fresh)
    assert one["groups"] == other["groups"]
    assert one["canonical"] == other["canonical"]
    assert one["copies"] == other["copies"]
    fresh.dispose()


@pytest.mark.parametrize("size", [1, 3])
def test_groups_are_mended_in_parts(filled: Engine, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All articles in one group, then each in one of its own, then strangers in a group of a wrong name."""
    monkeypatch.setattr(check_groups, "AT_ONCE", size)
    before = contents(filled)
    for statement in (
        "UPDATE article SET group_id = 1, is_canonical = (id = 1)",
        "UPDATE article SET group_id = id, is_canonical = TRUE",
        "UPDATE article SET group_id = 999, is_canonical = FALSE WHERE id % 3 = 0",
    ):
        damage(filled, statement)
        assert "groups" in faults(filled)
        assert all(finding.count == 0 for finding in repair_faults(filled, check_integrity(filled)))
        assert contents(filled) == before


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
def test_what_cannot_be_mended_is_told(filled: Engine, name: str, statement: str) -> None:
    if statement:
        damage(filled, statement)
    else:  # a forgetting that was killed after its first step
        forget_targets(filled, ForgetTarget(urls=("https://alone.example/1",)), settings=SETTINGS, now=NOW)
        damage(filled, "UPDATE article SET url = 'https://alone.example/1' WHERE id = 26")
    assert name in faults(filled)
    left = {
        finding.check: finding for finding in repair_faults(filled, check_integrity(filled)) if finding.count
    }
    # Of a revision without its article the documents go, which only told whose it was.
    assert set(left) - {name} <= ({"texts"} if name == "references" else set())
    assert left[name].advice


def test_whatever_was_done_to_a_base_it_is_well(engine: Engine, tmp_path: Path) -> None:
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
def test_a_base_of_an_older_schema_is_well_when_upgraded(empty_database_url: str, of: str) -> None:
    load(empty_database_url, of)
    engine = connect(empty_database_url)
    upgrade(engine)
    assert faults(engine) == {}
    engine.dispose()


def test_names_of_checks_differ_and_are_asked_for_alone(filled: Engine) -> None:
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


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize("how", ["index", "page"])
def test_a_damaged_file_is_found_in_it(filled: Engine, how: str) -> None:
    path = Path(filled.url.database or "")
    filled.dispose()
    spoil: Callable[[Path], None] = _spoil_index if how == "index" else _spoil_page
    spoil(path)
    engine = open_database(f"sqlite:///{path}", create=False)
    found = {finding.check: finding for finding in check_integrity(engine) if finding.count}
    assert "file" in found
    left = {finding.check for finding in repair_faults(engine, list(found.values())) if finding.count}
    assert ("file" in left) == (how == "page"), "an index is made anew, a lost page is not"
    engine.dispose()


def _spoil_index(path: Path) -> None:
    """Changes a row while an index of its table is out of the schema."""
    named = "FROM sqlite_master WHERE name = 'article_site'"
    for statements in (
        (f"CREATE TABLE kept AS SELECT * {named}", "PRAGMA writable_schema = ON", f"DELETE {named}"),
        ("UPDATE article SET site = 'elsewhere.example' WHERE id = 3",),
        ("PRAGMA writable_schema = ON", "INSERT INTO sqlite_master SELECT * FROM kept", "DROP TABLE kept"),
    ):
        with sqlite3.connect(path) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()


def _spoil_page(path: Path) -> None:
    """Overwrites a page in the middle of the table of pages."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'removal'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
