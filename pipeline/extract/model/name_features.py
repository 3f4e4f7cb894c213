"""Features of a block from the class and id names around it.

training/ learns what the words of such names have meant on many sites, as log-odds. A site's own template is
not needed for that: "teaser" and "body" mean the same nearly everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from pipeline.extract.model.columns import Array, BlockColumns, CandidateBlocks
from pipeline.extract.model.page_features import beside

# Words of class and id names: letters only, so that "post-123" and "post-124" are one.
_NAME_WORD = re.compile(r"[a-z]{2,24}")

NAME_FEATURES = (
    *(f"token.own.{n}" for n in range(4)),
    *(f"token.up.{n}" for n in range(4)),
    "token.upper.0",
    "token.upper.2",
    *(f"token.path.{n}" for n in range(4)),
    *(f"token.inline.{n}" for n in range(4)),
    *(f"token.path{by:+}" for by in (-2, -1, 1, 2)),
)
# Templates repeat their names within a page and from page to page. Bounded, because a crawl meets new ones.
_NAMES_KEPT = 50_000
_NO_ODDS = (0.0, 0.0, 0.0, 0.0)


def container_words(tokens: frozenset[str]) -> frozenset[str]:
    """The words that the names of one element consist of."""
    return frozenset(word for token in tokens for word in _NAME_WORD.findall(token))


class TokenOdds:
    """Log-odds of "belongs to the article" by the words in the names of elements.

    words: word -> its log-odds among the blocks that are candidates, and among those that are not, each
    relative to all blocks of the kind.
    """

    def __init__(self, words: Mapping[str, tuple[float, float]]) -> None:
        self.words = words
        self._extremes: dict[frozenset[str], tuple[float, ...]] = {}

    def of(self, names: Sequence[frozenset[str]]) -> Array:
        """The lowest and highest odds of any word in the names of each element, (4, len(names)) float32.

        Rows: lowest and highest among candidates, lowest and highest among others. A word without odds
        counts 0. The lowest is at most 0, the highest at least 0.
        """
        if len(self._extremes) >= _NAMES_KEPT:
            self._extremes.clear()
        for tokens in set(names).difference(self._extremes):
            self._extremes[tokens] = self._extremes_of(tokens)
        found = [self._extremes[tokens] for tokens in names]
        return np.array(found, dtype=np.float32).reshape(-1, 4).T

    def _extremes_of(self, tokens: frozenset[str]) -> tuple[float, ...]:
        odds = [self.words[word] for word in container_words(tokens) if word in self.words]
        if not odds:
            return _NO_ODDS
        return tuple(extreme(0.0, *table) for table in zip(*odds, strict=True) for extreme in (min, max))


def name_features(candidates: CandidateBlocks, odds: TokenOdds) -> Array:
    """Features from the names of the elements around each block, (len(NAME_FEATURES), blocks) float32."""
    columns = candidates.columns
    containers = len(columns.parent)
    found = odds.of([*columns.tokens, *columns.inline_tokens])
    own, inline = found[:, :containers], found[:, containers:]
    # The containers around the candidates say nothing that tells their blocks apart.
    below_top = own.copy()
    below_top[:, [*chain.from_iterable(candidates.top_paths)]] = 0.0
    path = _extremes_along_paths(columns, below_top)

    holder = columns.holder
    up = columns.parent[holder]
    upper = columns.parent[up]
    along = path.take(holder, axis=1)
    along[0::2] = np.minimum(along[0::2], inline[0::2])
    along[1::2] = np.maximum(along[1::2], inline[1::2])
    at, is_there = beside(columns, (-2, -1, 1, 2))
    neighbours = np.where(is_there, along[0].take(at, mode="clip"), 0.0)
    return np.concatenate(
        [
            own.take(holder, axis=1),
            own.take(up, axis=1),
            # Of the third container only the lowest odds are a feature.
            own[0::2].take(upper, axis=1),
            along,
            inline,
            neighbours,
        ]
    )


def _extremes_along_paths(columns: BlockColumns, own: Array) -> Array:
    """The lowest and highest odds of any container on the path from the root to each, (4, containers).

    own: of each container itself, as `TokenOdds.of`.
    """
    found = own.copy()
    for depth in range(1, int(columns.depth.max()) + 1):
        level = np.flatnonzero(columns.depth == depth)
        above = found[:, columns.parent[level]]
        found[0::2, level] = np.minimum(found[0::2, level], above[0::2])
        found[1::2, level] = np.maximum(found[1::2, level], above[1::2])
    return found
