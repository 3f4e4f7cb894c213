"""Candidates do not depend on the order of arrival, and a crowded band costs no more than its window."""

from __future__ import annotations

import itertools
import random
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.copies.candidates import (
    are_alike,
    band_weight,
    bands_of,
    bucket_keys,
    candidates_among,
    is_candidate,
    is_enough,
    is_far,
    is_winnowed,
    near_range,
    order_key,
    row_key,
    row_keys,
    separated,
)
from pipeline.copies.fingerprint import fingerprint
from pipeline.copies.groups import components
from pipeline.settings import BAND_BITS, WINNOWED_BIT, FingerprintSettings, GroupSettings
from tests.pipeline.copies.stories import FERRY, RIVAL, edited, story

SETTINGS = GroupSettings()
SHINGLING = FingerprintSettings()


Alike = Callable[[int, int], bool]


def never(one: int, other: int) -> bool:
    return False


def candidate_pairs(
    stories: Iterable[tuple[int, int, Sequence[int]]], settings: GroupSettings, alike: Alike = never
) -> set[tuple[int, int]]:
    """The definition, all at once: (id, order, bands) -> pairs that are neighbours in enough bands.

    alike: whether the signatures of two articles are.
    """
    bands: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for id, order, shared in stories:
        for band in shared:
            bands[band].append((order, id))
    days = timedelta(days=settings.near_days).total_seconds()
    weights: dict[tuple[int, int], int] = defaultdict(int)
    for band, rows in bands.items():
        rows.sort()
        for n, (order, one) in enumerate(rows):
            for later, other in rows[n + 1 : n + 1 + settings.band_window]:
                if band < 0 or (later >> 29) - (order >> 29) <= days:
                    weights[min(one, other), max(one, other)] += band_weight(band, settings)
    return {pair for pair, found in weights.items() if is_candidate(found, alike(*pair), settings)}


class Index:
    """One article at a time, as the database does it: candidates are added, separated pairs looked at again.

    Rows stand under the keys of their buckets, and are found by their keys alone.
    """

    def __init__(self, settings: GroupSettings, alike: Alike = never) -> None:
        self.settings = settings
        self.alike = alike
        self.rows: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.stories: dict[int, tuple[int, Sequence[int]]] = {}
        self.pairs: set[tuple[int, int]] = set()

    def around(self, band: int, row: tuple[int, int]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        window = self.settings.band_window
        low, high = (-(2**63), 2**63) if is_far(band) else near_range(row[0], self.settings)
        keys = [band] if is_far(band) else bucket_keys(band, low, high)
        rows = [other for key in keys for other in self.rows[key] if low <= other[0] <= high]
        assert rows == sorted(rows), "a band is in one order whatever its keys"
        at = bisect_left(rows, row)
        after = rows[at + 1 :] if rows[at : at + 1] == [row] else rows[at:]
        return rows[max(0, at - window) : at][::-1], after[:window]

    def still(self, one: int, other: int) -> bool:
        (a, a_bands), (b, b_bands) = self.stories[one], self.stories[other]
        weights = sum(
            band_weight(band, self.settings)
            for band in set(a_bands) & set(b_bands)
            if (b, other) in itertools.chain(*self.around(band, (a, one)))
        )
        return is_candidate(weights, self.alike(min(one, other), max(one, other)), self.settings)

    def add(self, id: int, order: int, bands: Sequence[int]) -> None:
        near: list[int] = []
        sure: list[int] = []
        touched: set[tuple[int, int]] = set()
        for band in bands:
            before, after = self.around(band, (order, id))
            (sure if is_enough(band) else near).extend(i for _, i in (*before, *after))
            touched |= {
                (min(x[1], y[1]), max(x[1], y[1]))
                for x, y in separated(before, after, self.settings.band_window)
            }
            insort(self.rows[row_key(band, order)], (order, id))
        self.stories[id] = (order, bands)
        certain, if_alike = candidates_among(near, sure, self.settings)
        self.pairs |= {(min(id, i), max(id, i)) for i in certain}
        self.pairs |= {pair for i in if_alike if self.alike(*(pair := (min(id, i), max(id, i))))}
        self.pairs -= {pair for pair in touched if not self.still(*pair)}

    def remove(self, id: int) -> None:
        order, bands = self.stories.pop(id)
        joined: set[tuple[int, int]] = set()
        for band in bands:
            before, after = self.around(band, (order, id))
            joined |= {
                (min(x[1], y[1]), max(x[1], y[1]))
                for x, y in separated(before, after, self.settings.band_window)
            }
            self.rows[row_key(band, order)].remove((order, id))
        self.pairs = {pair for pair in self.pairs if id not in pair}
        self.pairs |= {pair for pair in joined if self.still(*pair)}


some_bands = st.lists(
    st.sampled_from([0, 1, 2, WINNOWED_BIT - 1, WINNOWED_BIT, 2**BAND_BITS - 1, -1, -(2**63)]),
    unique=True,
    max_size=5,
)
rows = st.lists(st.tuples(st.integers(0, 2**34), some_bands), max_size=14)


@given(
    rows,
    st.randoms(use_true_random=False),
    st.integers(1, 3),
    st.integers(1, 2),
    st.sampled_from([0.01, 5.0, 20.0, 90.0]),
    st.integers(1, 4),
)
def test_candidates_do_not_depend_on_the_order_of_arrival(
    rows: list[tuple[int, list[int]]], order: random.Random, window: int, least: int, days: float, kinds: int
) -> None:
    def alike(one: int, other: int) -> bool:
        return one % kinds == other % kinds

    settings = GroupSettings(band_window=window, bands_shared=least, near_days=days)
    # a third of the articles in one hour, a third in two months, a third all over the years
    spans = (3600, 60 * 86400, 2**32)
    stories = [(n, (at % spans[n % 3] << 29) + n, bands) for n, (at, bands) in enumerate(rows)]
    arriving = stories.copy()
    order.shuffle(arriving)
    index = Index(settings, alike)
    for one in arriving:
        index.add(*one)
    assert index.pairs == candidate_pairs(stories, settings, alike)
    for id, _, _ in arriving[::3]:
        index.remove(id)
    gone = {id for id, _, _ in arriving[::3]}
    assert index.pairs == candidate_pairs([s for s in stories if s[0] not in gone], settings, alike)


@pytest.mark.parametrize(("crowd", "minutes"), [(10, 1), (80, 1), (60, 1000)])
def test_a_crowded_band_costs_no_more_than_its_window(crowd: int, minutes: int) -> None:
    settings = GroupSettings(band_window=3)
    index = Index(settings)
    for n in random.Random(0).sample(range(crowd), crowd):
        index.add(n, n * minutes * 60 << 29, [-2, -1, 0, 1, 2])
    assert all(sum(n in pair for pair in index.pairs) <= 2 * settings.band_window for n in range(crowd))
    # and a crowd of copies is held together by its neighbours
    assert len(components(range(crowd), index.pairs)) == 1


def test_one_winnowed_band_is_enough_as_a_far_one_is() -> None:
    bands = (0, WINNOWED_BIT - 1, WINNOWED_BIT, 2**BAND_BITS - 1, -1, -(2**63))
    assert [band_weight(band, SETTINGS) for band in bands] == [1, 1, 2, 2, 2, 2]
    assert [is_winnowed(band) for band in bands] == [False, False, True, True, False, False]


def test_one_near_band_is_enough_for_two_that_are_alike() -> None:
    """Four of the values; others need two near bands, and in a far band everybody is a candidate."""
    assert candidates_among([1, 1, 2, 3], [3, 4], SETTINGS) == ({1, 3, 4}, {2})
    assert candidates_among([1], [], replace(SETTINGS, bands_shared=1)) == ({1}, set())
    values = np.arange(48, dtype="<u4")
    for agreeing in (0, 3, 4, 48):
        other = np.where(values < agreeing, values, values + 100).astype("<u4")
        assert are_alike(values.tobytes(), other.tobytes(), SETTINGS) == (agreeing >= 4)
    assert not are_alike(values.tobytes(), values[:24].tobytes(), SETTINGS), "of different versions"


def test_order_is_by_time_and_never_by_id() -> None:
    early, late = story("x", days=0, id=9), story("x", days=0.001, id=1)
    assert order_key(early) < order_key(late)
    assert order_key(early) == order_key(replace(early, id=3, title="t", text="other", agency="Alba Wire"))
    assert order_key(early) != order_key(replace(early, url="https://b.example/"))
    assert order_key(story("x", days=None)) == order_key(story("x", days=0))


@pytest.mark.parametrize("year", [1, 1850, 1970, 2024, 9999])
@pytest.mark.parametrize("band", [0, WINNOWED_BIT, 2**BAND_BITS - 1, -1, -(2**63)])
def test_keys_fit_the_database(year: int, band: int) -> None:
    order = order_key(replace(story("x"), published_at=datetime(year, 1, 1, tzinfo=UTC)))
    assert -(2**63) <= order < 2**63
    key = row_key(band, order)
    assert -(2**63) <= key < 2**63
    assert is_far(key) == is_far(band)
    assert is_winnowed(int(bands_of(np.array([key]))[0])) == (band >= WINNOWED_BIT)
    assert row_keys(np.array([band]), np.array([order])).tolist() == [key]
    assert bands_of(np.array([key])).tolist() == [band]
    low, high = near_range(order, GroupSettings(near_days=4000))
    assert -(2**63) <= low <= order <= high < 2**63
    assert key in bucket_keys(band, low, high)
    assert set(bands_of(np.array(bucket_keys(band, low, high))).tolist()) == {band}


def test_what_is_near_in_time_has_few_keys() -> None:
    """Today's news looks into the present and the recent part of the index, and nowhere else."""
    for days in range(100):
        low, high = near_range(order_key(story("x", days=days)), SETTINGS)
        assert 2 <= len(bucket_keys(0, low, high)) <= 3
        assert len(bucket_keys(-5, low, high)) == 1


def test_a_late_copy_is_found_by_a_far_band() -> None:
    """Nearly whole, or with the lead that it had."""
    week_later, own_bands = order_key(story(FERRY, days=8)), fingerprint("\n".join(FERRY), SHINGLING)
    assert own_bands is not None
    for copy in (FERRY, edited(FERRY, "146 jobs", "152 jobs"), FERRY[:4]):
        found = fingerprint("\n".join(copy), SHINGLING)
        assert found is not None
        stories = [(1, order_key(story(FERRY)), own_bands.bands), (2, week_later, found.bands)]
        assert candidate_pairs(stories, SETTINGS) == {(1, 2)}
    rival = fingerprint(RIVAL, SHINGLING)
    assert rival is not None
    stories = [(1, order_key(story(FERRY)), own_bands.bands), (2, week_later, rival.bands)]
    assert candidate_pairs(stories, SETTINGS) == set()
