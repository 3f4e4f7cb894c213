"""Selects the blocks of a page that make the best text, given the probability of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.extract.model.columns import KEPT, Array, BlockColumns, Marks, Shares

# Of sets of blocks chosen by probability, the one with the highest expected F1 holds what lies above half of
# the F1 that it reaches (Lipton, Elkan and Naryanaswamy 2014, Optimal Thresholding of Classifiers to Maximize
# F1 Measure, theorem 1). So on a page that is hard to judge, less certain blocks are worth keeping. The share
# is a little below one half because probabilities are not quite calibrated there, and what no candidate holds
# needs a little more (docs/tuning.md: KEEP).
KEEP = 0.45
ADD = 0.05
# A text of fewer words is no article: the model has emptied the page, and the rules stand.
_EMPTY_WORDS = 20


@dataclass(frozen=True, slots=True)
class BlockSelection:
    """Which blocks of a page to keep.

    keep: (blocks,). probability: of belonging to the article, (blocks,). is_empty: the model would empty the
    page; then `keep` is what the rules keep. expected_f1: of the kept text, in words, 0 to 1; how sure the
    model is.
    """

    keep: Marks
    probability: Array
    is_empty: bool
    expected_f1: float


def select_blocks(
    columns: BlockColumns, probability: Array, candidate: Shares, ruled: Shares
) -> list[BlockSelection]:
    """The selection of each page. Blocks that the rules keep may go, and blocks passed over may come in.

    What a rule drops is never brought back. probability: of each block, as `keep_probabilities`, whose
    arguments the others are.
    """
    kept_by_rules = np.asarray(ruled, dtype=np.float32) >= KEPT
    dropped = (np.asarray(candidate, dtype=np.float32) >= KEPT) & ~kept_by_rules
    words = columns.words.astype(np.float64)
    likely = np.where(dropped, 0.0, probability)
    found = []
    for part in columns.parts():
        expected = expected_f1(likely[part], words[part])
        limit = KEEP * expected
        keep = (likely[part] >= np.where(kept_by_rules[part], limit, limit + ADD)) & ~dropped[part]
        if words[part][keep].sum() >= _EMPTY_WORDS:
            found.append(BlockSelection(keep, probability[part], False, expected))
        else:
            found.append(BlockSelection(kept_by_rules[part], probability[part], True, 0.0))
    return found


def expected_f1(probability: NDArray[np.floating], words: NDArray[np.float64]) -> float:
    """The expected F1, in words, of the best text that can be made of these blocks; 0 to 1.

    probability, words: of each block, (blocks,).
    """
    order = np.argsort(-probability, kind="stable")
    right = np.cumsum((probability * words)[order])
    kept = np.cumsum(words[order])
    return float((2 * right / np.maximum(1.0, kept + right[-1])).max()) if len(words) else 0.0
