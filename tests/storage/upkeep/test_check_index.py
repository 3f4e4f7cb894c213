"""A repaired index groups new articles as a whole one does."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from storage import writer
from storage.database import open_database
from storage.upkeep import check_integrity, repair_faults
from tests.storage.news import SETTINGS, contents, store, wire
from tests.storage.upkeep.damage import damage, faults


def test_a_repaired_index_groups_new_articles_correctly(filled: Engine, tmp_path: Path) -> None:
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
