"""The comparison of two databases: which rows are equal and which are different."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.compare_rows import Comparison, compare, describe, read
from benchmarks.same_rows import CommandFailed, checkout

LEFT_OUT = {("runs", "started_at"): "the clock"}
_TABLES = """
CREATE TABLE article (
    id INTEGER, url TEXT, text TEXT, group_id INTEGER, is_canonical INTEGER, rules_version TEXT
);
CREATE TABLE removal (article_id INTEGER, position INTEGER, text TEXT);
CREATE TABLE run (id INTEGER, started_at TEXT);
CREATE VIEW articles AS SELECT id, url, text, group_id, is_canonical FROM article;
CREATE VIEW removed_text AS SELECT article_id, position, text FROM removal;
CREATE VIEW runs AS SELECT id, started_at FROM run;
INSERT INTO article VALUES
    (1, 'https://a.example/', 'The ferry ran aground.', 1, 1, 'v1'),
    (2, 'https://b.example/', 'The ferry ran aground.', 1, 0, 'v1'),
    (3, 'https://c.example/', 'The bridge is open.', 3, 1, 'v1');
INSERT INTO removal VALUES (3, 0, 'Advertisement'), (3, 1, 'Read more');
"""

Compared = Callable[[str], Comparison]


@pytest.fixture
def compared(tmp_path: Path) -> Compared:
    """Compares a small database with one in which statements have changed something."""

    def make(name: str, scripts: Sequence[str]) -> str:
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as connection:
            for script in (_TABLES, *scripts):
                connection.executescript(script)
        return f"sqlite:///{tmp_path / name}.db"

    def run(script: str) -> Comparison:
        before = make("before", ["INSERT INTO run VALUES (1, '2026-03-01T10:00:00Z');"])
        after = make("after", ["INSERT INTO run VALUES (1, '2026-03-01T12:00:00Z');", script])
        return compare(read(before), read(after), LEFT_OUT)

    return run


def test_equal_databases_have_no_differences_in_compared_columns(compared: Compared) -> None:
    found = compared("")
    assert found.differing == 0
    assert {name: view.as_cell() for name, view in found.views.items()} == {
        "articles": "3",
        "removed_text": "2",
        "runs": "1",
    }
    assert found.versions == {"article.rules_version": "the same (v1)"}


def test_a_column_that_is_left_out_is_compared_for_null(compared: Compared) -> None:
    found = compared("UPDATE run SET started_at = NULL;")
    (difference,) = found.views["runs"].differences
    assert difference.columns == ("started_at",)


def test_a_cell_that_differs_is_named_with_its_row_and_column(compared: Compared) -> None:
    found = compared("UPDATE article SET text = 'The bridge is shut.' WHERE id = 3;")
    assert found.differing == 1
    (difference,) = found.views["articles"].differences
    assert (difference.key, difference.columns) == ("https://c.example/", ("text",))
    assert describe(difference) == ["text: 'The bridge is open.' → 'The bridge is shut.'"]


def test_a_removed_line_that_moved_is_paired_with_itself(compared: Compared) -> None:
    found = compared("DELETE FROM removal WHERE position = 0; UPDATE removal SET position = 0;")
    gone, moved = found.views["removed_text"].differences
    assert gone.after is None
    assert describe(moved) == ["position: 1 → 0"]


def test_a_missing_row_does_not_make_the_others_differ(compared: Compared) -> None:
    found = compared("DELETE FROM article WHERE id = 2;")
    (difference,) = found.views["articles"].differences
    assert (difference.key, difference.after) == ("https://b.example/", None)
    assert found.views["articles"].as_cell() == "3 → 2 (1 differ)"
    assert found.differing == 1


def test_a_duplicate_row_is_one_difference(compared: Compared) -> None:
    found = compared("INSERT INTO removal VALUES (3, 1, 'Read more');")
    (difference,) = found.views["removed_text"].differences
    assert difference.before is None


def test_rows_that_differ_in_ids_only_are_counted_separately(compared: Compared) -> None:
    found = compared(
        "UPDATE article SET id = 4, group_id = 4 WHERE id = 3;"
        "UPDATE removal SET article_id = 4; UPDATE removal SET position = 2 WHERE position = 1;"
    )
    assert found.views["articles"].as_cell() == "3 (1 differ, 1 in ids alone)"
    assert found.views["removed_text"].as_cell() == "2 (2 differ, 1 in ids alone)"


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE article ADD COLUMN title TEXT; DROP VIEW articles;"
        "CREATE VIEW articles AS SELECT id, url, text, group_id, is_canonical, title FROM article;",
        "DROP VIEW articles;"
        "CREATE VIEW articles AS SELECT url, id, text, group_id, is_canonical FROM article;",
        "CREATE VIEW sites AS SELECT url FROM article;",
    ],
    ids=["a column more", "a column moved", "a view more"],
)
def test_views_and_columns_are_compared_as_well(compared: Compared, change: str) -> None:
    found = compared(change)
    assert len(found.faults) == found.differing == 1


def test_a_version_may_have_a_different_name_in_all_rows(compared: Compared) -> None:
    found = compared("UPDATE article SET rules_version = 'v2';")
    assert found.differing == 0
    assert found.versions == {"article.rules_version": "renamed one for one: v1 → v2"}


def test_a_version_that_became_two_is_a_difference(compared: Compared) -> None:
    found = compared("UPDATE article SET rules_version = 'v2' WHERE id = 1;")
    assert found.differing == 1
    assert "inconsistently: v1 → v1; v1 → v2" in found.faults[0]


def test_a_checkout_must_be_the_code_that_its_interpreter_runs(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="not from"):
        checkout("after", tmp_path, Path(sys.executable), tmp_path)
