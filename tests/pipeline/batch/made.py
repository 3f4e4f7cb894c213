"""Stories as a table, and the index of them by definition: one pair at a time, from all stories at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import copies
from pipeline.batch import (
    BANDS,
    BUNDLED,
    BUNDLES,
    FINGERPRINT,
    LABELLED,
    STORIES,
    Forest,
    bundles,
    integers,
    labelled,
)
from pipeline.copies import ArticleCopy
from pipeline.document import Fingerprint
from pipeline.settings import GroupSettings
from pipeline.times import microseconds

IdPair = tuple[int, int]
IndexRow = tuple[int, int, int]


def stories_table(
    stories: Sequence[ArticleCopy],
    prints: Mapping[int, Fingerprint],
    stated: Mapping[int, str] | None = None,
) -> pa.Table:
    """A table STORIES with `fingerprint`. prints: by id. stated: `syndicated_from`, by id."""
    rows = [
        {
            "id": story.id,
            "url": story.url,
            "site": story.site,
            "title": story.title,
            "text": story.text,
            "fetched_at": microseconds(story.fetched_at),
            "published_at": None if story.published_at is None else microseconds(story.published_at),
            "language": story.language,
            "agency": story.agency,
            "syndicated_from": (stated or {}).get(story.id),
            "word_count": len(story.text.split()),
            "fingerprint": asdict(prints[story.id]) if story.id in prints else None,
        }
        for story in stories
    ]
    return pa.Table.from_pylist(rows, schema=STORIES.append(pa.field("fingerprint", FINGERPRINT)))


def bands_table(rows: Iterable[IndexRow]) -> pa.Table:
    """A table BANDS, sorted as neighbours are looked for."""
    found = sorted(rows)
    return pa.table([list(column) for column in zip(*found, strict=True)] or [[], [], []], schema=BANDS)


def weights_of(rows: Iterable[IndexRow], settings: GroupSettings) -> Counter[IdPair]:
    """The weight of each pair of neighbours."""
    members: dict[int, list[tuple[int, int]]] = {}
    for band, position, id in sorted(rows):
        members.setdefault(band, []).append((position, id))
    weights: Counter[IdPair] = Counter()
    for band, places in members.items():
        for n, (position, id) in enumerate(places):
            low, high = copies.near_range(position, settings)
            for other_position, other in places[n + 1 : n + 1 + settings.band_window]:
                if copies.is_far(band) or low <= other_position <= high:
                    weights[min(id, other), max(id, other)] += copies.band_weight(band, settings)
    return weights


def bundled_pairs(pairs: pa.Table, most: int, *, are_whole: bool = False, slice: int = 1000) -> pa.Table:
    """BUNDLES of pairs as the stages make them, so many pairs at a time. pairs: PLACED or CANDIDATES."""
    forest = Forest(np.empty(1 + max(pc.max(pairs["b"]).as_py() or 0, 0), dtype=np.int64))
    slices = pairs.to_batches(max_chunksize=slice)
    for some in slices:
        forest.join(integers(some["a"]), integers(some["b"]))
    found = pa.Table.from_batches([labelled(some, forest) for some in slices], LABELLED)
    found = found.sort_by([(name, "ascending") for name in BUNDLED]).combine_chunks()
    made = bundles(found.to_batches(max_chunksize=slice), most, are_whole=are_whole)
    return pa.concat_tables([BUNDLES.empty_table(), *made])
