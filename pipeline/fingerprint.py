"""MinHash signature and band keys of a text: what the near-duplicate index in the database keeps.

The signature is datasketch's (scheme affine32, its permutations, its definition), computed here over all
shingles at once in numpy. Two sketches are banded: one of the whole text, which finds copies with a lead of
their own, and one of the lead, because wire copy is cut from the bottom and a copy cut to a fifth shares
its lead and little else.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import xxhash
from datasketch import MinHash
from numpy.typing import NDArray

from pipeline.document import Fingerprint
from pipeline.settings import BAND_BITS, MAX_BANDS, FingerprintSettings
from pipeline.shingles import Hashes, shingles, tokens

SCHEME = "affine32"
# Shingles permuted at once: keeps the temporary of a book-length text within the processor's cache.
_CHUNK = 2048


def fingerprint(story: str, settings: FingerprintSettings) -> Fingerprint | None:
    """The index entry of a text without dateline, byline and sign-off; None where there is no word in it.

    Shingles go by the script of each character (see `pipeline.shingles`), not by the text's language, so that
    a wrong guess at that cannot part two copies.
    """
    hashes = shingles(tokens(story, capitals=False), settings.shingle_words, settings.shingle_chars)
    if not hashes.size:
        return None
    whole, lead = signatures(hashes, settings)
    values = np.concatenate((whole, lead))
    near = settings.bands + settings.lead_bands
    if settings.rows == settings.lead_rows:
        bands = band_keys(values, near, settings.rows, first=0)
    else:
        bands = band_keys(whole, settings.bands, settings.rows, first=0)
        bands += band_keys(lead, settings.lead_bands, settings.lead_rows, first=settings.bands)
    rows = settings.far_rows
    for_far = np.concatenate((whole[: settings.far_bands * rows], lead[: settings.far_lead_bands * rows]))
    bands += far_keys(for_far, settings.far_bands + settings.far_lead_bands, rows, first=near)
    return Fingerprint(settings.version, values.astype("<u4", copy=False).tobytes(), tuple(bands))


def signatures(
    hashes: Hashes, settings: FingerprintSettings
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """MinHash values of the whole text and of its lead; shapes (bands * rows,) and (lead_bands * lead_rows,).

    hashes: 32-bit shingle hashes of the text in order, at least one. The lead is the shingles that begin in
    its first `lead_words` words. Bit for bit datasketch's MinHash(num_perm, seed, scheme="affine32"), of
    whose permutations the whole text takes the first and the lead the rest, so that they err independently.
    """
    a, b = _permutations(settings.num_perm, settings.seed)
    own = settings.bands * settings.rows
    mixed = _fmix32(hashes)
    lead = _least(a[own:], b[own:], mixed[: settings.lead_words])
    whole = _least(a[:own], b[:own], mixed[:_CHUNK])
    for at in range(_CHUNK, mixed.size, _CHUNK):
        np.minimum(whole, _least(a[:own], b[:own], mixed[at : at + _CHUNK]), out=whole)
    return whole, lead


@cache
def _permutations(num_perm: int, seed: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """datasketch's own a and b, as columns; shape (num_perm, 1) each."""
    a, b = MinHash(num_perm=num_perm, seed=seed, scheme=SCHEME).permutations
    return a[:, None].copy(), b[:, None].copy()


# As arrays: a ufunc takes them as they are, and has to convert a scalar at every call.
_13, _16 = np.array(13, dtype=np.uint32), np.array(16, dtype=np.uint32)
_FIRST, _SECOND = np.array(0x85EBCA6B, dtype=np.uint32), np.array(0xC2B2AE35, dtype=np.uint32)


def _fmix32(hashes: Hashes) -> Hashes:
    """The MurmurHash3 finaliser, with which datasketch mixes hashes once before it permutes them."""
    h = hashes >> _16
    shifted = np.empty_like(h)
    h ^= hashes
    h *= _FIRST
    np.right_shift(h, _13, out=shifted)
    h ^= shifted
    h *= _SECOND
    np.right_shift(h, _16, out=shifted)
    h ^= shifted
    return h


def _least(a: NDArray[np.uint32], b: NDArray[np.uint32], mixed: Hashes) -> NDArray[np.uint32]:
    """Least value of each permutation a * h + b mod 2**32; shape of a, flat."""
    permuted = a * mixed
    permuted += b
    least: NDArray[np.uint32] = np.minimum.reduce(permuted, axis=1)
    return least


def band_keys(values: NDArray[np.uint32], bands: int, rows: int, *, first: int) -> list[int]:
    """Near bands of `rows` values each, with the band's number (from `first`) mixed in; `BAND_BITS` bits."""
    listed: list[int] = (_mixed(values, bands, rows, first) >> _NEAR).tolist()
    return listed


def far_keys(values: NDArray[np.uint32], bands: int, rows: int, *, first: int) -> list[int]:
    """Far bands, likewise; negative and of 64 bits."""
    listed: list[int] = (_mixed(values, bands, rows, first) | _FAR).view(np.int64).tolist()
    return listed


_NEAR, _FAR = np.uint64(64 - BAND_BITS), np.uint64(1 << 63)


def _mixed(values: NDArray[np.uint32], bands: int, rows: int, first: int) -> NDArray[np.uint64]:
    weights, numbers = _band_weights(rows)
    wide = values[: bands * rows].astype(np.uint64).reshape(bands, rows)
    keys: NDArray[np.uint64] = wide @ weights
    keys += numbers[first : first + bands]
    return keys


@cache
def _band_weights(rows: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Odd multipliers of a band's values, and what is added for its number: fixed, as keys are stored."""
    weights = [xxhash.xxh3_64_intdigest(b"band", seed=n) | 1 for n in range(rows)]
    numbers = [xxhash.xxh3_64_intdigest(b"number", seed=n) for n in range(MAX_BANDS)]
    return np.array(weights, dtype=np.uint64), np.array(numbers, dtype=np.uint64)
