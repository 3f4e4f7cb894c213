"""Wrong groups are found and repaired in parts."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from storage.upkeep import check_groups, check_integrity, repair_faults
from tests.storage.news import contents
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
