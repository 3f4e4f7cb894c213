"""MinHash signature and band keys of a text: what the near-duplicate index in the database keeps.

The signature is datasketch's (scheme affine32, its permutations, its definition), computed here over all
shingles at once in numpy. Two sketches are banded: one of the whole text, which finds copies with a lead of
their own, and one of the lead, because wire copy is cut from the bottom and a copy cut to a fifth shares
its lead and little else.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.copies.shingles import Hashes, shingles, tokens, tokens_of_each
from pipeline.document import Fingerprint
from pipeline.settings import BAND_BITS, MAX_BANDS, FingerprintSettings

SCHEME = "affine32"
# Shingles permuted at once: keeps the temporary of a book-length text within the processor's cache. They come
# in multiples of a step, for each of which tables are kept.
_CHUNK, _STEP = 512, 32

Values = NDArray[np.uint32]


def fingerprint(story: str, settings: FingerprintSettings) -> Fingerprint | None:
    """The index entry of a text without dateline, byline and sign-off; None where there is no word in it.

    Shingles go by the script of each character (see `pipeline.copies.shingles`), not by the text's language,
    so that a wrong guess at that cannot part two copies.
    """
    return fingerprints((story,), settings)[0]


def fingerprints(stories: Sequence[str], settings: FingerprintSettings) -> list[Fingerprint | None]:
    """The `fingerprint` of each of the texts; of a dozen short ones in some .6 of the time."""
    found: list[Fingerprint | None] = [None] * len(stories)
    worded = [(n, words) for n, words in enumerate(tokens_of_each(stories)) if words.size]
    if not worded:
        return found
    values = np.empty((len(worded), settings.num_perm), dtype=np.uint32)
    for row, (n, words) in enumerate(worded):
        spaced = stories[n].isascii()
        hashes = shingles(words, settings.shingle_words, settings.shingle_chars, spaced=spaced)
        values[row] = signatures(hashes, settings)
    bands = _bands(values, settings)
    signed = values.astype("<u4", copy=False).tobytes()
    size, version = 4 * settings.num_perm, settings.version
    for row, (n, _) in enumerate(worded):
        signature = signed[size * row : size * (row + 1)]
        found[n] = Fingerprint(version, signature, tuple(bands[row]))
    return found


def _bands(values: Values, settings: FingerprintSettings) -> list[list[int]]:
    """Near bands of the whole text and of the lead, then the far ones of both, of each row of values."""
    near = settings.bands + settings.lead_bands
    own = settings.bands * settings.rows
    if settings.rows == settings.lead_rows:
        keys = [band_keys(values, near, settings.rows, first=0)]
    else:
        keys = [
            band_keys(values, settings.bands, settings.rows, first=0),
            band_keys(values[:, own:], settings.lead_bands, settings.lead_rows, first=settings.bands),
        ]
    rows = settings.far_rows
    far = settings.far_bands * rows, settings.far_lead_bands * rows
    for_far = np.concatenate((values[:, : far[0]], values[:, own : own + far[1]]), axis=1)
    keys.append(far_keys(for_far, settings.far_bands + settings.far_lead_bands, rows, first=near))
    found: list[list[int]] = np.concatenate(keys, axis=1).tolist()
    return found


def signature(story: str, settings: FingerprintSettings) -> Values | None:
    """The MinHash values of a text (see `signatures`); None where there is no word in it."""
    found = tokens(story, marked=False)
    if not found.size:
        return None
    hashes = shingles(found, settings.shingle_words, settings.shingle_chars, spaced=story.isascii())
    return signatures(hashes, settings)


def signatures(hashes: Hashes, settings: FingerprintSettings) -> Values:
    """MinHash values of the whole text, then of its lead; shape (bands * rows + lead_bands * lead_rows,).

    hashes: 32-bit shingle hashes of the text in order, at least one. The lead is the shingles that begin in
    its first `lead_words` words. Bit for bit datasketch's MinHash(num_perm, seed, scheme="affine32"), of
    whose permutations the whole text takes the first and the lead the rest, so that they err independently.

    datasketch passes what it is given through the MurmurHash3 finaliser before it permutes it. That is one
    to one, and our sums need no more mixing: estimates of 1,130 similarities by 1,024 permutations erred by
    .99 of the standard error that independent hashes have, and by .97 with it. So `hashes` are taken for
    what the finaliser has made of other hashes, and those are what datasketch has to be given.

    The hashes stand in one line for each permutation, so that one multiplication does for all of a short
    text. A line is filled up with hashes that it has already, which changes no least value.
    """
    num_perm, own = settings.num_perm, settings.bands * settings.rows
    line = hashes.tobytes()
    lead, rest = line[: 4 * settings.lead_words], line[4 * settings.lead_words :]
    if not rest:
        lead = _filled(lead)
    first = _filled(rest[: 4 * _CHUNK])
    least = _least(
        lead * num_perm + first * own, _tables(num_perm, settings.seed, own, len(lead), len(first))
    )
    values = least[:num_perm]
    if first:
        whole = values[:own]
        np.minimum(whole, least[num_perm:], out=whole)
        for at in range(4 * _CHUNK, len(rest), 4 * _CHUNK):
            more = _filled(rest[at : at + 4 * _CHUNK])
            found = _least(more * own, _tables(num_perm, settings.seed, own, 0, len(more)))
            np.minimum(whole, found, out=whole)
    return values


def _filled(line: bytes) -> bytes:
    """The hashes, repeated up to a multiple of `_STEP`."""
    over = len(line) % (4 * _STEP)
    if not over:
        return line
    full = len(line) - over + 4 * _STEP
    return (line * (full // len(line) + 1))[:full]


@lru_cache(maxsize=128)
def _tables(
    num_perm: int, seed: int, own: int, lead: int, rest: int
) -> tuple[Values, Values, NDArray[np.intp]]:
    """datasketch's own a and b for each hash in lines, and where each line begins.

    lead, rest: bytes in a line; of lead lines there are num_perm, of others own.
    """
    # Here: it brings SciPy, and who only compares or stores fingerprints makes none.
    from datasketch import MinHash

    a, b = MinHash(num_perm=num_perm, seed=seed, scheme=SCHEME).permutations
    lines = np.repeat((lead // 4, rest // 4), (num_perm if lead else 0, own if rest else 0))
    order = np.concatenate((np.arange(num_perm if lead else 0), np.arange(own if rest else 0)))
    starts = np.cumsum(lines) - lines
    return np.repeat(a[order], lines), np.repeat(b[order], lines), starts


class _Scratch(threading.local):
    """Memory that is at hand: new memory of this size comes from the system at every call."""

    def __init__(self) -> None:
        self.permuted = np.empty(1 << 15, dtype=np.uint32)


_scratch = _Scratch()


def _least(lines: bytes, tables: tuple[Values, Values, NDArray[np.intp]]) -> Values:
    """Least value of a * h + b mod 2**32 in each line; shape (lines,)."""
    a, b, starts = tables
    room = _scratch.permuted[: a.size] if a.size <= _scratch.permuted.size else None
    permuted = np.multiply(np.frombuffer(lines, dtype=np.uint32), a, out=room)
    permuted += b
    least: Values = np.minimum.reduceat(permuted, starts)
    return least


def band_keys(values: Values, bands: int, rows: int, *, first: int) -> NDArray[np.int64]:
    """Near bands of `rows` values each, with the band's number (from `first`) mixed in; `BAND_BITS` bits.

    values: of a text in each row; shape (texts, at least bands * rows). Returns shape (texts, bands).
    """
    return (_mixed(values, bands, rows, first) >> _NEAR).view(np.int64)


def far_keys(values: Values, bands: int, rows: int, *, first: int) -> NDArray[np.int64]:
    """Far bands, likewise; negative and of 64 bits."""
    return (_mixed(values, bands, rows, first) | _FAR).view(np.int64)


_NEAR, _FAR = np.uint64(64 - BAND_BITS), np.uint64(1 << 63)


def _mixed(values: Values, bands: int, rows: int, first: int) -> NDArray[np.uint64]:
    weights, numbers = _band_weights(rows)
    wide = values[:, : bands * rows].astype(np.uint64).reshape(-1, rows)
    keys: NDArray[np.uint64] = (wide @ weights).reshape(-1, bands)
    keys += numbers[first : first + bands]
    return keys


@cache
def _band_weights(rows: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Odd multipliers of a band's values, and what is added for its number: fixed, as keys are stored."""
    weights = [xxhash.xxh3_64_intdigest(b"band", seed=n) | 1 for n in range(rows)]
    numbers = [xxhash.xxh3_64_intdigest(b"number", seed=n) for n in range(MAX_BANDS)]
    return np.array(weights, dtype=np.uint64), np.array(numbers, dtype=np.uint64)
