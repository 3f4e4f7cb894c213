"""The probability of each block that it belongs to the article of its page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.extract.model.columns import (
    Array,
    BlockColumns,
    BlockEvidence,
    CandidateBlocks,
    Marks,
    candidate_blocks,
    running_sums,
)
from pipeline.extract.model.name_features import NAME_FEATURES, TokenOdds, name_features
from pipeline.extract.model.page_features import PAGE_FEATURES, StatedTexts, page_features
from pipeline.extract.model.reader_features import READER_FEATURES, reader_features
from pipeline.extract.model.trees import BlockModel, load_model
from pipeline.page import Page, Passage

# The names of all features, in the order of their rows.
FEATURES = (*PAGE_FEATURES, *READER_FEATURES, *NAME_FEATURES)
# A link is far from the candidates with none of them among so many blocks on either side.
_NEAR_BLOCKS = 4
_LINKED = 0.8


def shares_of_blocks(page: Page, passages: Iterable[Passage]) -> Array:
    """The share of each block's text that the passages hold, (blocks,) float32, 0 to 1."""
    found = np.zeros(len(page.blocks), dtype=np.float32)
    for passage in passages:
        if passage.index is not None:
            found[passage.index] += len(passage.text) / len(page.blocks[passage.index].text)
    return np.minimum(found, 1.0)


def keep_probabilities(
    columns: BlockColumns,
    evidence: BlockEvidence,
    stated: Sequence[StatedTexts],
    model: BlockModel | None = None,
) -> Array:
    """The probability of each block that it belongs to the article of its page, (blocks,) float32.

    stated: of each page. model: the shipped one by default.
    """
    if not len(columns.words):
        return np.zeros(0, dtype=np.float32)
    model = model or load_model()
    candidates = candidate_blocks(columns, evidence)
    judged = np.flatnonzero(~links_far_from_candidates(candidates))
    rows = features(candidates, stated, model.odds).take(_rows_of(model.columns), axis=0)
    found = np.zeros(len(columns.words), dtype=np.float32)
    found[judged] = model.probabilities(rows.take(judged, axis=1))
    return found


def links_far_from_candidates(candidates: CandidateBlocks) -> Marks:
    """Links that are neither near a candidate nor in the container of most of them, (blocks,).

    Half of the blocks of a news page are such. They are no part of the article, and the trees need not
    judge them (docs/tuning.md: links_far_from_candidates).
    """
    columns = candidates.columns
    before = running_sums(candidates.share)
    place, low, high = np.arange(len(candidates.share)), columns.low, columns.high
    near = before[np.minimum(place + _NEAR_BLOCKS + 1, high)] - before[np.maximum(place - _NEAR_BLOCKS, low)]
    # Of a page without candidates, any block may be the story.
    far: Marks = (near == 0) & (columns.links > _LINKED) & (before[high] > before[low])
    for top, *_ in candidates.top_paths:
        far[columns.first[top] : columns.end[top]] = False
    return far


def features(candidates: CandidateBlocks, stated: Sequence[StatedTexts], odds: TokenOdds) -> Array:
    """All features of the blocks, (len(FEATURES), blocks) float32. stated: of each page."""
    return np.concatenate(
        [
            page_features(candidates, stated),
            reader_features(candidates),
            name_features(candidates, odds),
        ]
    )


@cache
def _rows_of(names: tuple[str, ...]) -> NDArray[np.intp]:
    return np.array([FEATURES.index(name) for name in names], dtype=np.intp)
