"""What the words in the names of a page's elements have meant elsewhere, as evidence of its blocks."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

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

_Thing = TypeVar("_Thing", bound=Hashable)


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
        self._of_words = _Extremes()
        self._of_words.odds = np.minimum(np.repeat(odds, 2, axis=0) * _SIGNS, 0.0)
        self._of_words.column_of.update((word, column) for column, word in enumerate(words, 1))
        # as they were met, for they return within a page and from page to page
        self._of_tokens = _Extremes()
        self._of_names = _Extremes()

    def of(self, names: Sequence[frozenset[str]]) -> Array:
        """Of each element's tokens the lowest and (with its sign turned) the highest odds of any of the words
        in the first table, then in the second; 0 for none; (4, len(names)).
        """
        try:
            columns = list(map(self._of_names.column_of.__getitem__, names))
        except KeyError:
            self._learn(names)
            columns = list(map(self._of_names.column_of.__getitem__, names))
        return self._of_names.odds.take(columns, axis=1)

    def _learn(self, names: Sequence[frozenset[str]]) -> None:
        if max(len(self._of_names.column_of), len(self._of_tokens.column_of)) >= _NAMES_KEPT:
            self._of_tokens, self._of_names = _Extremes(), _Extremes()
        fresh = self._of_names.not_met(names)
        tokens = self._of_tokens.not_met(token for name in fresh for token in name)
        self._of_tokens.add(tokens, map(_TOKEN_WORD.findall, tokens), self._of_words)
        self._of_names.add(fresh, fresh, self._of_tokens)


class _Extremes:
    """Lowest odds, and highest with their sign turned, of things of one sort that were met.

    column_of: where those of each stand in `odds`, (4, columns), of which the first is that of nothing.
    """

    def __init__(self) -> None:
        self.column_of: dict[Hashable, int] = {}
        self.odds = np.zeros((4, 256), dtype=np.float32)

    def not_met(self, things: Iterable[_Thing]) -> list[_Thing]:
        return [thing for thing in dict.fromkeys(things) if thing not in self.column_of]

    def add(self, things: Sequence[Hashable], parts: Iterable[Iterable[str]], of_parts: _Extremes) -> None:
        """Notes things by what they are made of; a part that has no odds says nothing."""
        if not things:
            return
        starts: list[int] = []
        columns: list[int] = []
        for made_of in parts:
            starts.append(len(columns))
            columns.append(0)
            columns += [of_parts.column_of[part] for part in made_of if part in of_parts.column_of]
        start, end = len(self.column_of) + 1, len(self.column_of) + 1 + len(things)
        if end > self.odds.shape[1]:
            odds = np.zeros((4, 2 * end), dtype=np.float32)
            odds[:, :start] = self.odds[:, :start]
            self.odds = odds
        self.odds[:, start:end] = np.minimum.reduceat(of_parts.odds.take(columns, axis=1), starts, axis=1)
        self.column_of.update(zip(things, range(start, end), strict=True))


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
