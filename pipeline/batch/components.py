"""Connected components of millions of pairs, and bundles of pairs for tasks of bounded size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.batch.stories import integers

BUNDLES = pa.schema([("a", pa.int64()), ("b", pa.int64()), ("bundle", pa.int64())])
"""Pairs of articles, and the number of the bundle that each is in, from 0; sorted by bundle, a, b."""


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Connected components: int64 arrays of one length.

    ids: all ends of the pairs, each once, sorted. labels: the least id of the component of each.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]

    def of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The labels of some of the ids."""
        labels: NDArray[np.int64] = self.labels[np.searchsorted(self.ids, ids)]
        return labels


def components(a: NDArray[np.int64], b: NDArray[np.int64]) -> Components:
    """The components of the pairs (a[n], b[n]); as `copies.components`, for any number of them.

    Of each pair between two roots the greater is hung under the least that it meets; then every chain of
    roots is halved until all are flat (pointer jumping), and pairs within one root are done. Memory: some
    hundred bytes a pair.
    """
    ids, ends = np.unique(np.concatenate((a, b)), return_inverse=True)
    root = np.arange(ids.size)
    one, other = ends[: a.size], ends[a.size :]
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
    less than so many pairs beside its last component.
    """
    a, b = integers(pairs["a"]), integers(pairs["b"])
    component = components(a, b).of(a)
    order = np.lexsort((b, a, component))
    component = component[order]
    place = np.arange(order.size)
    if are_whole:
        place = np.searchsorted(component, component)  # where its component begins
    return pa.table([a[order], b[order], place // most], schema=BUNDLES)
