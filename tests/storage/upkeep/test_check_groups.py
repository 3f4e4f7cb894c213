"""Wrong groups are found and repaired in parts."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from storage.upkeep import check_groups, check_integrity, repair_faults
from tests.storage.news import article, contents, store, story
from tests.storage.upkeep.damage import damage, faults


@pytest.mark.parametrize("size", [1, 3])
def test_groups_are_repaired_in_parts(filled: Engine, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All articles in one group, then each in its own, then unrelated articles in a group of a wrong name."""
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


def test_a_pair_that_joins_again_though_a_page_holds_two_stories_is_found_and_repaired(
    engine: Engine,
) -> None:
    one, two = story(1), story(2, 150)
    page = article("https://briefs.example/1", f"{one}\n{two}")
    store(engine, [article("https://a.example/1", one), article("https://b.example/2", two), page])
    before = contents(engine)
    assert len(before["groups"]) == 2
    damage(engine, "UPDATE pair SET cut = NULL", "UPDATE article SET group_id = 1, is_canonical = (id = 1)")

    assert faults(engine) == {"bridges": 1}
    assert [f.count for f in repair_faults(engine, check_integrity(engine)) if f.count] == []
    assert contents(engine) == before
