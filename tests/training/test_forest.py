"""Trained trees as arrays: the same log-odds as walking the trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract.model.trees import load_model
from training.forest import MAX_LEAVES, export, save

COLUMNS = ("words", "chars", "commas", "quotes")
_VALUES = st.floats(-5, 5, width=32)


@dataclass
class Booster:
    """The part of a LightGBM booster that `export` uses."""

    trees: list[Mapping[str, Any]]

    def dump_model(self) -> Mapping[str, Any]:
        return {"tree_info": [{"tree_structure": tree} for tree in self.trees]}


def leaves_of(node: Mapping[str, Any]) -> int:
    if "leaf_value" in node:
        return 1
    return leaves_of(node["left_child"]) + leaves_of(node["right_child"])


def walked(node: Mapping[str, Any], row: list[float]) -> float:
    while "leaf_value" not in node:
        goes_left = row[node["split_feature"]] <= node["threshold"]
        node = node["left_child"] if goes_left else node["right_child"]
    return float(node["leaf_value"])


def split(left: Mapping[str, Any], right: Mapping[str, Any], feature: int, at: float) -> Mapping[str, Any]:
    return {"split_feature": feature, "threshold": at, "left_child": left, "right_child": right}


_LEAVES = _VALUES.map(lambda value: {"leaf_value": value})
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.builds(split, inner, inner, st.integers(0, len(COLUMNS) - 1), _VALUES),
    max_leaves=MAX_LEAVES,
).filter(lambda tree: 2 <= leaves_of(tree) <= MAX_LEAVES)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(_TREES, min_size=1, max_size=3), min_size=1, max_size=2),
    st.lists(st.lists(_VALUES, min_size=4, max_size=4), min_size=1, max_size=5),
)
def test_exported_trees_give_the_mean_log_odds_of_the_boosters(
    forests: list[list[Mapping[str, Any]]], rows: list[list[float]]
) -> None:
    model = export([Booster(trees) for trees in forests], COLUMNS, {})
    matrix = np.array(rows, dtype=np.float32)[:, [COLUMNS.index(name) for name in model.columns]]
    log_odds = [sum(walked(tree, row) for trees in forests for tree in trees) / len(forests) for row in rows]
    expected = [1 / (1 + np.exp(-value)) for value in log_odds]
    assert model.probabilities(matrix.T) == pytest.approx(expected, abs=1e-5)


def test_a_threshold_between_two_float32_values_still_separates_them() -> None:
    limit = float(np.float32(0.1)) - 1e-12
    tree = split({"leaf_value": -1.0}, {"leaf_value": 1.0}, 0, limit)
    model = export([Booster([tree])], COLUMNS, {})
    assert model.probabilities(np.array([[np.float32(0.1)]], dtype=np.float32))[0] > 0.5


def test_a_saved_model_is_read_back(tmp_path: Path) -> None:
    tree = split({"leaf_value": -1.5}, {"leaf_value": 2.5}, 2, 3.0)
    model = export([Booster([tree])], COLUMNS, {"body": (0.5, -0.25)})
    path = tmp_path / "model.npz"
    save(model, path)
    read = load_model(path)
    assert read.columns == ("commas",)
    assert read.odds.words == {"body": (0.5, -0.25)}
    rows = np.array([[2.0, 3.0, 4.0]], dtype=np.float32)
    assert read.probabilities(rows).tolist() == model.probabilities(rows).tolist()
