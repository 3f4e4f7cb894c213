"""Judges each block of a page by a trained model: how likely it belongs to the article.

What is taken for the article at first sight, or by an extractor, is right for most blocks; the rest is
told from the story by the evidence that `pipeline.extract.model.page_features` gathers. Gradient-boosted
trees weigh it. `training/train_blocks.py` trains them; what runs here is numpy over the exported trees,
without the library that made them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.extract.model.columns import KEPT, Array, Columns, Marks, Shares, View, running_sums, view_of
from pipeline.extract.model.name_features import TOKEN_NAMES, TokenOdds, token_evidence
from pipeline.extract.model.page_features import PAGE_NAMES, Stated, page_evidence
from pipeline.page import Page

# What the features are called, in the order of their rows.
NAMES = (*PAGE_NAMES, *TOKEN_NAMES)
_ROW = {name: row for row, name in enumerate(NAMES)}

# A block stays where it more likely than not raises the F1 of the text. Of sets chosen by probability,
# the best in expected F1 holds what lies above half of the F1 that it reaches (Lipton, Elkan and
# Naryanaswamy 2014, Optimal Thresholding of Classifiers to Maximize F1 Measure, theorem 1): on a page that
# is hard to judge, less certain blocks are worth keeping. A little under one half, because probabilities
# are not quite calibrated there; a little more for what the extractor passed over. Cross-validated by site
# (mean F1 of wcxb-dev, multi-dev, fundus-dev): .9641, with fixed thresholds of .4 and .6 .9628, with
# exactly one half and nothing more .9638.
# What a rule drops is never brought back: that gained nothing at any threshold (within .0002).
KEEP = 0.45
ADD = 0.05
# A text of fewer words than this is no article: the model has emptied the page, and is not believed.
_EMPTY_WORDS = 20
# Blocks are judged this many at a time, which bounds the memory that a huge page takes.
_CHUNK = 512
# Position of the lowest bit that is not set, for every 16-bit number.
_ALL = np.arange(1 << 16)
_LOWEST_ZERO = np.log2(~_ALL & (_ALL + 1)).astype(np.uint16)


@dataclass(frozen=True, slots=True)
class BlockModel:
    """A trained ensemble of trees of at most 16 leaves, laid out for numpy.

    odds: what names say. columns: names of the features that the trees read, in their order.
    feature, threshold: the split of node k of tree t, (nodes, trees); a block goes right where its value is
        greater. Unused nodes never send a block right.
    removed: which leaves of the tree going right at the node rules out, one bit a leaf, (nodes, trees);
        leaves are numbered left to right, so the exit is the lowest leaf that no node rules out
        (Lucchese et al. 2015, QuickScorer, section 3).
    leaves: log odds that each leaf adds, (trees, 16).
    """

    odds: TokenOdds
    columns: tuple[str, ...]
    feature: NDArray[np.intp]
    threshold: Array
    removed: NDArray[np.uint16]
    leaves: Array

    def probabilities(self, rows: Array) -> Array:
        """Of belonging to the article, (blocks,); rows: (columns, blocks) float32."""
        out = np.empty(rows.shape[1], dtype=np.float32)
        first_leaf = np.arange(0, self.leaves.size, self.leaves.shape[1])[:, None]
        for start in range(0, len(out), _CHUNK):
            part = rows[:, start : start + _CHUNK]
            ruled_out = np.zeros((self.leaves.shape[0], part.shape[1]), dtype=np.uint16)
            # node by node: what one operation writes is read by the next while it is in the cache
            for feature, threshold, removed in zip(self.feature, self.threshold, self.removed, strict=True):
                goes_right = part.take(feature, axis=0) > threshold[:, None]
                ruled_out |= goes_right * removed[:, None]
            odds = self.leaves.take(_LOWEST_ZERO.take(ruled_out) + first_leaf).sum(axis=0)
            out[start : start + _CHUNK] = 1.0 / (1.0 + np.exp(-odds))
        return out


@cache
def load_model(path: Path | None = None) -> BlockModel:
    """The model in that file, or the one that comes with the package; each is read once a process."""
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


def shares(page: Page, pieces: Iterable[tuple[int | None, str]]) -> Array:
    """Of every block, the share of its text that stands in the pieces (block's index, text); 0 to 1."""
    found = np.zeros(len(page.blocks), dtype=np.float32)
    for index, text in pieces:
        if index is not None:
            found[index] += len(text) / len(page.blocks[index].text)
    return np.minimum(found, 1.0)


def keep_probabilities(
    columns: Columns,
    verdict: Shares,
    ruled: Shares,
    stated: Sequence[Stated],
    model: BlockModel | None = None,
) -> Array:
    """How likely each block belongs to the article of its page, float32 (blocks,).

    verdict: of every block, the share that is taken for the article (`shares`) before the rules speak.
    ruled: the same, after the rules have spoken. stated: what each page says of itself.
    """
    if not len(columns.words):
        return np.zeros(0, dtype=np.float32)
    model = model or load_model()
    view = view_of(columns, verdict, ruled)
    doubtful = np.flatnonzero(~hopeless(view))
    found = evidence(view, stated, model.odds, doubtful)
    likely = np.zeros(len(view.share), dtype=np.float32)
    likely[doubtful] = model.probabilities(found.take(_rows_of(model.columns), axis=0).take(doubtful, axis=1))
    return likely


# Far from all that is taken: with no block of it among so many on either side.
_NEAR = 4
_LINKED = 0.8


def hopeless(view: View) -> Marks:
    """Links outside the container of what is taken, and far from it, (n,): no tree needs to judge them.

    Half of the blocks of a news page are such. Cross-validated by site, the text of one of 997 pages differs
    where they are passed over, and no F1 in its fourth digit; with links from .5 on it is 4 pages.
    """
    columns = view.columns
    taken = running_sums(view.share)
    place, low, high = np.arange(len(view.share)), columns.low, columns.high
    near = taken[np.minimum(place + _NEAR + 1, high)] - taken[np.maximum(place - _NEAR, low)]
    far: Marks = (near == 0) & (columns.links > _LINKED) & (taken[high] > taken[low])
    for top, *_ in view.top_paths:
        far[columns.first[top] : columns.end[top]] = False
    return far


def evidence(
    view: View, stated: Sequence[Stated], odds: TokenOdds, wanted: NDArray[np.intp] | None = None
) -> Array:
    """All features of the blocks, (len(NAMES), blocks) float32; stated, wanted: as `page_evidence`."""
    out = np.empty((len(NAMES), len(view.share)), dtype=np.float32)
    page_evidence(out[: len(PAGE_NAMES)], view, stated, wanted)
    token_evidence(out[len(PAGE_NAMES) :], view, odds)
    return out


@cache
def _rows_of(columns: tuple[str, ...]) -> NDArray[np.intp]:
    return np.array([_ROW[name] for name in columns], dtype=np.intp)


@dataclass(frozen=True, slots=True)
class Decision:
    """Which blocks of a page to keep, and how likely each belongs to the article.

    keep: bool (blocks,). believed: False where the model would empty the page; then `keep` is what the
    rules keep, and the rules' own lines should be taken as they are. expected: the F1 of the text that the
    model itself expects, in words, 0 to 1: how sure it is.
    """

    keep: Marks
    probability: Array
    believed: bool
    expected: float


def decide(columns: Columns, probability: Array, verdict: Shares, ruled: Shares) -> list[Decision]:
    """Of each page, keeps the blocks that make the best text, as far as `keep_probabilities` tell.

    Blocks that the rules keep may go, blocks passed over may come in. Arguments as there.
    """
    by_rules = np.asarray(ruled, dtype=np.float32) >= KEPT
    dropped = (np.asarray(verdict, dtype=np.float32) >= KEPT) & ~by_rules
    words = columns.words.astype(np.float64)
    likely = np.where(dropped, 0.0, probability)
    found = []
    for part in columns.parts():
        expected = expected_f1(likely[part], words[part])
        limit = KEEP * expected
        keep = (likely[part] >= np.where(by_rules[part], limit, limit + ADD)) & ~dropped[part]
        if words[part][keep].sum() >= _EMPTY_WORDS:
            found.append(Decision(keep, probability[part], True, expected))
        else:
            found.append(Decision(by_rules[part], probability[part], False, 0.0))
    return found


def expected_f1(probability: NDArray[np.floating], words: NDArray[np.float64]) -> float:
    """The F1 to be expected, in words, of the best text that can be made of these blocks; 0 to 1."""
    order = np.argsort(-probability, kind="stable")
    right = np.cumsum((probability * words)[order])
    kept = np.cumsum(words[order])
    return float((2 * right / np.maximum(1.0, kept + right[-1])).max()) if len(words) else 0.0
