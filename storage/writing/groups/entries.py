"""Writes the index entries of new stories, and finds their candidates in the same rows."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    Connection,
    insert,
    select,
)

from pipeline import copies
from pipeline.settings import Settings
from storage import schema
from storage.database import insert_rows
from storage.writing.groups.index import (
    IdPair,
    Place,
    Reaches,
    alike_pairs,
    in_index_order,
    insert_index_rows,
    is_among,
    neighbours,
    ordered,
    reaches_of,
)
from storage.writing.revisions import IndexedStory, pack_keys


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The rows near the new stories, in the bands of the new stories.

    places: sorted, by band. bands: those of each new story. parted: older pairs that a new story now
    separates in some band, with that story.
    """

    places: dict[int, list[Place]] = field(default_factory=dict)
    bands: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    parted: dict[IdPair, int] = field(default_factory=dict)

    def are_near(self, band: int, one: Place, other: Place, window: int) -> bool:
        """Whether fewer than `window` rows are between two places that a new story of this band separates.

        All bands are in one order, so the new story is between them in each of its bands; if they are
        neighbours there, they and all rows between them are in its neighbourhood. So rows that are missing
        here are too far away, and they never make two places look closer than the window.
        """
        places = self.places.get(band, [])
        start, end = bisect_left(places, one), bisect_left(places, other)
        return (
            start < len(places)
            and places[start] == one
            and places[end : end + 1] == [other]
            and end - start <= window
        )


def add_to_index(
    connection: Connection, entered: Sequence[IndexedStory], settings: Settings
) -> tuple[set[IdPair], Neighbourhood]:
    """Writes signatures and bands. Returns the new stories' candidate pairs, and their neighbourhood."""
    window = settings.group.band_window
    around = Neighbourhood()
    printed = [(i.story, i.fingerprint) for i in entered if i.fingerprint]
    if not printed:
        return set(), around
    versions = [copies.index_version(print_.version, settings.group) for _, print_ in printed]
    sketches = _sketch_ids(connection, set(versions))
    positions = [copies.order_key(story) for story, _ in printed]
    rows, bounds = copies.index_rows(
        np.fromiter(chain.from_iterable(print_.bands for _, print_ in printed), dtype=np.int64),
        [len(print_.bands) for _, print_ in printed],
        versions,
        np.array(positions, dtype=np.int64),
        np.array([story.id for story, _ in printed], dtype=np.int64),
    )
    keys = copies.row_keys(rows.bands, rows.positions)
    signatures: list[dict[str, Any]] = []
    for n, (story, print_) in enumerate(printed):
        around.bands[story.id] = rows.bands[bounds[n] : bounds[n + 1]]
        signatures.append(
            {
                "article_id": story.id,
                "sketch_id": sketches[versions[n]],
                "position": positions[n],
                "signature": print_.signature,
                "keys": pack_keys(keys[bounds[n] : bounds[n + 1]]),
            }
        )
    reaches = reaches_of(positions, settings)
    standing: dict[int, list[Place]] = {}
    with in_index_order(connection):
        found = neighbours(connection, rows, reaches, settings)
    for n, (before, after) in found.items():
        if before or after:
            standing.setdefault(int(rows.bands[n]), []).extend((*before, *after))
    insert_index_rows(connection, keys, rows)
    insert_rows(connection, schema.signature, signatures)

    # A story that is alone in a band has no neighbours there.
    bands, counts = np.unique(rows.bands, return_counts=True)
    crowds = bands[counts > 1].tolist()
    around.places.update((band, sorted(set(standing.get(band, ())))) for band in {*standing, *crowds})
    places = sorted(rows[is_among(rows.bands, around.places)].rows())
    for band, position, id in places:
        there = around.places[band]
        if len(there) > window:  # if there are fewer, all of them are neighbours
            before, after = _within_reach(there, band, (position, id), reaches, window)
            for (_, one), (_, other) in copies.separated(before, after, window):
                if one not in around.bands and other not in around.bands:
                    around.parted[ordered(one, other)] = id
        insort(there, (position, id))
    near: dict[int, list[int]] = {id: [] for id in around.bands}
    sure: dict[int, list[int]] = {id: [] for id in around.bands}
    for band, position, id in places:
        for side in _within_reach(around.places[band], band, (position, id), reaches, window):
            (sure if copies.is_enough(band) else near)[id].extend([other for _, other in side])
    proposed: set[IdPair] = set()
    in_question: set[IdPair] = set()
    for id in around.bands:
        certain, if_alike = copies.candidates_among(near[id], sure[id], settings.group)
        proposed.update(ordered(id, other) for other in certain)
        in_question.update(ordered(id, other) for other in if_alike)
    written = {row["article_id"]: row["signature"] for row in signatures}
    return proposed | alike_pairs(connection, in_question, written, settings), around


def _within_reach(
    places: list[Place], band: int, own: Place, reaches: Reaches, window: int
) -> tuple[list[Place], list[Place]]:
    """The neighbours of a place before and after it, nearest first, among the places of its band."""
    at = bisect_left(places, own)
    after = at + (at < len(places) and places[at] == own)
    first, end = max(0, at - window), min(after + window, len(places))
    if not copies.is_far(band):
        low, high = reaches[own[0]]
        while first < at and places[first][0] < low:
            first += 1
        while end > after and places[end - 1][0] > high:
            end -= 1
    return places[first:at][::-1], places[after:end]


def _sketch_ids(connection: Connection, versions: Iterable[str]) -> dict[str, int]:
    table = schema.sketch
    known = {version: id for id, version in connection.execute(select(table.c.id, table.c.version))}
    for version in sorted(set(versions) - set(known)):
        known[version] = max(known.values(), default=0) + 1
        connection.execute(insert(table).values(id=known[version], version=version))
    return known
