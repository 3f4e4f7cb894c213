"""Entries of stories in the index, against those of one story at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from pipeline import copies
from pipeline.batch import BANDS, SIGNATURES, index_entries
from pipeline.copies import ArticleCopy
from pipeline.copies.candidates import row_key
from pipeline.document import Fingerprint
from pipeline.settings import Settings
from tests.pipeline.batch.made import stories_table
from tests.pipeline.copies.stories import FERRY, NOON, RIVAL, story

SETTINGS = Settings()
STORIES = [
    story(FERRY, id=3),
    story(RIVAL, id=1, days=-30_000),
    story(FERRY[:3], id=7, days=None),
    story("…", id=9),
]


def printed(stories: list[ArticleCopy]) -> dict[int, Fingerprint]:
    made = {one.id: copies.fingerprint(one.text, SETTINGS.fingerprint) for one in stories}
    return {id: found for id, found in made.items() if found is not None}


def test_each_story_has_its_rows() -> None:
    prints = printed(STORIES)
    assert 9 not in prints
    # An older version, and a band twice.
    prints[7] = replace(prints[7], version="0", bands=(*prints[7].bands, prints[7].bands[0]))

    found = index_entries(stories_table(STORIES, prints), SETTINGS)

    assert (found.signatures.schema, found.bands.schema) == (SIGNATURES, BANDS)
    rows = list(zip(*(column.to_pylist() for column in found.bands.columns), strict=True))
    assert len(rows) == len(set(rows))
    signatures = {row["id"]: row for row in found.signatures.to_pylist()}
    assert list(signatures) == [3, 1, 7]
    for one in STORIES[:3]:
        row, own = signatures[one.id], prints[one.id]
        version = f"{own.version} {SETTINGS.group.version}"
        place = copies.order_key(one)
        bands = sorted(set(copies.salted(np.array(own.bands), version).tolist()))
        assert (row["position"], row["version"], row["signature"]) == (place, version, own.signature)
        assert [band for band, position, id in rows if (position, id) == (place, one.id)] == bands
        assert np.frombuffer(row["keys"], dtype="<i8").tolist() == [row_key(band, place) for band in bands]


@pytest.mark.parametrize("days", [None, 0])
def test_an_undated_story_is_placed_by_its_fetch(days: float | None) -> None:
    one = replace(story(FERRY, days=days), fetched_at=NOON + timedelta(seconds=2 * (days is not None)))
    [row] = index_entries(stories_table([one], printed([one])), SETTINGS).signatures.to_pylist()
    assert row["position"] == copies.order_key(story(FERRY))


def test_stories_without_fingerprint_have_no_rows() -> None:
    found = index_entries(stories_table(STORIES, {}), SETTINGS)
    assert (found.signatures.num_rows, found.bands.num_rows) == (0, 0)
    assert (found.signatures.schema, found.bands.schema) == (SIGNATURES, BANDS)
