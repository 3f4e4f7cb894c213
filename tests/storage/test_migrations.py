"""Databases of older schemas with data: upgraded, read, written to, and left alone if required."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, insert, make_url, select, update
from typer.testing import CliRunner

from copydesk.cli import app
from crawler.runs.ingest import ingest
from crawler.runs.refingerprint import refingerprint
from crawler.runs.reprocess import reprocess
from pipeline.settings import Settings
from storage import reader, schema
from storage.database import DatabaseError, begin_write, connect, open_database, upgrade, version, versions
from storage.writer import BatchCounts, other_fingerprints
from storage.writing.tombstones import list_tombstones, withheld_urls
from tests.storage.bases import PAGES, SCHEMAS, load
from tests.storage.news import contents

SETTINGS = Settings()

Rows = dict[str, tuple[list[str], list[tuple[Any, ...]]]]


@pytest.fixture(params=SCHEMAS)
def old_url(request: pytest.FixtureRequest, empty_database_url: str) -> str:
    """URL of a database of an older schema, as that release made it."""
    load(empty_database_url, request.param)
    return empty_database_url


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the pages that every database was made from."""
    folder = tmp_path_factory.mktemp("pages")
    for path in PAGES:
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def fresh(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The rows of a database that the present code makes of these pages."""
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('fresh') / 'fresh.db'}")
    ingest_pages(engine, pages)
    found = contents(engine)
    engine.dispose()
    return found


def ingest_pages(engine: Engine, folder: Path) -> BatchCounts:
    """One run for each archive, named without its folder, as when the old databases were made."""
    counts = BatchCounts()
    before = os.getcwd()
    os.chdir(folder)
    try:
        for path in PAGES:
            counts += ingest(engine, [path.name], workers=1, settings=SETTINGS).counts
    finally:
        os.chdir(before)
    return counts


def read(url: str) -> Rows:
    """Names and rows of the public views and their tables, read with a plain driver."""
    found: Rows = {}
    for name in (
        "articles",
        "unique_articles",
        "story_groups",
        "copies",
        "removed_text",
        "rejections",
        "runs",
    ):
        found[name] = rows(url, f"SELECT * FROM {name}")  # noqa: S608
    found["pages"] = rows(url, "SELECT id, sha256, location, url, fetched_us, body FROM page")
    found["revisions"] = rows(url, "SELECT article_id, text_hash, title, text FROM revision")
    found["documents"] = rows(url, "SELECT location, digest, article_id, text_hash, alias FROM document")
    found["validators"] = rows(url, "SELECT url, etag, last_modified, fetched_at FROM fetch_state")
    found["ids given out"] = rows(url, "SELECT name, value FROM counter WHERE name IN ('article', 'page')")
    return found


def rows(url: str, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    parsed = make_url(url)
    connected: Any = (
        sqlite3.connect(parsed.database or "")
        if parsed.get_backend_name() == "sqlite"
        else psycopg.connect(url)
    )
    with closing(connected) as connection:
        cursor = connection.execute(query)
        return [column[0] for column in cursor.description], sorted(cursor.fetchall(), key=repr)


def test_every_schema_of_a_release_has_its_database() -> None:
    assert "0001" in SCHEMAS
    assert set(SCHEMAS) <= versions.known_versions()


def test_an_old_database_has_rows_in_every_table(old_url: str) -> None:
    found = read(old_url)

    for name, (_, values) in found.items():
        assert values, name
    names, articles = found["articles"]
    assert max(row[names.index("revision")] for row in articles) > 1
    assert not all(row[names.index("is_canonical")] for row in articles)


def test_upgrading_keeps_all_rows(old_url: str) -> None:
    before = read(old_url)
    done = CliRunner().invoke(app, ["db", "upgrade", "--db", old_url])

    assert done.exit_code == 0, done.output
    after = read(old_url)
    for name, (columns, values) in before.items():
        names, found = after[name]
        assert names[: len(columns)] == columns, name
        assert [row[: len(columns)] for row in found] == values, name
    engine = open_database(old_url, create=False)
    assert version(engine).is_current
    contents(engine)  # groups, canonical copies and pairs agree
    engine.dispose()
    checked = CliRunner().invoke(app, ["db", "check", "--db", old_url])
    assert checked.exit_code == 0, checked.output


def test_an_upgraded_database_has_the_schema_of_a_new_one(old_url: str, database_url: str) -> None:
    engine = connect(old_url)
    upgrade(engine)
    engine.dispose()

    assert described(old_url) == described(database_url)


def described(url: str) -> list[tuple[Any, ...]]:
    """Tables with their columns, views, indexes and triggers, as the database itself describes them."""
    if make_url(url).get_backend_name() == "sqlite":
        _, tables = rows(
            url,
            """SELECT m.name, c.cid, c.name, c.type, c."notnull", c.dflt_value, c.pk
               FROM sqlite_master m, pragma_table_xinfo(m.name) c WHERE m.type IN ('table', 'view')""",
        )
        _, others = rows(
            url,
            "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type IN ('index', 'view', 'trigger')",
        )
        return [*tables, *others]
    _, columns = rows(
        url,
        """SELECT c.relname, c.relkind, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
                  a.attnotnull, a.attstorage, pg_get_expr(d.adbin, d.adrelid)
           FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'p', 'm')""",
    )
    _, indexes = rows(
        url, "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    )
    _, keys = rows(
        url,
        """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
           WHERE connamespace = 'public'::regnamespace""",
    )
    _, views = rows(url, "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'")
    _, others = rows(
        url,
        """SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
           UNION ALL SELECT proname, pg_get_functiondef(oid) FROM pg_proc
           WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'""",
    )
    return [*columns, *indexes, *keys, *views, *others]


def test_the_same_pages_add_nothing_and_give_the_rows_of_a_new_database(
    old_url: str, pages: Path, fresh: dict[str, Any]
) -> None:
    engine = connect(old_url)
    upgrade(engine)
    articles = reader.counts(engine).articles
    if other_fingerprints(engine, SETTINGS):
        with pytest.raises(DatabaseError, match="reprocess --fingerprints"):
            ingest_pages(engine, pages)
        refingerprint(engine, settings=SETTINGS)
    with engine.connect() as connection:
        made_by = set(connection.execute(select(schema.document.c.rules_version)).scalars())
    counts = ingest_pages(engine, pages)

    assert (counts.stored, counts.revised) == (0, 0)
    assert counts.seen == counts.updated + counts.unchanged + counts.rejected
    if made_by == {SETTINGS.rules_version}:
        assert counts.updated == 0
    assert reader.counts(engine).articles == articles
    assert contents(engine) == fresh
    engine.dispose()


def test_the_stored_pages_of_an_upgraded_database_are_processed_again(
    old_url: str, fresh: dict[str, Any]
) -> None:
    engine = connect(old_url)
    upgrade(engine)
    refingerprint(engine, settings=SETTINGS)
    reprocess(engine, workers=1, settings=SETTINGS)

    assert contents(engine) == fresh
    engine.dispose()


def test_an_upgrade_that_fails_changes_nothing(old_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, described_before = read(old_url), described(old_url)
    updated = MigrationContext.run_migrations

    def fails(context: MigrationContext, **options: Any) -> None:
        updated(context, **options)
        raise RuntimeError("the power is out")

    monkeypatch.setattr(MigrationContext, "run_migrations", fails)
    engine = connect(old_url)
    with pytest.raises(RuntimeError, match="the power is out"):
        upgrade(engine)
    engine.dispose()

    assert (read(old_url), described(old_url)) == (before, described_before)
    monkeypatch.undo()
    engine = connect(old_url)
    assert upgrade(engine).is_current
    engine.dispose()


def test_an_old_database_is_upgraded_only_when_asked(old_url: str) -> None:
    before = described(old_url)

    with pytest.raises(
        DatabaseError, match=r"has schema \d+, this Copydesk works with .*copydesk db upgrade"
    ):
        open_database(old_url)
    assert described(old_url) == before
    done = CliRunner().invoke(app, ["db", "current", "--db", old_url])
    assert "run copydesk db upgrade" in done.output


# Tombstones as they were before 0014: kind, value, what the key was made of, and whose alias.
OLD_TOMBSTONES = [
    ("url", "https://www.gazette.example/a", "gazette.example/a", None),
    ("url", "https://gazette.example:8443/a", "gazette.example:8443/a", None),
    ("url", "https://gazette.example/x%2Fb", "gazette.example/x%2Fb", "gazette.example/a"),
    ("site", "post.example", "post.example", None),
]


@pytest.mark.parametrize("old_url", [one for one in SCHEMAS if one <= "0013"], indirect=True)
def test_tombstones_and_encoded_hosts_are_renewed(old_url: str) -> None:
    engine = connect(old_url)
    with begin_write(engine) as connection:
        config = versions.alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0013")
        keys = {}
        for n, (kind, value, name, of) in enumerate(OLD_TOMBSTONES):
            keys[name] = hashlib.sha256(f"{kind}\0{name}".encode()).digest()[:16]
            row = {"kind": kind, "value": value, "key": keys[name], "alias_of": keys.get(of or "")}
            at = datetime(2026, 1, 1 + n, tzinfo=UTC)
            connection.execute(insert(schema.tombstone).values(**row, at=at, reason=f"reason {n}"))
        first, second = connection.execute(select(schema.article.c.id).limit(2)).scalars()
        for id, url in ((first, "https://ex%61mple.com/a"), (second, "https://ex%61mple.com/a#")):
            change = update(schema.article).where(schema.article.c.id == id)
            connection.execute(change.values(url=url, site="ex%61mple.com"))
    assert upgrade(engine).is_current

    stones = {stone.value: stone for stone in list_tombstones(engine)}
    assert stones.keys() == {"https://www.gazette.example/a", "post.example"}, "one page has one tombstone"
    stone = stones["https://www.gazette.example/a"]
    assert (stone.at, stone.reason) == (datetime(2026, 1, 1, tzinfo=UTC), "reason 0")
    assert stone.aliases == ("https://gazette.example/x%2Fb",)
    asked = ["https://gazette.example:81/a", "http://gazette.example/x/b", "https://post.example/1"]
    assert withheld_urls(engine, [*asked, "https://gazette.example/c"]) == set(asked)
    with engine.connect() as reading:
        found = select(schema.article.c.url, schema.article.c.site).where(
            schema.article.c.id.in_([first, second])
        )
        assert set(reading.execute(found).tuples()) == {
            ("https://example.com/a", "example.com"),
            ("https://ex%61mple.com/a#", "ex%61mple.com"),
        }
    engine.dispose()


def test_a_database_is_never_downgraded(engine: Engine) -> None:
    before = version(engine)
    config = versions.alembic_config()
    with begin_write(engine) as connection:
        config.attributes["connection"] = connection
        with pytest.raises(NotImplementedError, match="never downgraded; restore a backup"):
            command.downgrade(config, "-1")

    assert version(engine) == before
    for script in ScriptDirectory.from_config(config).walk_revisions():
        with pytest.raises(NotImplementedError, match="never downgraded"):
            script.module.downgrade()
