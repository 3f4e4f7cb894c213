"""MinHash signature and band keys of a text: what the near-duplicate index in the database keeps.

The signature is datasketch's (scheme affine32, its permutations, its definition), computed here over all
shingles at once in numpy. Two sketches are banded: one of the whole text, which finds copies with a lead of
their own, and one of the lead, because wire copy is cut from the bottom and a copy cut to a fifth shares
its lead and little else.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray

from pipeline.document import Fingerprint
from pipeline.settings import FingerprintSettings
from pipeline.shingles import Hashes, shingles, tokens

SCHEME = "affine32"
_NO_VALUE = np.uint32(0xFFFFFFFF)
# Shingles permuted at once: keeps the temporary of a book-length text within the processor's cache.
_CHUNK = 2048


def fingerprint(story: str, language: str | None, settings: FingerprintSettings) -> Fingerprint | None:
    """The index entry of a text without dateline, byline and sign-off; None where there is no word in it.

    `language` is not consulted: shingles go by the script of each character (see `pipeline.shingles`), so
    that a wrong guess at the language cannot part two copies.
    """
    found = tokens(story)
    if not found.size:
        return None
    hashes = shingles(found, settings.shingle_words, settings.shingle_chars)
    whole = signature(hashes, settings)
    opening = found[: settings.lead_words]
    lead = signature(
        shingles(opening, settings.shingle_words, settings.shingle_chars),
        settings,
        start=settings.num_perm - settings.lead_bands * settings.lead_rows,
    )
    keys = [
        *band_keys(whole, settings.bands, settings.rows, first=0),
        *band_keys(lead, settings.lead_bands, settings.lead_rows, first=settings.bands),
    ]
    return Fingerprint(version=settings.version, signature=whole.astype("<u4").tobytes(), bands=tuple(keys))


@cache
def _permutations(num_perm: int, seed: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """datasketch's own a and b, as columns; shape (num_perm, 1) each."""
    a, b = MinHash(num_perm=num_perm, seed=seed, scheme=SCHEME).permutations
    return a.astype(np.uint32)[:, None], b.astype(np.uint32)[:, None]


def signature(hashes: Hashes, settings: FingerprintSettings, *, start: int = 0) -> NDArray[np.uint32]:
    """MinHash values of a set of 32-bit shingle hashes, bit for bit datasketch's; shape (num_perm - start,).

    The pre-mix is the MurmurHash3 finaliser, the permutations a * h + b mod 2**32 (datasketch 2.0, affine32),
    of which those before `start` are left out.
    """
    h = hashes ^ (hashes >> np.uint32(16))
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    a, b = (column[start:] for column in _permutations(settings.num_perm, settings.seed))
    least = np.full(a.size, _NO_VALUE, dtype=np.uint32)
    for at in range(0, h.size, _CHUNK):
        permuted = a * h[at : at + _CHUNK]
        permuted += b
        np.minimum(least, permuted.min(axis=1), out=least)
    return least


_BAND_WEIGHT = np.uint64(0x9E3779B97F4A7C15)


def band_keys(values: NDArray[np.uint32], bands: int, rows: int, *, first: int) -> list[int]:
    """Signed 64-bit keys of the bands, `rows` values each, with the band's number (from `first`) mixed in."""
    key = np.arange(first, first + bands, dtype=np.uint64)
    for row in values[: bands * rows].reshape(bands, rows).T:
        key = (key ^ row) * _BAND_WEIGHT
        key ^= key >> np.uint64(29)
        key *= np.uint64(0xBF58476D1CE4E5B9)
        key ^= key >> np.uint64(32)
    keys: list[int] = key.view(np.int64).tolist()
    return keys
