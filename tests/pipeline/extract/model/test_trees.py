"""The trees of the block model as arrays: the same leaves as walking the trees."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from pipeline.extract.model.name_features import TokenOdds
from pipeline.extract.model.predict import FEATURES
from pipeline.extract.model.trees import BlockModel, load_model


def stump(feature: int, threshold: float, left: float, right: float) -> BlockModel:
    """One tree of two leaves over the column `words`."""
    limits = np.array([[threshold], [np.inf]], dtype=np.float32)
    masks = np.array([[0b1], [0]], dtype=np.uint32)
    leaves = np.zeros((1, 32), dtype=np.float32)
    leaves[0, :2] = left, right
    return BlockModel(TokenOdds({}), ("words",), np.full((2, 1), feature), limits, masks, leaves)


def test_a_stump_sends_greater_values_right() -> None:
    model = stump(0, 10.0, left=-2.0, right=2.0)
    found = model.probabilities(np.array([[9.0, 10.0, 10.5]], dtype=np.float32))
    low, high = 1 / (1 + np.exp(2.0)), 1 / (1 + np.exp(-2.0))
    assert found == pytest.approx([low, low, high], abs=1e-6)


def test_trees_exit_where_walking_them_exits() -> None:
    # ((x0 <= 0 ? A : B) under x1 <= 0) else (x0 <= 5 ? C : D), nodes in any order
    model = BlockModel(
        odds=TokenOdds({}),
        columns=("words", "chars"),
        feature=np.array([[1], [0], [0]]),
        threshold=np.array([[0.0], [5.0], [0.0]], dtype=np.float32),
        removed=np.array([[0b0011], [0b0100], [0b0001]], dtype=np.uint32),
        leaves=np.array([[0.0, 1.0, 2.0, 3.0, *[9.0] * 28]], dtype=np.float32),
    )

    def walked(x0: float, x1: float) -> float:
        if x1 <= 0:
            return 0.0 if x0 <= 0 else 1.0
        return 2.0 if x0 <= 5 else 3.0

    rows = [(x0, x1) for x0 in (-1.0, 0.0, 3.0, 5.0, 7.0) for x1 in (-1.0, 0.0, 2.0)]
    found = model.probabilities(np.array(rows, dtype=np.float32).T)
    assert found == pytest.approx([1 / (1 + np.exp(-walked(*row))) for row in rows], abs=1e-6)


def test_a_tree_may_have_32_leaves() -> None:
    # Node k sends values up to k to leaf k, and greater values on to node k + 1.
    model = BlockModel(
        odds=TokenOdds({}),
        columns=("words",),
        feature=np.zeros((31, 1), dtype=np.intp),
        threshold=np.arange(31, dtype=np.float32)[:, None],
        removed=np.array([[1 << leaf] for leaf in range(31)], dtype=np.uint32),
        leaves=np.linspace(-3.0, 3.0, 32, dtype=np.float32)[None, :],
    )
    found = model.probabilities(np.arange(32, dtype=np.float32)[None, :])
    assert found == pytest.approx(1 / (1 + np.exp(-model.leaves[0])), abs=1e-6)


def test_a_page_of_many_blocks_is_judged_as_in_one_piece() -> None:
    model = load_model()
    rng = np.random.default_rng(4)
    matrix = rng.normal(scale=30, size=(len(model.columns), 1300)).astype(np.float32)
    whole = model.probabilities(matrix)
    apart = np.concatenate([model.probabilities(block[:, None]) for block in matrix.T])
    assert whole == pytest.approx(apart, abs=1e-5)


def test_the_model_is_small_and_reads_only_features_that_are_made() -> None:
    stored = resources.files("pipeline.extract.model").joinpath("blockmodel.npz").read_bytes()
    assert len(stored) < 1_000_000
    assert set(load_model().columns) <= set(FEATURES)
