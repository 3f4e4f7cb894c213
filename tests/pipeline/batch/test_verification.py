"""Candidates verified as a table, against one pair at a time."""

from __future__ import annotations

from itertools import combinations

import pyarrow as pa
import pytest

from pipeline import copies
from pipeline.batch import CANDIDATES, PAIRS, verify
from pipeline.settings import Settings
from tests.pipeline.batch.made import stories_table
from tests.pipeline.copies.stories import FERRY, RIVAL, edited, story

SETTINGS = Settings()
STORIES = [
    story(FERRY, id=1, title="Harbour board to close two terminals"),
    story(FERRY[:4], id=2, days=None),
    story(edited(FERRY, "12.5", "13.5"), id=3, days=2),
    story(RIVAL, id=4),
    story([RIVAL, *FERRY], id=5, days=0.5),
    story(FERRY, id=6, days=9),
]


def candidates(pairs: list[tuple[int, int]]) -> pa.Table:
    return pa.table([[a for a, _ in pairs], [b for _, b in pairs]], schema=CANDIDATES)


def test_verified_pairs_have_their_evidence() -> None:
    prepared = {one.id: copies.prepare(one, SETTINGS.fingerprint) for one in STORIES}
    wanted = list(combinations(sorted(prepared), 2))
    table = stories_table(STORIES, {})

    found = verify(candidates(wanted), pa.concat_tables([table, table.slice(3)]), SETTINGS)

    assert found.schema == PAIRS
    judged = [(a, b, copies.verify(prepared[a], prepared[b], SETTINGS.group)) for a, b in wanted]
    made = [copies.pair_values(a, b, pair) for a, b, pair in judged if pair is not None]
    assert found.to_pylist() == made
    assert {"exact", "near", "partial"} >= {row["kind"] for row in made} > {"partial"}
    assert {row["holder"] for row in made} > {None}
    assert len(made) < len(wanted)


def test_no_candidates_are_no_pairs() -> None:
    found = verify(CANDIDATES.empty_table(), stories_table([], {}), SETTINGS)
    assert (found.schema, found.num_rows) == (PAIRS, 0)


def test_a_missing_story_is_an_error() -> None:
    with pytest.raises(KeyError):
        verify(candidates([(1, 2)]), stories_table(STORIES[:1], {}), SETTINGS)
