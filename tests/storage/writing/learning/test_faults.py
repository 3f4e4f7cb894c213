"""Learned lines that do not follow from the articles are found, and learned again."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from storage.writing.learning import learn
from storage.writing.learning.faults import find_learning_faults, learn_anew
from tests.storage.news import store
from tests.storage.upkeep.damage import damage
from tests.storage.writing.learning.told import FURNITURE, SITE, lines_of, told


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM learned_line",
        "DELETE FROM sighting WHERE article_id = 4",
        "UPDATE learned_line SET stories = 9",
    ],
)
def test_wrong_learned_lines_are_learned_again(engine: Engine, statement: str) -> None:
    store(engine, [told(n, FURNITURE) for n in range(6)])
    learn(engine)
    with engine.connect() as connection:
        assert list(find_learning_faults(connection)) == []
    damage(engine, statement)
    with engine.connect() as connection:
        assert list(find_learning_faults(connection)) != []

    learn_anew(engine)

    assert lines_of(engine) == {(SITE, FURNITURE, 6)}
    with engine.connect() as connection:
        assert list(find_learning_faults(connection)) == []
