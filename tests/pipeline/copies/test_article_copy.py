"""An article as grouping sees it: a record that goes into sets and cannot be changed."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from tests.pipeline.copies.stories import story


def test_copies_are_equal_by_their_values() -> None:
    one = story("The ferry sails on.", id=1)
    assert {one, replace(one), pickle.loads(pickle.dumps(one))} == {one}
    assert replace(one, agency="AP") != one


def test_a_copy_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        story("The ferry sails on.").text = ""  # type: ignore[misc]
