"""Connected components of millions of pairs, and bundles of pairs for tasks of bounded size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.batch.stories import integers

BUNDLES = pa.schema([("a", pa.int64()), ("b", pa.int64()), ("bundle", pa.int64())])
"""Pairs of articles, and the number of the bundle that each is in, from 0; sorted by bundle."""


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


def bundles(pairs: pa.Table, most: int, *, are_whole: bool = False) -> pa.Table:
    """BUNDLES of pairs: the pairs of one component are in one bundle, or in bundles that follow each other.

    pairs: has the columns a and b. most: pairs in a bundle. are_whole: no component is cut, so a bundle has
    less than so many pairs beside its last component. Otherwise the pairs of a component that is cut lie so
    that a bundle names few articles. Numbers of bundles have no gaps.
    """
    a, b = integers(pairs["a"]), integers(pairs["b"])
    found = components(a, b)
    component = found.of(a)
    along = np.zeros(a.size, dtype=np.int64)
    if not are_whole:
        of = _places(found.ids, component)
        is_cut = np.bincount(of)[of] > most
        if is_cut.any():
            along[is_cut] = _along(a[is_cut], b[is_cut])
    order = np.lexsort((b, a, along, component))
    component = component[order]
    place = np.arange(order.size)
    if are_whole:
        begins = np.diff(component, prepend=-1) != 0
        place = np.maximum.accumulate(np.where(begins, place, 0))  # where its component begins
    bundle = place // most
    bundle = np.cumsum(np.diff(bundle, prepend=0) != 0)
    return pa.table([a[order], b[order], bundle], schema=BUNDLES)


def _along(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each pair lies in an order of the articles in which the two of a pair are near to each other.

    The copies of a template are a band of pairs around time: each is compared with those of the same hours.
    By their ids, a bundle would name as many articles as it has pairs, and all of their texts.
    """
    # Imported here: it takes a while, and small tasks have no component that is cut.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    ids = _distinct(a, b)
    one, other = _places(ids, a), _places(ids, b)
    ends = np.concatenate((one, other)), np.concatenate((other, one))
    graph = coo_array((np.ones(2 * a.size, dtype=np.int8), ends), shape=(ids.size, ids.size)).tocsr()
    rank = np.empty(ids.size, dtype=np.int64)
    rank[reverse_cuthill_mckee(graph, symmetric_mode=True)] = np.arange(ids.size)
    along: NDArray[np.int64] = np.minimum(rank[one], rank[other])
    return along


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
