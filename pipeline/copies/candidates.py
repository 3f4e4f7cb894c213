"""Which stored articles a new article has to be compared with: neighbours in the bands of the index.

Pure functions; `storage.writing` keeps the index and looks things up in it. One article is added like this:

1. Its position in every band is `order_key(article)`: published (else fetched) time, then a hash of the URL.
   So the position depends on the article alone and not on when it arrived. Index rows are (key, order, id).
2. A near band is local in time. `row_key` puts the time, in buckets of three days, above the band's hash, so
   all that today's news looks up and writes lies together. An article's neighbours there are the
   `band_window` rows before and after it that are at most `near_days` away; `near_range` gives the range. A
   winnowed band is as local in time. It is for passages (see `pipeline.copies.shingles`): a text within a
   page of briefs, a live blog that has grown, a part of a long text. A far band is for reprints and wrong
   dates. Its rows lie together whatever their time, and the `band_window` rows before and after are
   neighbours.
3. A neighbour in one winnowed or far band, or in `bands_shared` near bands, is a candidate. One near band is
   enough for two that are alike: `values_shared` of the values in their signatures agree (`candidates_among`
   for all neighbours of an article, `is_candidate` for one pair). So a band that the whole database shares
   costs no more than any other. Copies are neighbours in time, which holds a group of thousands together,
   while the weekly issues of one template are never compared beyond the window.
4. The new article separates some neighbours (`separated`, for each band). Such a pair has one band less in
   common. If it was verified, it stays only while `is_candidate` still holds (whether two are alike does not
   change). If an article is removed from a
   band, the same pairs become neighbours again. So the set of candidate pairs, and with it the evidence and
   the groups, is a function of the articles that are there, whatever the order and the batches in which they
   arrived. An article between two neighbours is at least as near in time to both as they are to each other,
   so the limit in time changes nothing.
5. `pipeline.copies.verification` decides on every candidate pair. Verified pairs are stored with their
   evidence, and groups are the connected components of what is stored (`pipeline.copies.groups`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.copies.article_copy import ArticleCopy
from pipeline.settings import BAND_BITS, WINNOWED_BIT, GroupSettings

T = TypeVar("T", bound=Hashable)

# An order key is 34 bits of seconds, signed from 1970 (years 1697 to 2242), and a hash of 29 bits.
_HASH_BITS = 29
_LAST_SECOND = (1 << 33) - 1

# The key of a row in a near or winnowed band is 16 bits of time and the band. A bucket is 2**18 seconds,
# three days.
# docs/tuning.md: Time buckets of near bands
_BUCKET_BITS = 18
_FIRST_BUCKET = 1 << (33 - _BUCKET_BITS)


def order_key(article: ArticleCopy) -> int:
    """Position of an article in its bands, a signed 64-bit int: time in seconds, then a hash of the URL."""
    return order_of(int((article.published_at or article.fetched_at).timestamp()), article.url)


def order_of(seconds: int, url: str) -> int:
    """`order_key` of an article with this URL. seconds: from 1970 to when it was published, else fetched."""
    url_hash = xxhash.xxh3_64_intdigest(url.encode("utf-8", "surrogatepass")) >> (64 - _HASH_BITS)
    return max(min(seconds, _LAST_SECOND), -_LAST_SECOND) << _HASH_BITS | url_hash


def is_far(band: int) -> bool:
    """Whether the band is a far band, whose rows lie together whatever their time."""
    return band < 0


def are_far(bands: NDArray[np.int64]) -> NDArray[np.bool_]:
    """`is_far` of each band."""
    far: NDArray[np.bool_] = bands < 0
    return far


def is_winnowed(band: int) -> bool:
    """Whether the band is that of a passage."""
    return band >= 0 and bool(band & WINNOWED_BIT)


def row_key(band: int, order: int) -> int:
    """Key of an index row, a signed 64-bit int: time bucket and band, or a far band as it is.

    Rows of one band are in the order of their order keys also where their keys differ.
    """
    return band if is_far(band) else _bucket(order) << BAND_BITS | band


def row_keys(bands: NDArray[np.int64], orders: NDArray[np.int64]) -> NDArray[np.int64]:
    """`row_key` of each band and order key."""
    keys: NDArray[np.int64] = np.where(bands < 0, bands, _bucket(orders) << BAND_BITS | bands)
    return keys


Order = TypeVar("Order", int, NDArray[np.int64])


def _bucket(order: Order) -> Order:
    return (order >> (_HASH_BITS + _BUCKET_BITS)) + _FIRST_BUCKET


def bands_of(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The band of each row key."""
    bands: NDArray[np.int64] = np.where(keys < 0, keys, keys & ((1 << BAND_BITS) - 1))
    return bands


def bucket_keys(band: int, low: int, high: int) -> range:
    """Keys of all rows of a band from one order key to another."""
    first, last = row_key(band, low), row_key(band, high)
    return range(first, last + 1, 1 << BAND_BITS)


def near_range(order: int, settings: GroupSettings) -> tuple[int, int]:
    """Least and greatest order key that a neighbour in a near or winnowed band may have."""
    at, seconds = order >> _HASH_BITS, int(settings.near_days * 86400)
    low, high = max(at - seconds, -_LAST_SECOND), min(at + seconds, _LAST_SECOND)
    return low << _HASH_BITS, (high + 1 << _HASH_BITS) - 1


def are_within_reach(
    orders: NDArray[np.int64], others: NDArray[np.int64], settings: GroupSettings
) -> NDArray[np.bool_]:
    """Whether each of the others lies in the `near_range` of the order key beside it."""
    apart = np.abs((orders >> _HASH_BITS) - (others >> _HASH_BITS))
    reached: NDArray[np.bool_] = apart <= int(settings.near_days * 86400)
    return reached


@dataclass(frozen=True, slots=True)
class IndexRows:
    """Rows of the index: int64 arrays of one length.

    bands: with the index version mixed in. owners: article ids.
    """

    bands: NDArray[np.int64]
    positions: NDArray[np.int64]
    owners: NDArray[np.int64]

    def __getitem__(self, chosen: NDArray[Any] | slice) -> IndexRows:
        return IndexRows(self.bands[chosen], self.positions[chosen], self.owners[chosen])

    def rows(self) -> Iterator[tuple[int, int, int]]:
        return zip(self.bands.tolist(), self.positions.tolist(), self.owners.tolist(), strict=True)


def index_rows(
    bands: NDArray[np.int64],
    sizes: Sequence[int] | NDArray[np.int64],
    versions: Sequence[str],
    positions: NDArray[np.int64],
    ids: NDArray[np.int64],
) -> tuple[IndexRows, list[int]]:
    """The index rows of stories, sorted by band within a story, and the number of each story's first row.

    bands: of the first story, then of the second; not changed. sizes: how many each has. versions: of the
    index, of each story. The last number is that of all rows.
    """
    bands = bands.copy()
    for version in set(versions):
        of_version = np.repeat([other == version for other in versions], sizes)
        bands[of_version] = salted(bands[of_version], version)
    story = np.repeat(np.arange(len(versions)), sizes)
    # Among stories of one position, the order of keys is the order of bands.
    order = np.lexsort((bands, story))
    bands, story = bands[order], story[order]
    # A band occurs twice in a fingerprint only if two collide; one row is enough for both.
    is_first = np.ones(bands.size, dtype=np.bool_)
    is_first[1:] = (bands[1:] != bands[:-1]) | (story[1:] != story[:-1])
    bands, story = bands[is_first], story[is_first]
    return IndexRows(bands, positions[story], ids[story]), np.searchsorted(
        story, np.arange(len(versions) + 1)
    ).tolist()


def index_version(fingerprint_version: str, settings: GroupSettings) -> str:
    """Version of the index entries of a fingerprint. It may be older than the settings of fingerprints."""
    return f"{fingerprint_version} {settings.version}"


def salted(bands: NDArray[np.int64], version: str) -> NDArray[np.int64]:
    """Bands with the index version mixed in, so that two versions never meet in one; twice undoes it."""
    near, far = _salts(version)
    made: NDArray[np.int64] = bands ^ np.where(bands < 0, far, near)
    return made


@cache
def _salts(version: str) -> tuple[int, int]:
    salt = int.from_bytes(hashlib.sha256(f"\0{version}".encode()).digest()[:8], "little")
    return salt >> (64 - BAND_BITS + 1), salt >> 1  # neither changes the kind of a band


def candidates_among(
    near: Iterable[T], certain: Iterable[T], settings: GroupSettings
) -> tuple[set[T], set[T]]:
    """The articles that one article has to be compared with, and those that it has to be if they are alike.

    near: its neighbours in near bands, each once for every band in which it is one. certain: those in bands
    of which one is enough.
    """
    weights = Counter(near)
    candidates = {i for i, bands in weights.items() if is_candidate(bands, False, settings)}.union(certain)
    return candidates, {i for i in weights.keys() - candidates if is_candidate(weights[i], True, settings)}


def agreeing_values(one: bytes, other: bytes) -> int:
    """How many values of two signatures of one version agree."""
    values, other_values = (np.frombuffer(signature, dtype="<u4") for signature in (one, other))
    return int(np.count_nonzero(values == other_values)) if values.size == other_values.size else 0


def are_alike(one: bytes, other: bytes, settings: GroupSettings) -> bool:
    """Whether enough of them agree that one near band makes the two candidates."""
    return agreeing_values(one, other) >= settings.values_shared


def is_enough(band: int) -> bool:
    """Whether neighbours in this band alone are candidates."""
    return is_far(band) or is_winnowed(band)


def are_enough(bands: NDArray[np.int64]) -> NDArray[np.bool_]:
    """`is_enough` of each band."""
    enough: NDArray[np.bool_] = (bands < 0) | (bands & WINNOWED_BIT != 0)
    return enough


def band_weight(band: int, settings: GroupSettings) -> int:
    """What it counts to be neighbours in a band."""
    return settings.bands_shared if is_enough(band) else 1


def is_candidate(weights: int, alike: bool, settings: GroupSettings) -> bool:
    """Whether two articles are compared.

    weights: sum over the bands in which they are neighbours. alike: see `are_alike`.
    """
    return weights >= (1 if alike else settings.bands_shared)


def separated(before: Sequence[T], after: Sequence[T], window: int) -> list[tuple[T, T]]:
    """The pairs that were neighbours in a band until an article came between them.

    before, after: the article's own neighbours in the band, nearest first. If the article is removed, the
    same pairs become neighbours again.
    """
    return [
        (earlier, after[window - 1 - n])
        for n, earlier in enumerate(before[:window])
        if window - 1 - n < len(after)
    ]
