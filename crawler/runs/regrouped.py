"""Compares the groups of copies before and after a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Regrouped:
    """articles: how many changed their group. before, after: how many groups had several articles."""

    articles: int
    before: int
    after: int


# Ids of articles, ascending, and the group of each.
Partition = tuple["NDArray[np.int64]", "NDArray[np.int64]"]


def compare_groups(before: Partition, after: Partition) -> Regrouped:
    """Compare the groups before and after a run, for the articles that are in both."""
    _, ours, theirs = np.intersect1d(before[0], after[0], assume_unique=True, return_indices=True)
    moved = int(np.count_nonzero(before[1][ours] != after[1][theirs]))
    return Regrouped(moved, _copied(before[1]), _copied(after[1]))


def _copied(groups: NDArray[np.int64]) -> int:
    """How many groups have more than one article."""
    return int(np.count_nonzero(np.unique(groups, return_counts=True)[1] > 1))
