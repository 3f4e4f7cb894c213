"""MinHash signature and band keys of a text: what the near-duplicate index in the database keeps.

MinHash after Broder (1997), with datasketch's permutations (scheme affine32), bit for bit: a stored
signature can be loaded into `datasketch.MinHash`. Two signatures are made and banded: one of the whole text,
which finds copies with a lead of their own, and one of the lead. Wire copy is cut from the bottom, so a copy
cut to a fifth shares its lead and little else.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.copies.shingles import Hashes, shingles
from pipeline.copies.tokens import spelling, tokens
from pipeline.document import Fingerprint
from pipeline.settings import BAND_BITS, MAX_BANDS, FingerprintSettings

SCHEME = "affine32"

Values = NDArray[np.uint32]


def fingerprint(text: str, settings: FingerprintSettings) -> Fingerprint | None:
    """The index entry of a text without dateline, byline and sign-off; None if it has no word."""
    words = spelling(tokens(text))
    if not words.size:
        return None
    values = signature(shingles(words, settings.shingle_words, settings.shingle_chars), settings)
    return Fingerprint(settings.version, values.astype("<u4").tobytes(), bands(values, settings))


def signature(hashes: Hashes, settings: FingerprintSettings) -> Values:
    """MinHash values of the whole text, then of its lead; shape (bands * rows + lead_bands * lead_rows,).

    hashes: 32-bit shingle hashes of the text in order, at least one. The lead is the shingles that begin in
    its first `lead_words` words. The whole text takes the first permutations and the lead the rest, so that
    they err independently.

    datasketch mixes each hash with the MurmurHash3 finaliser before it permutes it. That is one to one, and
    ours are mixed well without it (docs/tuning.md: MurmurHash3 finaliser). So `hashes` stand for what the
    finaliser makes of the hashes that datasketch would be given.
    """
    a, b = _permutations(settings.num_perm, settings.seed)
    whole = settings.bands * settings.rows
    lead = hashes[: settings.lead_words]
    return np.concatenate((_minhash(hashes, a[:whole], b[:whole]), _minhash(lead, a[whole:], b[whole:])))


def _minhash(hashes: Hashes, a: Values, b: Values) -> Values:
    """The least value of each permutation a * h + b mod 2**32; shape (permutations,)."""
    least: Values = (np.outer(a, hashes) + b[:, None]).min(axis=1)
    return least


@cache
def _permutations(num_perm: int, seed: int) -> tuple[Values, Values]:
    # Imported here: it imports SciPy, which programs that make no fingerprint do not need.
    from datasketch import MinHash

    a, b = MinHash(num_perm=num_perm, seed=seed, scheme=SCHEME).permutations
    return a, b


def bands(values: Values, settings: FingerprintSettings) -> tuple[int, ...]:
    """Keys of the near bands of the whole text and of the lead, then of the far bands of both.

    Near keys have `BAND_BITS` bits. Far keys are negative, of 64 bits, and made of more values, so that they
    find reprints at any distance in time (see `pipeline.copies.candidates`).
    """
    whole, lead = np.split(values, [settings.bands * settings.rows])
    near = settings.bands + settings.lead_bands
    return (
        *_near(_band_keys(whole, settings.bands, settings.rows, first=0)),
        *_near(_band_keys(lead, settings.lead_bands, settings.lead_rows, first=settings.bands)),
        *_far(_band_keys(whole, settings.far_bands, settings.far_rows, first=near)),
        *_far(_band_keys(lead, settings.far_lead_bands, settings.far_rows, first=near + settings.far_bands)),
    )


def _band_keys(values: Values, count: int, rows: int, *, first: int) -> NDArray[np.uint64]:
    """A 64-bit hash of each band of `rows` values, with its number from `first` on; shape (count,)."""
    weights, numbers = _band_weights(rows)
    keys: NDArray[np.uint64] = values[: count * rows].astype(np.uint64).reshape(count, rows) @ weights
    return keys + numbers[first : first + count]


def _near(keys: NDArray[np.uint64]) -> list[int]:
    near: list[int] = (keys >> np.uint64(64 - BAND_BITS)).tolist()
    return near


def _far(keys: NDArray[np.uint64]) -> list[int]:
    far: list[int] = (keys | np.uint64(1 << 63)).view(np.int64).tolist()
    return far


@cache
def _band_weights(rows: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Odd multipliers of a band's values, and what is added for its number. Fixed, as keys are stored."""
    weights = [xxhash.xxh3_64_intdigest(b"band", seed=n) | 1 for n in range(rows)]
    numbers = [xxhash.xxh3_64_intdigest(b"number", seed=n) for n in range(MAX_BANDS)]
    return np.array(weights, dtype=np.uint64), np.array(numbers, dtype=np.uint64)
