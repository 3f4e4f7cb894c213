"""Connected components of millions of pairs, at once or in slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Connected components: int64 arrays of one length.

    ids: all ends of the pairs, each once, sorted. labels: the least id of the component of each.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]

    def of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The labels of some of the ids."""
        labels: NDArray[np.int64] = self.labels[_places(self.ids, ids)]
        return labels


def components(a: NDArray[np.int64], b: NDArray[np.int64]) -> Components:
    """The components of the pairs (a[n], b[n]); as `copies.components`, for any number of them.

    Of each pair between two roots the greater is hung under the least that it meets; then every chain of
    roots is halved until all are flat (pointer jumping), and pairs within one root are done. Memory: some
    forty bytes a pair.
    """
    ids = _distinct(a, b)
    root = np.arange(ids.size)
    one, other = _places(ids, a), _places(ids, b)
    while True:
        one, other = root[one], root[other]
        is_open = one != other
        if not is_open.any():
            return Components(ids, ids[root])
        one, other = one[is_open], other[is_open]
        np.minimum.at(root, np.maximum(one, other), np.minimum(one, other))
        while True:
            above = root[root]
            if np.array_equal(above, root):
                break
            root = above


class Forest:
    """Connected components of pairs that come in slices, so that the pairs are never all in memory.

    root: an int64 array with a place for each id from 0, which is filled here. It may be a file that is
    mapped into memory: its 8 bytes an id are all that grows with the number of articles. An id stands below
    its root or is one; a root is the least id of what was joined so far.
    """

    def __init__(self, root: NDArray[np.int64]) -> None:
        self._root = root
        for first in range(0, root.size, _FILLED_AT_ONCE):
            root[first : first + _FILLED_AT_ONCE] = np.arange(first, min(first + _FILLED_AT_ONCE, root.size))

    def join(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> None:
        """Join the two of each pair of a slice. Memory: some hundred bytes a pair."""
        one, other = self.of(a), self.of(b)
        is_open = one != other
        found = components(one[is_open], other[is_open])
        self._root[found.ids] = found.labels

    def of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The least id of the component of each."""
        root = self._root[ids]
        while not np.array_equal(above := self._root[root], root):
            root = above
        self._root[ids] = root  # the next search is short
        return root


_FILLED_AT_ONCE = 1 << 20


# A table of all numbers up to the greatest id is read in place of a search, if it has not more than so many
# rows a pair. Ids of articles are nearly without gaps.
_DENSE = 8


def _distinct(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """The values of both, each once, sorted."""
    if not a.size:
        return a
    least, greatest = min(a.min(), b.min()), max(a.max(), b.max())
    if least < 0 or greatest > _DENSE * a.size:
        return np.unique(np.concatenate((a, b)))
    is_there = np.zeros(greatest + 1, dtype=np.bool_)
    is_there[a] = is_there[b] = True
    return is_there.nonzero()[0]


def _places(ids: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of each wanted one among the ids, which are sorted."""
    if not ids.size or ids[0] < 0 or ids[-1] > _DENSE * wanted.size:
        return np.searchsorted(ids, wanted)
    place = np.empty(ids[-1] + 1, dtype=np.int64)
    place[ids] = np.arange(ids.size)
    return place[wanted]
