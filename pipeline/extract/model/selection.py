"""Selects the blocks of a page that make the best text, given the probability of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.document import BlockKind
from pipeline.extract.model.columns import KEPT, KINDS, Array, BlockColumns, BlockEvidence, Marks

# Of sets of blocks chosen by probability, the one with the highest expected F1 holds what lies above half of
# the F1 that it reaches (Lipton, Elkan and Naryanaswamy 2014, Optimal Thresholding of Classifiers to Maximize
# F1 Measure, theorem 1). So on a page that is hard to judge, less certain blocks are worth keeping. The share
# is a little below one half because probabilities are not quite calibrated there, and what Trafilatura did
# not take needs a little more (docs/tuning.md: KEEP).
KEEP = 0.45
ADD = 0.1
# What completes a list, a table or a section is at least so probable, and so much of the list or table is
# kept without it (docs/tuning.md: Whole lists and tables).
_COMPLETES = 0.2
_MOST = 2 / 3
_LISTS = frozenset(("ul", "ol", "dl", "table"))
_HEADING, _ITEM, _ROW = map(KINDS.index, (BlockKind.HEADING, BlockKind.LIST_ITEM, BlockKind.TABLE_ROW))
# A text of fewer words is no article: the model has emptied the page.
_EMPTY_WORDS = 20


@dataclass(frozen=True, slots=True)
class BlockSelection:
    """Which blocks of a page to keep.

    keep: (blocks,). probability: of belonging to the article, (blocks,). is_empty: the model keeps hardly any
    text of the page.
    """

    keep: Marks
    probability: Array
    is_empty: bool


def select_blocks(columns: BlockColumns, probability: Array, evidence: BlockEvidence) -> list[BlockSelection]:
    """The selection of each page. probability: of each block, as `keep_probabilities`."""
    is_candidate, vetoed = evidence.share >= KEPT, evidence.vetoed
    words = columns.words.astype(np.float64)
    likely = np.where(vetoed, 0.0, probability)
    found = []
    for part in columns.parts():
        limit = KEEP * expected_f1(likely[part], words[part])
        least = np.where(is_candidate[part], limit, limit + ADD)
        keep = (likely[part] >= least) & ~vetoed[part]
        keep |= _completing(columns, part, keep, likely[part] >= _COMPLETES)
        found.append(BlockSelection(keep, probability[part], bool(words[part][keep].sum() < _EMPTY_WORDS)))
    return found


def _completing(columns: BlockColumns, part: slice, keep: Marks, is_possible: Marks) -> Marks:
    """The blocks that complete what is kept: rows of a table, items of a list, headings within the story.

    A table or list is kept whole if most of it is. Rows, items and headings in a row are kept if all of them
    are possible and stand between two kept blocks. keep, is_possible: of the blocks of one page, which is
    `part` of the columns.
    """
    found = _between_kept(columns.kind[part], keep, is_possible)
    words = columns.words[part]
    for at in (is_possible & ~keep).nonzero()[0].tolist():
        if found[at] or columns.kind[part.start + at] not in (_ITEM, _ROW):
            continue
        path = columns.path(int(columns.holder[part.start + at]))
        around = next((number for number in path if columns.tags[number] in _LISTS), None)
        if around is not None:
            inside = slice(int(columns.first[around]) - part.start, int(columns.end[around]) - part.start)
            found[at] = words[inside][keep[inside]].sum() >= _MOST * words[inside].sum()
    return found


def _between_kept(kinds: NDArray[np.integer], keep: Marks, is_possible: Marks) -> Marks:
    """Runs of possible rows, items and headings with a kept block before and after them, (blocks,)."""
    found = np.zeros_like(keep)
    weak = (is_possible & ~keep & np.isin(kinds, (_ROW, _ITEM, _HEADING))).nonzero()[0]
    for run in np.split(weak, (np.diff(weak) > 1).nonzero()[0] + 1):
        if len(run) and run[0] > 0 and run[-1] + 1 < len(keep):
            found[run] = keep[run[0] - 1] and keep[run[-1] + 1]
    return found


def expected_f1(probability: NDArray[np.floating], words: NDArray[np.float64]) -> float:
    """The expected F1, in words, of the best text that can be made of these blocks; 0 to 1.

    probability, words: of each block, (blocks,).
    """
    order = np.argsort(-probability, kind="stable")
    right = np.cumsum((probability * words)[order])
    kept = np.cumsum(words[order])
    return float((2 * right / np.maximum(1.0, kept + right[-1])).max()) if len(words) else 0.0
