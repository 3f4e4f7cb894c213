"""The block model: an ensemble of decision trees, evaluated with numpy.

`training/train_blocks.py` trains gradient-boosted trees with LightGBM. They are evaluated here, by a page of
code, so that LightGBM is not needed to run the program.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.extract.model.columns import Array
from pipeline.extract.model.name_features import TokenOdds

# Blocks are evaluated this many at a time, which bounds the memory that a huge page takes.
_CHUNK = 512


@dataclass(frozen=True, slots=True)
class BlockModel:
    """An ensemble of trees with at most 32 leaves each, as arrays (nodes, trees).

    odds: what class and id names say. columns: names of the features that the trees read, in order.
    feature, threshold: the split of node k of tree t; a block goes right where its value is greater. A node
    that a tree does not have sends every block left.
    removed: the leaves that are out of reach for a block that goes right at the node, one bit a leaf. Leaves
    are numbered from left to right, so a block ends in the lowest leaf that no node removes (Lucchese et al.
    2015, QuickScorer, section 3).
    leaves: log-odds of each leaf, (trees, at most 32).
    """

    odds: TokenOdds
    columns: tuple[str, ...]
    feature: NDArray[np.intp]
    threshold: Array
    removed: NDArray[np.uint32]
    leaves: Array

    def probabilities(self, rows: Array) -> Array:
        """The probability of belonging to the article, (blocks,); rows: features, (columns, blocks)."""
        out = np.empty(rows.shape[1], dtype=np.float32)
        first_leaf = np.arange(0, self.leaves.size, self.leaves.shape[1])[:, None]
        for start in range(0, len(out), _CHUNK):
            part = rows[:, start : start + _CHUNK]
            removed = np.zeros((self.leaves.shape[0], part.shape[1]), dtype=np.uint32)
            for feature, threshold, mask in zip(self.feature, self.threshold, self.removed, strict=True):
                goes_right = part.take(feature, axis=0) > threshold[:, None]
                removed |= goes_right * mask[:, None]
            # Adding 1 turns the lowest bit that is not set, and all below it; how many are below is the leaf.
            leaf = np.bitwise_count(removed ^ (removed + 1)) - 1
            log_odds = self.leaves.take(leaf + first_leaf).sum(axis=0)
            out[start : start + _CHUNK] = 1.0 / (1.0 + np.exp(-log_odds))
        return out


@cache
def load_model(path: Path | None = None) -> BlockModel:
    """The model in that file, or the shipped one. Each is read once in a process."""
    source = path or resources.files("pipeline.extract.model").joinpath("blockmodel.npz")
    with source.open("rb") as stream, np.load(stream) as data:
        return BlockModel(
            odds=TokenOdds(
                {
                    str(word): (float(first), float(second))
                    for word, (first, second) in zip(data["words"], data["odds"], strict=True)
                }
            ),
            columns=tuple(str(name) for name in data["columns"]),
            feature=data["feature"].astype(np.intp),
            threshold=data["threshold"],
            removed=data["removed"],
            leaves=data["leaves"].astype(np.float32),
        )
