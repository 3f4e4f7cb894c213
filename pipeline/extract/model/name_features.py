"""What the words in the names of a page's elements have meant elsewhere, as evidence of its blocks."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import chain

import numpy as np

from pipeline.extract.model.columns import Array, View
from pipeline.extract.model.page_features import beside

# Words of class and id tokens: letters only, so that "post-123" and "post-124" are one.
_TOKEN_WORD = re.compile(r"[a-z]{2,24}")
_WORD_CHARS = 24
# Stands before each element's words where those of many are looked up at once; it is no word.
_NEXT = "#"


class _Letters(dict[int, str]):
    """What words of names are made of, as a table for `str.translate`: all else parts them."""

    def __missing__(self, code: int) -> str:
        return " "


# no name holds a line's end, so that names of elements can be parted by it
_LETTERS = _Letters({code: chr(code) for code in (*b"abcdefghijklmnopqrstuvwxyz", *b"\n")})
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


def container_words(tokens: frozenset[str]) -> frozenset[str]:
    """The words that the names of one element are made of."""
    return frozenset(word for token in tokens for word in _TOKEN_WORD.findall(token))


class TokenOdds:
    """What the words in the names of elements say of the text below them.

    words: word of a token -> log odds of "belongs to the article", relative to all blocks, among the
    blocks that the verdict keeps and among those that it does not.
    """

    def __init__(self, words: Mapping[str, tuple[float, float]]) -> None:
        self.words = words
        odds = np.array([(0.0, 0.0), *words.values()], dtype=np.float32).T
        self._of_words = np.minimum(np.repeat(odds, 2, axis=0) * _SIGNS, 0.0)
        # where those of each word stand, the first being that of nothing
        self._word_column = {_NEXT: 0, **dict(zip(words, range(1, len(words) + 1), strict=True))}
        # as they were met, for they return within a page and from page to page
        self._column: dict[frozenset[str], int] = {}
        self._of_names = np.zeros((4, 256), dtype=np.float32)

    def of(self, names: Sequence[frozenset[str]]) -> Array:
        """Of each element's tokens the lowest and (with its sign turned) the highest odds of any of the words
        in the first table, then in the second; 0 for none; (4, len(names)).
        """
        different = set(names)
        if len(self._column) >= _NAMES_KEPT:
            self._column = {}
        fresh = different.difference(self._column)
        if fresh:
            self._learn(fresh)
        return self._of_names.take(list(map(self._column.__getitem__, names)), axis=1)

    def _learn(self, names: Collection[frozenset[str]]) -> None:
        """Notes names that were not met before, all in one go; words that have no odds say nothing."""
        text = "".join(["\n" + " ".join(tokens) for tokens in names])
        words = text.translate(_LETTERS).replace("\n", f" {_NEXT} ").split()
        if max(map(len, words)) > _WORD_CHARS:
            words = [part for word in words for part in _TOKEN_WORD.findall(word) or (word,)]
        found = map(self._word_column.get, words)
        columns = np.array([column for column in found if column is not None], dtype=np.intp)
        starts = np.flatnonzero(columns == 0)
        start, end = len(self._column), len(self._column) + len(names)
        if end > self._of_names.shape[1]:
            odds = np.zeros((4, 2 * end), dtype=np.float32)
            odds[:, :start] = self._of_names[:, :start]
            self._of_names = odds
        extremes = np.minimum.reduceat(self._of_words.take(columns, axis=1), starts, axis=1)
        self._of_names[:, start:end] = extremes
        self._column.update(zip(names, range(start, end), strict=True))


def token_evidence(out: Array, view: View, odds: TokenOdds) -> None:
    """Fills `out`, (len(TOKEN_NAMES), n), with what the names around each block have meant elsewhere."""
    columns = view.columns
    holder, parent = columns.holder, columns.parent
    m = len(parent)
    found = odds.of([*columns.tokens, *columns.inline_tokens])
    own, inline = found[:, :m], found[:, m:]
    # the extremes along each path down from the article's own: at each turn, of twice as many around
    path, above = own.copy(), parent
    path[:, [*chain.from_iterable(view.top_paths)]] = 0.0
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
    at, is_there = beside(columns, (-2, -1, 1, 2))
    out[18:22] = np.where(is_there, along[0].take(at, mode="clip"), 0.0)
