"""Damage of the file itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from storage.database import open_database
from storage.upkeep import check_integrity, repair_faults


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
