"""Converts trained trees to the arrays of `pipeline.extract.model.trees`, and writes the model's file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.extract.model.name_features import TokenOdds
from pipeline.extract.model.trees import BlockModel

# Most leaves of one tree. `BlockModel` stores them as bits of 32-bit numbers.
MAX_LEAVES = 31


def export(
    boosters: Sequence[Any], columns: Sequence[str], odds: Mapping[str, tuple[float, float]]
) -> BlockModel:
    """The trees of LightGBM boosters as a `BlockModel` that averages their log-odds.

    columns: names of the features that the boosters were trained on, in order. The model keeps those in use.
    """
    trees = [tree for booster in boosters for tree in booster.dump_model()["tree_info"]]
    parts = [_flat_tree(tree["tree_structure"]) for tree in trees]
    used = sorted({feature for nodes, _ in parts for feature, _, _ in nodes})
    place = {feature: number for number, feature in enumerate(used)}
    shape = (MAX_LEAVES - 1, len(parts))
    feature = np.zeros(shape, dtype=np.intp)
    threshold = np.full(shape, np.inf, dtype=np.float32)
    removed = np.zeros(shape, dtype=np.uint32)
    leaves = np.zeros((len(parts), MAX_LEAVES), dtype=np.float32)
    for number, (nodes, values) in enumerate(parts):
        for at, (column, limit, mask) in enumerate(nodes):
            feature[at, number] = place[column]
            # Rounded down, so that float32 values fall to the same side as in double precision.
            single = np.float32(limit)
            threshold[at, number] = (
                single if float(single) <= limit else np.nextafter(single, np.float32(-np.inf))
            )
            removed[at, number] = mask
        leaves[number, : len(values)] = np.array(values) / len(boosters)
    return BlockModel(TokenOdds(odds), tuple(columns[i] for i in used), feature, threshold, removed, leaves)


def _flat_tree(root: Mapping[str, Any]) -> tuple[list[tuple[int, float, int]], list[float]]:
    """Nodes as (column, threshold, bits of the leaves on the left side), and the values of the leaves."""
    nodes: list[tuple[int, float, int]] = []
    values: list[float] = []

    def walk(node: Mapping[str, Any]) -> None:
        if "leaf_value" in node:
            values.append(node["leaf_value"])
            return
        first = len(values)
        walk(node["left_child"])
        left = sum(1 << leaf for leaf in range(first, len(values)))
        nodes.append((node["split_feature"], node["threshold"], left))
        walk(node["right_child"])

    walk(root)
    return nodes, values


def save(model: BlockModel, path: Path) -> None:
    """Writes the model as `pipeline.extract.model.trees.load_model` reads it."""
    words = sorted(model.odds.words)
    with path.open("wb") as stream:
        np.savez_compressed(
            stream,
            words=np.array(words),
            odds=np.array([model.odds.words[word] for word in words], dtype=np.float16),
            columns=np.array(model.columns),
            feature=model.feature.astype(np.uint16),
            threshold=model.threshold,
            removed=model.removed,
            leaves=model.leaves,
        )
