"""Counters, changes, search entries and runs that do not agree with the articles."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from storage.upkeep import check_records
from tests.storage.upkeep.damage import Find, Mend, assert_found_and_repaired, damage


@pytest.mark.parametrize(
    ("statement", "find", "mend"),
    [
        (
            "UPDATE counter SET value = 3 WHERE name = 'article'",
            check_records.find_late_counters,
            check_records.mend_counters,
        ),
        (
            "DELETE FROM search_entry WHERE article_id = 9",
            check_records.find_wrong_search,
            check_records.mend_search,
        ),
        (
            "DELETE FROM change WHERE article_id = 9",
            check_records.find_wrong_changes,
            check_records.mend_changes,
        ),
    ],
)
def test_one_fault_is_found_and_repaired(filled: Engine, statement: str, find: Find, mend: Mend) -> None:
    assert_found_and_repaired(filled, statement, find, mend)


def test_a_run_whose_counts_do_not_add_up_is_found(filled: Engine) -> None:
    with filled.connect() as connection:
        assert list(check_records.find_wrong_runs(connection)) == []
    damage(filled, "UPDATE run SET seen = seen + 1")
    with filled.connect() as connection:
        assert len(list(check_records.find_wrong_runs(connection))) == 1
