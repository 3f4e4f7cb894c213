"""Shingles of a text: a 32-bit hash for each run of neighbouring tokens (n-gram).

Broder, "On the resemblance and containment of documents" (1997). Scripts that write no blanks have one token
a character, and therefore longer shingles.
"""

from __future__ import annotations

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.copies.tokens import CHARACTER, Tokens

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
