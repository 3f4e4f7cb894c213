"""Made entries of the index of near-duplicates, any part of any number of articles in the same time.

An article's entry depends on its number alone, so tasks make parts of one index. Their signatures and bands
have the pattern of real ones and no text behind them:

- a third of the articles are copies, of 4 on average, within hours of each other; two values in three of a
  copy's signature are those of its story
- one value in ten is one of a few that unrelated articles share, as stock phrases give
- an article has `WINNOWED` passages; one in thirty is a common phrase, the n-th as frequent as 1/n

    python -m benchmarks.made_bands --articles 10000 100000 1000000

measures what neighbours of so many articles take, on one bucket of their bands.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.batch import BANDS, SIGNATURES, IndexEntries, neighbours_of_slices, summed
from pipeline.settings import BAND_BITS, WINNOWED_BIT, FingerprintSettings, Settings

# Passages of an article, and phrases that many print.
WINNOWED = 7
PHRASES = 20_000
# Seconds over which the articles are spread, a month, and in which copies follow.
SPREAD, FOLLOWS = 30 * 86_400, 6 * 3600
_FIRST_SECOND = 1_700_000_000
_HASH_BITS = 29

_AT_ONCE = 20_000
# Articles whose bands are looked at in one bucket.
_OF_A_BUCKET = 200_000

Numbers = NDArray[np.uint64]


def made_entries(first: int, count: int, *, total: int, settings: Settings | None = None) -> IndexEntries:
    """Entries of the articles with these ids, of an index of `total` articles; `keys` are empty.

    Rows of bands are in no order. About 36 rows an article.
    """
    used = settings or Settings()
    ids = np.arange(first, first + count).astype(np.uint64)
    stories = max(1, total // 12)
    is_copy = _share(ids, 1) < 1 / 3
    story = np.where(is_copy, _mixed(ids, 2) % np.uint64(stories), ids + np.uint64(stories))
    seconds = _FIRST_SECOND + (_share(story, 3) * SPREAD + _share(ids, 4) * FOLLOWS).astype(np.int64)
    positions = seconds << _HASH_BITS | (_mixed(ids, 5) >> np.uint64(64 - _HASH_BITS)).astype(np.int64)
    values = _values(ids, story, is_copy, used.fingerprint.num_perm)
    bands = np.concatenate(
        (_signature_bands(values, used.fingerprint), _passages(ids, story, is_copy)), axis=1
    )
    bands.sort(axis=1)
    is_first = np.ones(bands.shape, dtype=np.bool_)
    is_first[:, 1:] = bands[:, 1:] != bands[:, :-1]
    signed = ids.astype(np.int64)
    owner = np.repeat(np.arange(count), is_first.sum(axis=1))
    signature = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(4 * values.shape[1]), count, [None, pa.py_buffer(values.astype("<u4").tobytes())]
    )
    columns = [signed, positions, [used.index_version] * count, signature.cast(pa.binary()), [b""] * count]
    return IndexEntries(
        pa.table(columns, schema=SIGNATURES),
        pa.table([bands[is_first], positions[owner], signed[owner]], schema=BANDS),
    )


def made_bucket(articles: int, bucket: int, buckets: int) -> pa.Table:
    """BANDS of one bucket of bands of all articles, sorted by (band, position, id)."""
    parts = []
    for first in range(1, articles + 1, _AT_ONCE):
        made = made_entries(first, min(_AT_ONCE, articles + 1 - first), total=articles).bands
        parts.append(made.filter(pa.array(made["band"].to_numpy() % buckets == bucket)))
    band, position, id = (column.to_numpy() for column in pa.concat_tables(parts).columns)
    order = np.lexsort((id, position, band))
    return pa.table([band[order], position[order], id[order]], schema=BANDS)


@dataclass(frozen=True, slots=True)
class NeighbourCosts:
    """What one bucket of bands took.

    rows: of the bucket. pairs: of neighbours, once for each slice. seconds: of processor time, for neighbours
    and for adding up their weights.
    """

    articles: int
    buckets: int
    rows: int
    pairs: int
    seconds: float
    seconds_of_sums: float


def neighbour_costs(articles: int) -> NeighbourCosts:
    """Measures the first of as many buckets as the articles need."""
    buckets = max(1, articles // _OF_A_BUCKET)
    rows = made_bucket(articles, 0, buckets)
    batches, limits = rows.to_batches(max_chunksize=1 << 16), Settings().group
    start = time.process_time()
    found = pa.concat_tables(list(neighbours_of_slices(batches, limits)))
    found_at = time.process_time()
    summed(found)
    end = time.process_time()
    return NeighbourCosts(articles, buckets, rows.num_rows, found.num_rows, found_at - start, end - found_at)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.made_bands", description=__doc__)
    parser.add_argument("--articles", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    print("| articles | rows of a bucket | buckets | rows a second | pairs an article | summed a second |")
    print("|---|---|---|---|---|---|")
    for articles in parser.parse_args(arguments).articles:
        cost = neighbour_costs(articles)
        print(
            f"| {articles:,} | {cost.rows:,} | {cost.buckets} | {cost.rows / cost.seconds:,.0f} "
            f"| {cost.pairs * cost.buckets / articles:.1f} | {cost.pairs / cost.seconds_of_sums:,.0f} |"
        )


def _values(ids: Numbers, story: Numbers, is_copy: NDArray[np.bool_], size: int) -> Numbers:
    """Signatures, 32 bits a value; shape (articles, size)."""
    place = np.arange(size).astype(np.uint64)
    own = _mixed(ids[:, None] * np.uint64(size) + place, 6)
    told = _mixed(story[:, None] * np.uint64(size) + place, 7)
    common = _mixed(own % np.uint64(8) + place * np.uint64(8), 8)
    chance = _share(own, 9)
    found = np.where(is_copy[:, None] & (chance < 2 / 3), told, np.where(chance > 0.9, common, own))
    shortened: Numbers = found >> np.uint64(32)
    return shortened


def _signature_bands(values: Numbers, settings: FingerprintSettings) -> NDArray[np.int64]:
    """Near and far bands as `pipeline.copies.fingerprint` cuts them; shape (articles, bands)."""
    lead = settings.whole_size
    kinds = (
        (settings.bands, settings.rows, 0, False),
        (settings.lead_bands, settings.lead_rows, lead, False),
        (settings.far_bands, settings.far_rows, 0, True),
        (settings.far_lead_bands, settings.far_rows, lead, True),
    )
    found: list[NDArray[np.int64]] = []
    for bands, rows, first, is_far in kinds:
        for band in range(bands):
            start = first + band * rows
            key = np.full(len(values), np.uint64(len(found)))
            for place in range(start, start + rows):
                key = _mixed(key ^ values[:, place], 10)
            kept = key | np.uint64(1 << 63) if is_far else key >> np.uint64(64 - BAND_BITS + 1)
            found.append(kept.view(np.int64))
    return np.stack(found, axis=1)


def _passages(ids: Numbers, story: Numbers, is_copy: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Winnowed bands; shape (articles, WINNOWED)."""
    place = np.arange(WINNOWED).astype(np.uint64)
    own = _mixed(ids[:, None] * np.uint64(WINNOWED) + place, 11)
    told = _mixed(story[:, None] * np.uint64(WINNOWED) + place, 12)
    chance = _share(own, 13)
    phrase = _mixed((PHRASES ** _share(own, 14)).astype(np.uint64), 15)
    found = np.where(is_copy[:, None] & (chance < 2 / 3), told, np.where(chance > 29 / 30, phrase, own))
    return (found >> np.uint64(32)).astype(np.int64) | WINNOWED_BIT


def _mixed(numbers: Numbers, salt: int) -> Numbers:
    """Random 64-bit numbers that depend on these (splitmix64, Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        z = numbers + np.uint64(salt * 0x9E3779B97F4A7C15 % (1 << 64))
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: Numbers = z ^ (z >> np.uint64(31))
    return mixed


def _share(numbers: Numbers, salt: int) -> NDArray[np.float64]:
    """Random numbers from 0 to 1 that depend on these."""
    shares: NDArray[np.float64] = _mixed(numbers, salt) / np.float64(1 << 64)
    return shares


if __name__ == "__main__":
    main()
