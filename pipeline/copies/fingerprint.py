"""MinHash signature and bands of a text: what the near-duplicate index in the database keeps.

MinHash after Broder (1997), by datasketch. A signature is the values of two objects. One is
`MinHash(size, seed=seed, scheme="affine32")` of the whole text, which finds copies with a lead of their own.
The other is of the lead, with the next seed. Wire copy is cut from the bottom, so a copy cut to a fifth
shares its lead and little else. A text that is a part of a longer one shares little with either, and is found
by winnowed bands. `pipeline.copies.sketch` makes datasketch's objects of a signature again.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.copies.shingles import Hashes, shingles, window_for, winnow
from pipeline.copies.tokens import Tokens, spelling, tokens
from pipeline.document import Fingerprint
from pipeline.settings import BAND_BITS, MAX_BANDS, WINNOWED_BIT, FingerprintSettings

if TYPE_CHECKING:
    from datasketch import MinHash

SCHEME = "affine32"

Values = NDArray[np.uint32]


def fingerprint(text: str, settings: FingerprintSettings) -> Fingerprint | None:
    """The index entry of a text without dateline, byline and sign-off; None if it has no word."""
    words = spelling(tokens(text))
    if not words.size:
        return None
    values = signature(shingles(words, settings.shingle_words, settings.shingle_chars), settings)
    of_values, of_passages = bands(values, settings), winnowed_bands(words, settings)
    return Fingerprint(settings.version, values.astype("<u4").tobytes(), (*of_values, *of_passages))


def shingle_hashes(text: str, settings: FingerprintSettings) -> Hashes:
    """32-bit hashes of the shingles of a text in order, repeats included; shape (shingles,)."""
    return shingles(spelling(tokens(text)), settings.shingle_words, settings.shingle_chars)


def signature(hashes: Hashes, settings: FingerprintSettings) -> Values:
    """MinHash values of the whole text, then of its lead; shape (whole_size + lead_size,).

    hashes: 32-bit shingle hashes of the text in order, at least one. The lead is the shingles that begin in
    its first `lead_words` words.
    """
    whole = _minhash(hashes, settings.whole_size, settings.seed)
    lead = _minhash(hashes[: settings.lead_words], settings.lead_size, settings.seed + 1)
    return np.concatenate((whole, lead))


def _minhash(hashes: Hashes, size: int, seed: int) -> Values:
    """The values of datasketch's MinHash with the hashes as they are; shape (size,)."""
    made = copy(_empty_minhash(size, seed))
    # `update_batch` hashes each element and makes one array of the hashes. An element that is the array gives
    # the same one, in half the time. docs/tuning.md: Signatures by datasketch
    made.update_batch([hashes])
    values: Values = made.hashvalues
    return values


@cache
def _empty_minhash(size: int, seed: int) -> MinHash:
    _import_datasketch()
    from datasketch.minhash import MinHash

    return MinHash(num_perm=size, seed=seed, scheme=SCHEME, hashfunc=_identity)


@cache
def _import_datasketch() -> None:
    """Let datasketch's `__init__` run only when something else than one of its modules is used.

    It imports SciPy for indexes that are not used here, which is a fifth of the time in which workers start.
    importlib.util.LazyLoader would run it before any module.
    """
    spec = importlib.util.find_spec("datasketch")
    if "datasketch" in sys.modules or spec is None or spec.loader is None:
        return
    package, waiting, lock = importlib.util.module_from_spec(spec), [spec.loader], threading.RLock()

    def run_init(name: str) -> Any:
        with lock:
            while waiting:
                waiting.pop().exec_module(package)
        try:
            return vars(package)[name]
        except KeyError:
            raise AttributeError(f"module 'datasketch' has no attribute {name!r}") from None

    vars(package)["__getattr__"] = run_init
    sys.modules["datasketch"] = package


def _identity(hashes: Hashes) -> Hashes:
    return hashes


def bands(values: Values, settings: FingerprintSettings) -> tuple[int, ...]:
    """Keys of the near bands of the whole text and of the lead, then of the far bands of both.

    Near keys are below `WINNOWED_BIT`. Far keys are negative, of 64 bits, and made of more values, so that
    they find reprints at any distance in time (see `pipeline.copies.candidates`).
    """
    plan = _band_plan(settings)
    weighted = values[plan.places].astype(np.uint64) * plan.weights
    keys = np.add.reduceat(weighted, plan.starts) + plan.numbers
    near = keys[: plan.near] >> np.uint64(64 - BAND_BITS + 1)
    far = (keys[plan.near :] | np.uint64(1 << 63)).view(np.int64)
    return (*near.tolist(), *far.tolist())


def winnowed_bands(words: Tokens, settings: FingerprintSettings) -> tuple[int, ...]:
    """A band for each shingle that winnowing selects, sorted. words: the `spelling` of the text's tokens."""
    hashes = shingles(words, settings.winnow_words, settings.winnow_chars)
    shortest, most, long, most_of_long = (
        settings.winnow_window,
        settings.winnow_most,
        settings.winnow_long,
        settings.winnow_most_of_long,
    )
    window = window_for(hashes.size, shortest, most, long, most_of_long)
    return tuple((winnow(hashes, window).astype(np.int64) | WINNOWED_BIT).tolist())


@dataclass(frozen=True, slots=True, eq=False)
class _BandPlan:
    """Which values make which band.

    places, weights: of each value of each band, in the order of the bands; shape (values of all bands,).
    starts, numbers: where a band begins in these, and what is added to its key; shape (bands,).
    near: how many of the bands are near ones; they come first.
    """

    places: NDArray[np.intp]
    weights: NDArray[np.uint64]
    starts: NDArray[np.intp]
    numbers: NDArray[np.uint64]
    near: int


@cache
def _band_plan(settings: FingerprintSettings) -> _BandPlan:
    whole, lead = 0, settings.whole_size
    # (number of bands, values in each, place of their first value)
    kinds = (
        (settings.bands, settings.rows, whole),
        (settings.lead_bands, settings.lead_rows, lead),
        (settings.far_bands, settings.far_rows, whole),
        (settings.far_lead_bands, settings.far_rows, lead),
    )
    places = [np.arange(count * rows) + first for count, rows, first in kinds]
    weights = [np.tile(_numbers(b"band", rows) | np.uint64(1), count) for count, rows, _ in kinds]
    sizes = np.repeat([rows for _, rows, _ in kinds], [count for count, _, _ in kinds])
    return _BandPlan(
        places=np.concatenate(places),
        weights=np.concatenate(weights),
        starts=np.cumsum(sizes) - sizes,
        numbers=_numbers(b"number", MAX_BANDS)[: sizes.size],
        near=settings.bands + settings.lead_bands,
    )


def _numbers(name: bytes, count: int) -> NDArray[np.uint64]:
    """Random numbers, always the same, as keys are stored; shape (count,)."""
    return np.array([xxhash.xxh3_64_intdigest(name, seed=n) for n in range(count)], dtype=np.uint64)
