"""Features of a block from the second reader, and from where the two readers agree.

Trafilatura's share of each block is what `page_features` is relative to. The regions of prose are the second
view of the page: their own share, that of the neighbours, windows and containers, and how much of the page
one reader has taken and the other has not. The rule of structure that is against a block is a feature too.
"""

from __future__ import annotations

import numpy as np

from pipeline.extract.model.columns import KEPT, NUMBERED_RULES, Array, CandidateBlocks, running_sums
from pipeline.extract.model.page_features import beside, blocks_since

_REACHES = (4, 10)
_LEVELS = 4

READER_FEATURES = (
    "own", "own-1", "own+1", "own.either", "own.both", "since_own", "until_own",
    *(f"window{reach}.own" for reach in _REACHES), "window4.only_trafilatura", "window4.only_own",
    "page.own_share", "page.agreement", "page.only_trafilatura", "page.only_own",
    *(f"up{level}.own" for level in range(_LEVELS)), "up1.of_own", "up3.of_own",
    *(f"rule.{rule}" for rule in NUMBERED_RULES), "rule.different",
)  # fmt: skip


def reader_features(candidates: CandidateBlocks) -> Array:
    """The features `READER_FEATURES` of all blocks, (len(READER_FEATURES), blocks)."""
    columns, share, own = candidates.columns, candidates.share, candidates.own
    words, low, high = columns.words, columns.low, columns.high
    at, is_there = beside(columns, (-1, 1))
    before, after = np.where(is_there, own.take(at, mode="clip"), -1.0)
    both = np.minimum(share, own)
    is_own = np.array([own >= KEPT])
    rows = [
        own, before, after, np.maximum(share, own), both,
        blocks_since(is_own, low)[0],
        blocks_since(is_own[:, ::-1], len(words) - high[::-1])[0, ::-1],
    ]  # fmt: skip

    only_share, only_own = np.maximum(share - own, 0.0), np.maximum(own - share, 0.0)
    sums = running_sums(np.array((words * own, words, words * only_share, words * only_own)))
    place = np.arange(len(words))
    windows = [
        sums.take(np.minimum(place + reach + 1, high), axis=1)
        - sums.take(np.maximum(place - reach, low), axis=1)
        for reach in _REACHES
    ]
    rows += [window[0] / np.maximum(1.0, window[1]) for window in windows]
    rows += [windows[0][2], windows[0][3]]

    of_page = columns.by_page(np.array((words * own, words * share, words * both, words)))
    taken_own, taken, agreed, total = of_page.take(columns.page_of, axis=1)
    rows += [
        taken_own / np.maximum(1.0, total),
        2 * agreed / np.maximum(1.0, taken_own + taken),
        (taken - agreed) / np.maximum(1.0, taken),
        (taken_own - agreed) / np.maximum(1.0, taken_own),
    ]

    own_chars, chars = columns.inside(np.array((columns.chars * own, columns.chars)))
    held, container = own_chars / np.maximum(1.0, chars), columns.holder
    of_own = own_chars / np.maximum(1.0, own_chars.take(columns.root))
    levels = []
    for _ in range(_LEVELS):
        levels.append(container)
        container = columns.parent[container]
    rows += [held.take(level) for level in levels]
    rows += [of_own.take(levels[1]), of_own.take(levels[3])]
    rows += [candidates.rule == number for number in range(1, len(NUMBERED_RULES) + 2)]
    return np.array(rows, dtype=np.float32)
