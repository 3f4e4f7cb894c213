"""Sightings are brought up to date a part at a time."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, select

from storage import schema
from storage.database import begin_write
from storage.writing.learning import sightings
from tests.storage.news import store
from tests.storage.writing.learning.told import FURNITURE, told


def test_changed_articles_are_processed_in_parts_and_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sightings, "AT_ONCE", 2)
    store(engine, [told(n, FURNITURE) for n in range(3)])
    seen = []
    for _ in range(3):
        with begin_write(engine) as connection:
            seen.append(sightings.renew_next(connection))

    assert seen == [2, 1, 0]
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.sighting)) == 3
