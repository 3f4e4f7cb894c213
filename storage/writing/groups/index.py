"""Reads and writes the rows of the near-duplicate index, and finds the rows near a place in time.

Each article has thirty to forty rows in the table `band`: a key, which is a band of its fingerprint and for
most bands a stretch of time, the article's position in time, and its id. `pipeline.copies.candidates`
defines all three.
"""

from __future__ import annotations

import json
import logging
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    Connection,
    Text,
    bindparam,
    func,
    select,
    text,
)

from pipeline import copies
from pipeline.copies import IndexRows, distinct
from pipeline.settings import BAND_BITS, Settings
from storage import schema
from storage.base import chunks
from storage.database import insert_rows

logger = logging.getLogger(__name__)

# (position in time, article id): how the rows of one band are ordered, whatever their keys.
Place = tuple[int, int]

IdPair = tuple[int, int]

# Position -> the least and the greatest position of a neighbour in a band that is local in time.
Reaches = Mapping[int, tuple[int, int]]

# Number of stretches of the index that one statement looks up.
_STRETCHES_AT_ONCE = 8192

# Number of keys that one statement of SQLite looks up, because older builds take 999 parameters.
_KEYS_AT_ONCE = 999


# (key, first and last position): where the neighbours of an article in a band may be.
Stretch = tuple[int, int, int]

# Finds the keys that have rows. It stops at the first row of each key.
_OCCUPIED_SQLITE = """
    WITH wanted (key) AS (VALUES (?))
    SELECT key FROM wanted WHERE EXISTS (SELECT 1 FROM band WHERE band.key = wanted.key)
    """.replace("(?)", ", ".join(["(?)"] * _KEYS_AT_ONCE))

_OCCUPIED_POSTGRESQL = text(
    """
    SELECT wanted.key
    FROM unnest(CAST(:keys AS bigint[])) AS wanted (key)
    CROSS JOIN LATERAL (SELECT 1 FROM band WHERE band.key = wanted.key LIMIT 1) AS found
    """
)

# Reads stretches of the index, each up to a limit, in one statement for a whole batch. The databases differ
# in how a statement takes a list of rows, and how a LIMIT applies to each of them.
_STANDING_SQLITE = text(
    """
    SELECT wanted.key AS n,
           (SELECT json_group_array(json_array(position, article_id)) FROM (
                SELECT position, article_id FROM band
                WHERE key = json_extract(wanted.value, '$[0]')
                  AND position >= json_extract(wanted.value, '$[1]')
                  AND position <= json_extract(wanted.value, '$[2]')
                ORDER BY position LIMIT :most)) AS found
    FROM json_each(:wanted) AS wanted
    """
)

_STANDING_POSTGRESQL = text(
    """
    SELECT wanted.n - 1 AS n, found.position, found.article_id
    FROM unnest(CAST(:keys AS bigint[]), CAST(:lows AS bigint[]), CAST(:highs AS bigint[]))
             WITH ORDINALITY AS wanted (key, low, high, n)
    CROSS JOIN LATERAL (
        SELECT position, article_id FROM band
        WHERE key = wanted.key AND position >= wanted.low AND position <= wanted.high
        ORDER BY position LIMIT :most
    ) AS found
    """
)

# Reads the rows nearest to a place, before and after it, in stretches with more rows than the limit.
_NEAREST_SQLITE = text(
    """
    SELECT wanted.key AS n,
           (SELECT json_group_array(json_array(position, article_id)) FROM (
                SELECT position, article_id FROM band
                WHERE key = json_extract(wanted.value, '$[0]')
                  AND position >= json_extract(wanted.value, '$[1]')
                  AND (position, article_id)
                    < (json_extract(wanted.value, '$[3]'), json_extract(wanted.value, '$[4]'))
                ORDER BY position DESC, article_id DESC LIMIT :window)) AS before,
           (SELECT json_group_array(json_array(position, article_id)) FROM (
                SELECT position, article_id FROM band
                WHERE key = json_extract(wanted.value, '$[0]')
                  AND position <= json_extract(wanted.value, '$[2]')
                  AND (position, article_id)
                    > (json_extract(wanted.value, '$[3]'), json_extract(wanted.value, '$[4]'))
                ORDER BY position, article_id LIMIT :window)) AS after
    FROM json_each(:wanted) AS wanted
    """
)

_NEAREST_POSTGRESQL = text(
    """
    SELECT wanted.n - 1 AS n, found.position, found.article_id
    FROM unnest(CAST(:keys AS bigint[]), CAST(:lows AS bigint[]), CAST(:highs AS bigint[]),
                CAST(:positions AS bigint[]), CAST(:ids AS bigint[]))
             WITH ORDINALITY AS wanted (key, low, high, position, article_id, n)
    CROSS JOIN LATERAL (
        (SELECT position, article_id FROM band
         WHERE key = wanted.key AND position >= wanted.low
           AND (position, article_id) < (wanted.position, wanted.article_id)
         ORDER BY position DESC, article_id DESC LIMIT :window)
        UNION ALL
        (SELECT position, article_id FROM band
         WHERE key = wanted.key AND position <= wanted.high
           AND (position, article_id) > (wanted.position, wanted.article_id)
         ORDER BY position, article_id LIMIT :window)
    ) AS found
    """
)


@contextmanager
def in_index_order(connection: Connection) -> Iterator[None]:
    """Makes PostgreSQL read rows from an index in its order, up to a LIMIT.

    Its planner expects every band to be small, as most are, and would read and sort a whole band. If a band
    is full of issues of a template, each new issue would read all of them. Other statements need its other
    plans: it looks up a list of URLs in a hash index by a bitmap scan.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    connection.execute(_IN_INDEX_ORDER, {"value": "off"})
    yield
    connection.execute(_IN_INDEX_ORDER, {"value": None})  # back to the server's setting


_IN_INDEX_ORDER = select(
    *(
        func.set_config(name, bindparam("value", type_=Text), True)
        for name in ("enable_bitmapscan", "enable_seqscan", "enable_sort")
    )
)


def neighbours(
    connection: Connection, places: IndexRows, reaches: Reaches, settings: Settings
) -> dict[int, tuple[Sequence[Place], Sequence[Place]]]:
    """The neighbours of each row before and after it, nearest first, up to the window; by row number."""
    window = settings.group.band_window
    latest = connection.scalar(_LATEST) or 0
    keys, of = _reached_keys(places, reaches)
    is_read = keys <= latest  # no row is later than today's news
    keys, of = keys[is_read], of[is_read]
    # Most stories are alone in most of their bands, and looking that up is fast.
    is_read = is_among(keys, _occupied(connection, distinct(keys)))
    keys, of = keys[is_read], of[is_read]
    numbers: list[int] = of.tolist()
    own_places = list(zip(places.positions[of].tolist(), places.owners[of].tolist(), strict=True))
    stretches: list[Stretch] = [
        (key, *(reaches[position] if key >= 0 else (_EARLIEST, _LATE)))
        for key, (position, _) in zip(keys.tolist(), own_places, strict=True)
    ]
    around: dict[int, list[Place]] = {}
    crowded: list[int] = []
    for n, standing in _standing(connection, stretches, 2 * window + 2):
        if len(standing) == 2 * window + 2:
            crowded.append(n)
        else:
            around.setdefault(numbers[n], []).extend(standing)
    if crowded:
        # A template or a disclaimer that is printed again and again looks like this. Copies beyond the window
        # are still connected by the copies between them.
        logger.info(
            "%d of %d places looked up in the index are crowded: of each, the %d articles before and after"
            " are compared",
            len(crowded),
            len(places.bands),
            window,
        )
    wanted = [(*stretches[n], *own_places[n]) for n in crowded]
    for n, nearest in _nearest(connection, wanted, window):
        around.setdefault(numbers[crowded[n]], []).extend(nearest)
    own_place = dict(zip(numbers, own_places, strict=True))
    found: dict[int, tuple[Sequence[Place], Sequence[Place]]] = {}
    for n, near in around.items():
        own = own_place[n]
        near.sort()
        at = bisect_left(near, own)
        after = at + (near[at : at + 1] == [own])
        found[n] = (near[max(0, at - window) : at][::-1], near[after : after + window])
    return found


def _reached_keys(places: IndexRows, reaches: Reaches) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The keys that neighbours of the places may have, and for each key the number of its place."""
    positions, place_of = np.unique(places.positions, return_inverse=True)
    ends = np.array([reaches[position] for position in positions.tolist()])
    first, last = (copies.row_keys(places.bands, ends[place_of, end]) for end in (0, 1))
    steps = (last - first) >> BAND_BITS
    of = np.repeat(np.arange(steps.size), steps + 1)
    step = np.arange(of.size) - np.repeat(np.cumsum(steps + 1) - (steps + 1), steps + 1)
    return first[of] + (step << BAND_BITS), of


def is_among(values: NDArray[np.int64], some: Iterable[int]) -> NDArray[np.bool_]:
    """Whether each value is one of a few."""
    ordered = np.array(sorted(some), dtype=np.int64)
    if not ordered.size:
        return np.zeros(values.size, dtype=np.bool_)
    found: NDArray[np.bool_] = ordered[np.searchsorted(ordered[1:], values, side="right")] == values
    return found


def _occupied(connection: Connection, keys: NDArray[np.int64]) -> list[int]:
    """Those of the keys that have rows. keys: sorted."""
    wanted: list[int] = keys.tolist()
    if connection.dialect.name == "postgresql":
        return list(connection.execute(_OCCUPIED_POSTGRESQL, {"keys": wanted}).scalars()) if wanted else []
    found: list[int] = []
    for part in chunks(wanted, _KEYS_AT_ONCE):
        padding = [None] * (_KEYS_AT_ONCE - len(part))  # one statement for every list
        found += connection.exec_driver_sql(_OCCUPIED_SQLITE, (*part, *padding)).scalars()
    return found


# Every position lies between these.
_EARLIEST, _LATE = -(1 << 63), (1 << 63) - 1

_LATEST = select(func.max(schema.band.c.key))


def _standing(
    connection: Connection, stretches: Sequence[Stretch], most: int
) -> Iterator[tuple[int, list[Place]]]:
    """The rows in the stretches, the first `most` of each; empty stretches are left out."""
    in_order = sorted(range(len(stretches)), key=stretches.__getitem__)  # rows of one page together
    for numbers in chunks(in_order, _STRETCHES_AT_ONCE):
        wanted = [stretches[n] for n in numbers]
        if connection.dialect.name == "postgresql":
            keys, lows, highs = map(list, zip(*wanted, strict=True))
            parameters = {"keys": keys, "lows": lows, "highs": highs, "most": most}
            rows: dict[int, list[Place]] = {}
            for n, position, id in connection.execute(_STANDING_POSTGRESQL, parameters):
                rows.setdefault(n, []).append((position, id))
            yield from ((numbers[n], found) for n, found in rows.items())
            continue
        for n, found in connection.execute(_STANDING_SQLITE, {"wanted": json.dumps(wanted), "most": most}):
            yield numbers[n], [tuple(place) for place in json.loads(found)]


def _nearest(
    connection: Connection, wanted: Sequence[tuple[int, int, int, int, int]], window: int
) -> Iterator[tuple[int, list[Place]]]:
    """For each (stretch, position, article id): up to `window` rows of the stretch before and after it."""
    if not wanted:
        return
    if connection.dialect.name == "postgresql":
        keys, lows, highs, positions, ids = map(list, zip(*wanted, strict=True))
        rows: dict[int, list[Place]] = {}
        for n, position, id in connection.execute(
            _NEAREST_POSTGRESQL,
            {
                "keys": keys,
                "lows": lows,
                "highs": highs,
                "positions": positions,
                "ids": ids,
                "window": window,
            },
        ):
            rows.setdefault(n, []).append((position, id))
        yield from rows.items()
        return
    for n, before, after in connection.execute(
        _NEAREST_SQLITE, {"wanted": json.dumps(wanted), "window": window}
    ):
        yield n, [tuple(place) for place in (*json.loads(before), *json.loads(after))]


def alike_pairs(
    connection: Connection, pairs: Iterable[IdPair], known: Mapping[int, bytes], settings: Settings
) -> set[IdPair]:
    """Those of the pairs whose signatures are alike. known: signatures by article id, not read again."""
    wanted = list(pairs)
    table = schema.signature
    found = dict(known)
    for part in chunks({id for pair in wanted for id in pair} - known.keys()):
        rows = connection.execute(
            select(table.c.article_id, table.c.signature).where(table.c.article_id.in_(part))
        )
        found.update((id, signature) for id, signature in rows)
    return {(a, b) for a, b in wanted if copies.are_alike(found[a], found[b], settings.group)}


def reaches_of(positions: Iterable[int], settings: Settings) -> Reaches:
    return {position: copies.near_range(position, settings.group) for position in set(positions)}


def insert_index_rows(connection: Connection, keys: NDArray[np.int64], rows: IndexRows) -> None:
    order = np.lexsort((rows.owners, rows.positions, keys))  # rows of one page of the index together
    columns = (column[order].tolist() for column in (keys, rows.positions, rows.owners))
    insert_rows(
        connection,
        schema.band,
        [
            {"key": key, "position": position, "article_id": id}
            for key, position, id in zip(*columns, strict=True)
        ],
    )


def ordered(one: int, other: int) -> IdPair:
    return (one, other) if one < other else (other, one)
