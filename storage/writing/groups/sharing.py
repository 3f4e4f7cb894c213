"""What two articles share in the index: why they were compared, or not."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline import copies
from pipeline.settings import Settings
from storage.writing.groups.candidates import are_near, index_places
from storage.writing.groups.index import IdPair, in_index_order


@dataclass(frozen=True, slots=True)
class SharedBands:
    """near, winnowed, far: bands of each kind in which the two articles are neighbours.

    apart: other bands that both have, in which they are too far apart: in time, or because more articles than
    the window are between them. agreeing: values of the two signatures that agree, of so many `values`.
    is_candidate: whether all this makes them candidates.
    """

    near: int
    winnowed: int
    far: int
    apart: int
    agreeing: int
    values: int
    is_candidate: bool


def shared_bands(connection: Connection, pair: IdPair, settings: Settings) -> SharedBands | None:
    """None if one of the two is not in the index: it has no fingerprint."""
    placed = index_places(connection, [pair]).get(pair)
    if placed is None:
        return None
    limits = settings.group
    one, other = placed
    shared = sorted(one.bands & other.bands)
    latest = copies.near_range(one.place[0], limits)[1]
    in_time = [band for band in shared if copies.is_far(band) or other.place[0] <= latest]
    with in_index_order(connection):
        flags = are_near(connection, [(band, one.place, other.place) for band in in_time], limits.band_window)
    neighbours = [band for band, is_near in zip(in_time, flags, strict=True) if is_near]
    agreeing = copies.agreeing_values(one.signature, other.signature)
    return SharedBands(
        near=sum(not copies.is_enough(band) for band in neighbours),
        winnowed=sum(map(copies.is_winnowed, neighbours)),
        far=sum(map(copies.is_far, neighbours)),
        apart=len(shared) - len(neighbours),
        agreeing=agreeing,
        values=len(one.signature) // 4,
        is_candidate=copies.is_candidate(
            sum(copies.band_weight(band, limits) for band in neighbours),
            copies.are_alike(one.signature, other.signature, limits),
            limits,
        ),
    )
