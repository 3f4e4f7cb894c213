"""Shingles of a text: a 32-bit hash for each run of neighbouring tokens (n-gram), and winnowing.

Broder, "On the resemblance and containment of documents" (1997). Scripts that write no blanks have one token
a character, and therefore longer shingles.

Winnowing says which shingles stand for the passages of a text: Schleimer, Wilkerson and Aiken, "Winnowing:
local algorithms for document fingerprinting" (SIGMOD 2003), section 3. Of the hashes in each window of
neighbouring shingles the least is selected. What is selected in a passage depends on the passage alone, so
two texts that share a passage of a window's length select the same hash there, however little the passage is
of either. MinHash, which has one sample for the whole text, misses that.

What a longer window selects, a shorter one selects as well. So a long text may have a longer window than a
short one, and both still meet.
"""

from __future__ import annotations

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.copies.tokens import CHARACTER, Tokens, distinct

Hashes = NDArray[np.uint32]

# Odd multipliers, one for each place in a shingle. Fixed, as stored fingerprints depend on them.
_MULTIPLIERS = np.array(
    [xxhash.xxh3_64_intdigest(b"shingle", seed=n) | 1 for n in range(16)], dtype=np.uint64
)


def shingles(words: Tokens, word_count: int, character_count: int) -> Hashes:
    """Hashes of the shingles in the order in which they begin, repeats included; shape (shingles,), uint32.

    words: the `spelling` of a text's tokens. A shingle that begins with a character of an unspaced script is
    `character_count` tokens long, any other `word_count`. A shorter text is one shingle; a text without
    tokens has none.
    """
    if not words.size:
        return np.empty(0, dtype=np.uint32)
    is_character = (words & CHARACTER) != 0
    if not is_character.any():
        return _upper_half(_sums(words, min(word_count, words.size)))
    sums = np.zeros(words.size, dtype=np.uint64)
    is_whole = np.zeros(words.size, dtype=np.bool_)
    for size, begins in ((word_count, ~is_character), (character_count, is_character)):
        starts = begins[: max(words.size - size + 1, 0)].nonzero()[0]
        if starts.size:
            sums[starts] = _sums(words, size)[starts]
            is_whole[starts] = True
    return _upper_half(sums[is_whole] if is_whole.any() else _sums(words, words.size))


def _sums(words: Tokens, size: int) -> Tokens:
    """Sum of token * multiplier mod 2**64 over each run of `size` tokens; shape (tokens - size + 1,)."""
    sums: Tokens = np.correlate(words, _MULTIPLIERS[:size])
    return sums


def _upper_half(sums: Tokens) -> Hashes:
    return (sums >> np.uint64(32)).astype(np.uint32)


def winnow(hashes: Hashes, window: int) -> Hashes:
    """The distinct hashes that are the least of some `window` neighbouring ones, sorted; shape (selected,).

    hashes: of shingles in order. A text with fewer of them is one window. Of n hashes 2 * n / (window + 1)
    are selected on average (section 3.2). Which of several equal hashes is selected makes no difference here,
    because only their value is kept.
    """
    if hashes.size <= window:  # one window, as most wire copy is
        return hashes.min(keepdims=True) if hashes.size else hashes
    return distinct(_window_minima(hashes, window))


def window_for(shingles: int, shortest: int, most: int, long: int, most_of_long: int) -> int:
    """The window that selects about `most` of so many shingles, and no shorter one than `shortest`.

    Of more than `long` shingles it selects about `most_of_long`.
    """
    return max(shortest, -(-2 * shingles // (most if shingles <= long else most_of_long)))


def _window_minima(hashes: Hashes, window: int) -> Hashes:
    """The least hash of each window; shape (hashes - window + 1,).

    The minima of windows of 2, 4, 8… are made of one another, so a window of any length is two of these.
    """
    minima, length = hashes, 1
    while 2 * length <= window:
        minima, length = np.minimum(minima[:-length], minima[length:]), 2 * length
    rest = window - length
    return np.minimum(minima[: minima.size - rest], minima[rest:]) if rest else minima
