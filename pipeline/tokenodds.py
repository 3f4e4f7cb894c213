"""What the words in the names of a page's elements have meant elsewhere, as evidence of its blocks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from pipeline.blockevidence import shift
from pipeline.blockfeatures import Array, View

# Words of class and id tokens: letters only, so that "post-123" and "post-124" are one.
_TOKEN_WORD = re.compile(r"[a-z]{2,24}")
TOKEN_NAMES = (
    *(f"token.own.{n}" for n in range(4)),
    *(f"token.up.{n}" for n in range(4)),
    "token.upper.0",
    "token.upper.2",
    *(f"token.path.{n}" for n in range(4)),
    *(f"token.inline.{n}" for n in range(4)),
    *(f"token.path{by:+}" for by in (-2, -1, 1, 2)),
)
# bounded, because a crawl meets ever new names
_NAMES_KEPT = 50_000
# Highest odds are held with their sign turned, so that the extremes of several names are one minimum.
_SIGNS = np.array([[1], [-1], [1], [-1]], dtype=np.float32)


@lru_cache(maxsize=_NAMES_KEPT)
def token_words(token: str) -> tuple[str, ...]:
    return tuple(_TOKEN_WORD.findall(token))


def container_words(tokens: frozenset[str]) -> frozenset[str]:
    """The words that the names of one element are made of."""
    return frozenset(word for token in tokens for word in token_words(token))


class TokenOdds:
    """What the words in the names of elements say of the text below them.

    words: word of a token -> log odds of "belongs to the article", relative to all blocks, among the
    blocks that the verdict keeps and among those that it does not.
    """

    def __init__(self, words: Mapping[str, tuple[float, float]]) -> None:
        self.words = words
        # as they were met, for names return within a page and from page to page: column of the table
        self._column_of: dict[frozenset[str], int] = {}
        self._table = np.zeros((4, 256), dtype=np.float32)

    def of(self, names: Sequence[frozenset[str]]) -> Array:
        """Of each element's tokens the lowest and (with its sign turned) the highest odds of any of the words
        in the first table, then in the second; 0 for none; (4, len(names)).
        """
        try:
            columns = list(map(self._column_of.__getitem__, names))
        except KeyError:
            self._learn(names)
            columns = list(map(self._column_of.__getitem__, names))
        return self._table.take(columns, axis=1)

    def _learn(self, names: Sequence[frozenset[str]]) -> None:
        if len(self._column_of) >= _NAMES_KEPT:
            self._column_of.clear()
        fresh = [tokens for tokens in dict.fromkeys(names) if tokens not in self._column_of]
        start = len(self._column_of)
        if start + len(fresh) > self._table.shape[1]:
            table = np.zeros((4, 2 * (start + len(fresh))), dtype=np.float32)
            table[:, :start] = self._table[:, :start]
            self._table = table
        for column, tokens in enumerate(fresh, start):
            self._column_of[tokens] = column
            self._table[:, column] = self._extremes_of(tokens)

    def _extremes_of(self, tokens: frozenset[str]) -> tuple[float, float, float, float]:
        pairs = [self.words[word] for word in container_words(tokens) if word in self.words]
        if not pairs:
            return (0.0, 0.0, 0.0, 0.0)
        first, second = zip(*pairs, strict=True)
        return (min(0.0, *first), -max(0.0, *first), min(0.0, *second), -max(0.0, *second))


def token_evidence(out: Array, view: View, odds: TokenOdds) -> None:
    """Fills `out`, (len(TOKEN_NAMES), n), with what the names around each block have meant elsewhere."""
    columns = view.columns
    holder, parent = columns.holder, columns.parent
    m = len(parent)
    found = odds.of([*columns.tokens, *[block.inline_tokens for block in columns.page.blocks]])
    own, inline = found[:, :m], found[:, m:]
    # the extremes along each path down from the article's own: at each turn, of twice as many around
    path, above = own.copy(), parent
    path[:, view.top_path] = 0.0
    for _ in range(int(columns.depth.max()).bit_length()):
        np.minimum(path, path.take(above, axis=1), out=path)
        above = above[above]
    up = parent[holder]
    out[0:4] = own.take(holder, axis=1)
    out[4:8] = own.take(up, axis=1)
    out[8:10] = own[0::2].take(parent[up], axis=1)
    along = np.minimum(path.take(holder, axis=1), inline)
    out[10:14] = along
    out[14:18] = inline
    for rows in (out[0:4], out[4:8], out[10:14], out[14:18]):
        rows *= _SIGNS
    for row, by in enumerate((-2, -1, 1, 2), 18):
        shift(out[row], along[0], by, 0.0)
