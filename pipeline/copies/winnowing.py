"""Which shingles of a text stand for its passages: winnowing.

Schleimer, Wilkerson and Aiken, "Winnowing: local algorithms for document fingerprinting" (SIGMOD 2003),
section 3: of the hashes in each window of neighbouring shingles the least is selected. What is selected in a
passage depends on the passage alone, so two texts that share a passage of a window's length select the same
hash there, however little the passage is of either. MinHash, which has one sample for the whole text, misses
that.

What a longer window selects, a shorter one selects as well. So a long text may have a longer window than a
short one, and both still meet.
"""

from __future__ import annotations

import numpy as np

from pipeline.copies.shingles import Hashes
from pipeline.copies.tokens import distinct


def winnow(hashes: Hashes, window: int) -> Hashes:
    """The distinct hashes that are the least of some `window` neighbouring ones, sorted; shape (selected,).

    hashes: of shingles in order. A text with fewer of them is one window. Of n hashes 2 * n / (window + 1)
    are selected on average (section 3.2). Which of several equal hashes is selected makes no difference here,
    because only their value is kept.
    """
    if not hashes.size:
        return hashes
    return distinct(_window_minima(hashes, min(window, hashes.size)))


def window_for(shingles: int, shortest: int, most: int) -> int:
    """The window that selects about `most` of so many shingles, and no shorter one than `shortest`."""
    return max(shortest, -(-2 * shingles // most))


def _window_minima(hashes: Hashes, window: int) -> Hashes:
    """The least hash of each window; shape (hashes - window + 1,).

    The minima of windows of 2, 4, 8… are made of one another, so a window of any length is two of these.
    """
    minima, length = hashes, 1
    while 2 * length <= window:
        minima, length = np.minimum(minima[:-length], minima[length:]), 2 * length
    rest = window - length
    return np.minimum(minima[: minima.size - rest], minima[rest:]) if rest else minima
