"""Directions of features, and that the shipped trees keep to them."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.extract.model.columns import Array
from pipeline.extract.model.predict import FEATURES
from pipeline.extract.model.trees import load_model
from training.monotone import direction


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("own", 1),
        ("up2.kept", 1),
        ("window4.ruled", 1),
        ("rule.structure.caption", -1),
        ("link_density", -1),
        ("up0.links", -1),
        ("words", 0),
        ("depth", 0),
    ],
)
def test_readers_speak_for_a_block_and_rules_and_links_against_it(feature: str, expected: int) -> None:
    assert feature in FEATURES
    assert direction(feature) == expected


def test_the_shipped_trees_keep_to_the_directions() -> None:
    """Of blocks that differ in one feature alone, the probabilities differ in its direction or not at all."""
    model = load_model()
    rng = np.random.default_rng(17)
    seen = 0
    for column, name in enumerate(model.columns):
        used = model.threshold[(model.feature == column) & np.isfinite(model.threshold)]
        if not direction(name) or not len(used):
            continue
        # Every feature takes a value beside one of the thresholds of the trees.
        rows = np.stack(
            [_beside(model.threshold[model.feature == n], rng) for n in range(len(model.columns))]
        )
        low, high = rows.copy(), rows.copy()
        low[column], high[column] = used.min() - 1, used.max() + 1
        before, after = model.probabilities(low), model.probabilities(high)
        assert (direction(name) * (after - before) >= -1e-6).all(), name
        seen += int((before != after).any())
    assert seen >= 90


_BLOCKS = 400


def _beside(thresholds: Array, rng: np.random.Generator) -> Array:
    """Values just above and just below thresholds of one feature, (_BLOCKS,)."""
    at = rng.choice(thresholds[np.isfinite(thresholds)], _BLOCKS)
    return np.asarray(at + rng.choice(np.array([-1e-3, 1e-3]), _BLOCKS), dtype=np.float32)
