"""The near-duplicate index and the groups, kept in step with the articles in the writer's transaction.

`pipeline.copies.candidates` says what the candidates of an article are: its neighbours in time, in enough of
its bands. So the pairs, and with them the partition, are a function of the articles that are there, whatever
order and batches they came in. Here that is kept true for a batch of changes at once: stories that left have
their index rows and pairs taken away, and those that had them between come together again; stories that
entered get theirs, and part others. Only the bands and groups of these stories are read.
"""

from __future__ import annotations

import json
import logging
from bisect import bisect_left, insort
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    union_all,
    update,
)

from pipeline import copies
from pipeline.copies import ArticleCopy, Pair, PreparedText, distinct
from pipeline.document import Fingerprint
from pipeline.settings import BAND_BITS, Settings
from pipeline.text import is_agency_site
from storage import schema
from storage.base import among
from storage.database import insert_rows
from storage.writing.revisions import Indexed, chunks, pack_keys, salted, unpack_keys

logger = logging.getLogger(__name__)

# (position in time, article id): how the rows of one band are ordered, whatever their keys.
Place = tuple[int, int]
IdPair = tuple[int, int]

# Position -> the least and the greatest that a neighbour in a near band may have.
Reaches = Mapping[int, tuple[int, int]]

# Comparables are arrays of a few KB; the partners of today's stories are mostly those of the last hours.
_CACHE_SIZE = 4096

# Stretches of the index that one statement looks up.
_STRETCHES_AT_ONCE = 8192

# Keys that one statement of SQLite's asks for, and rows of three values that one inserts: it takes 32,766
# values, older builds 999.
_KEYS_AT_ONCE, _ROWS_AT_ONCE = 999, 333

# Two bands settle most pairs; see `_candidates`.
_BANDS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Left:
    """What leaving did.

    ids: the stories that left; rejoined: pairs that stand within the window again; groups: those that
    lost a pair.
    """

    ids: frozenset[int] = frozenset()
    rejoined: frozenset[IdPair] = frozenset()
    groups: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Places:
    """Where articles stand in the index: int64 arrays of one length, a band's row each.

    bands: with the index version mixed in. owners: article ids.
    """

    bands: NDArray[np.int64]
    positions: NDArray[np.int64]
    owners: NDArray[np.int64]

    def __getitem__(self, chosen: NDArray[Any]) -> Places:
        return Places(self.bands[chosen], self.positions[chosen], self.owners[chosen])

    def rows(self) -> Iterator[tuple[int, int, int]]:
        return zip(self.bands.tolist(), self.positions.tolist(), self.owners.tolist(), strict=True)


# (key, first and last position): where the neighbours of an article in a band may stand.
Stretch = tuple[int, int, int]

# Which keys have rows. One row of each is looked for, however many it has.
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

# What stands in stretches of the index, each up to a limit. One statement for a whole batch: what differs
# between the databases is how a list of rows is handed over and how a LIMIT applies to each of them.
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

# The nearest before and after a place, where more stand in a stretch than the limit.
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

# A statement a row takes twice the time.
_INSERT_BAND_SQLITE = "INSERT INTO band (key, position, article_id) VALUES (?, ?, ?)"
_INSERT_BANDS_SQLITE = _INSERT_BAND_SQLITE + ", (?, ?, ?)" * (_ROWS_AT_ONCE - 1)

_INSERT_BANDS_POSTGRESQL = text(
    """
    INSERT INTO band (key, position, article_id)
    SELECT * FROM unnest(CAST(:keys AS bigint[]), CAST(:positions AS bigint[]), CAST(:ids AS bigint[]))
    """
)

# How many rows stand between two places of a band, counted up to the window.
_BETWEEN_SQLITE = text(
    """
    SELECT wanted.key AS n,
           (SELECT count(*) FROM (
                SELECT 1 FROM band
                WHERE key = json_extract(wanted.value, '$[0]')
                  AND (position, article_id)
                    > (json_extract(wanted.value, '$[1]'), json_extract(wanted.value, '$[2]'))
                  AND (position, article_id)
                    < (json_extract(wanted.value, '$[3]'), json_extract(wanted.value, '$[4]'))
                LIMIT :window)) AS between_them
    FROM json_each(:wanted) AS wanted
    """
)

_BETWEEN_POSTGRESQL = text(
    """
    SELECT wanted.n - 1 AS n, found.between_them
    FROM unnest(CAST(:keys AS bigint[]), CAST(:positions AS bigint[]), CAST(:ids AS bigint[]),
                CAST(:other_positions AS bigint[]), CAST(:other_ids AS bigint[]))
             WITH ORDINALITY AS wanted (key, position, article_id, other_position, other_id, n)
    CROSS JOIN LATERAL (
        SELECT count(*) AS between_them FROM (
            SELECT 1 FROM band
            WHERE key = wanted.key
              AND (position, article_id) > (wanted.position, wanted.article_id)
              AND (position, article_id) < (wanted.other_position, wanted.other_id)
            LIMIT :window) AS standing_between
    ) AS found
    """
)


@dataclass(frozen=True, slots=True)
class Around:
    """The bands of the new stories as they are now, as far as the neighbourhoods of the new stories reach.

    places: in order, by band. bands: those of each new story. parted: older pairs that a new story came
    to stand between in some band, and which story that was.
    """

    places: dict[int, list[Place]] = field(default_factory=dict)
    bands: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    parted: dict[IdPair, int] = field(default_factory=dict)

    def are_near(self, band: int, one: Place, other: Place, window: int) -> bool:
        """Whether fewer than `window` rows stand between two places with a new story of this band between.

        All bands are in one order, so the new story is between them in each of its bands; if they are
        neighbours there, they and all between them are in its neighbourhood. So what is missing here is too
        far away, and missing rows never make two places look nearer than the window.
        """
        places = self.places.get(band, [])
        start, end = bisect_left(places, one), bisect_left(places, other)
        return (
            start < len(places)
            and places[start] == one
            and places[end : end + 1] == [other]
            and end - start <= window
        )


def leave(connection: Connection, ids: Sequence[int], settings: Settings) -> Left:
    """Takes stories out of the index and their pairs away; before the articles themselves change."""
    window = settings.group.band_window
    rejoined: set[IdPair] = set()
    groups: set[int] = set()
    table, sketch = schema.signature, schema.sketch
    for part in chunks(ids):
        signatures = connection.execute(
            select(table.c.article_id, table.c.position, table.c["keys"].label("packed"), sketch.c.version)
            .join(sketch, sketch.c.id == table.c.sketch_id)
            .where(among(table.c.article_id, part))
        ).all()
        # One at a time: each closes the gap that the next one is looked up in.
        for row in signatures:
            keys = unpack_keys(row.packed)
            # Those of other settings come together when they are fingerprinted anew, and only then.
            if row.version == settings.index_version:
                bands = copies.bands_of(np.array(keys, dtype=np.int64))
                place = np.full(bands.size, row.position), np.full(bands.size, row.article_id)
                reaches = _reaches([row.position], settings)
                with _in_order(connection):
                    neighbours = _neighbours(connection, Places(bands, *place), reaches, settings)
                for before, after in neighbours.values():
                    for one, other in copies.separated(before, after, window):
                        rejoined.add(_ordered(one[1], other[1]))
            connection.execute(
                delete(schema.band).where(
                    schema.band.c.key == bindparam("at_key"),
                    schema.band.c.position == row.position,
                    schema.band.c.article_id == row.article_id,
                ),
                [{"at_key": key} for key in keys],
            )
        connection.execute(delete(table).where(table.c.article_id.in_(part)))
        pairs = schema.pair
        paired = or_(pairs.c.a.in_(part), pairs.c.b.in_(part))
        articles = schema.article
        groups.update(
            connection.execute(
                select(articles.c.group_id)
                .distinct()
                .where(
                    articles.c.id.in_(part),
                    or_(
                        select(pairs.c.a).where(pairs.c.a == articles.c.id).exists(),
                        select(pairs.c.a).where(pairs.c.b == articles.c.id).exists(),
                    ),
                )
            ).scalars()
        )
        connection.execute(delete(pairs).where(paired))
    gone = set(ids)
    return Left(
        ids=frozenset(gone),
        rejoined=frozenset(pair for pair in rejoined if not gone.intersection(pair)),
        groups=frozenset(groups),
    )


def enter(connection: Connection, entered: Sequence[Indexed], left: Left, settings: Settings) -> set[int]:
    """Puts stories into the index, verifies what is proposed, and regroups. Returns the ids that have a copy.

    After the articles have been written.
    """
    stories = {indexed.story.id: indexed for indexed in entered}
    proposed, around = _index(connection, entered, settings)
    proposed |= _syndicated(connection, entered)
    proposed |= _candidates(connection, left.rejoined, settings)
    proposed -= _stored_pairs(
        connection, {p for p in proposed if p[0] not in stories and p[1] not in stories}
    )
    found = _verify(connection, proposed, stories, settings)
    insert_rows(
        connection,
        schema.pair,
        [
            {
                "a": a,
                "b": b,
                "kind": pair.kind.value,
                "jaccard": pair.jaccard,
                "containment": pair.containment,
            }
            for (a, b), pair in sorted(found.items())
        ],
    )
    broken = _part(connection, around, settings)
    return _regroup(connection, stories, found, broken, left)


@contextmanager
def _in_order(connection: Connection) -> Iterator[None]:
    """Meanwhile PostgreSQL takes rows from an index in its order, up to a LIMIT.

    It would take most bands for small, as most are, and read and sort all that stands in one; of a band that
    a template has filled that is every issue, for every new one. Elsewhere it needs its other ways: a list of
    URLs is looked up in a hash index by a bitmap.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    connection.execute(_IN_ORDER, {"value": "off"})
    yield
    connection.execute(_IN_ORDER, {"value": None})  # as the server has it


_IN_ORDER = select(
    *(
        func.set_config(name, bindparam("value", type_=Text), True)
        for name in ("enable_bitmapscan", "enable_seqscan", "enable_sort")
    )
)


# --- the index ----------------------------------------------------------------------------------------


def _neighbours(
    connection: Connection, places: Places, reaches: Reaches, settings: Settings
) -> dict[int, tuple[Sequence[Place], Sequence[Place]]]:
    """By number of the place: the rows before and after it, nearest first, up to the window; if any are."""
    window = settings.group.band_window
    latest = connection.scalar(_LATEST) or 0
    keys, of = _reached_keys(places, reaches)
    is_read = keys <= latest  # nothing is later than today's news
    keys, of = keys[is_read], of[is_read]
    # Most stories are alone in most of their bands, which is quickly asked.
    is_read = _is_among(keys, _occupied(connection, distinct(keys)))
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
        # What a template or a disclaimer printed without end looks like; copies beyond the window are still
        # held together by those between.
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


def _reached_keys(places: Places, reaches: Reaches) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The keys that neighbours of the places may have, and the number of the place that each is for."""
    positions, place_of = np.unique(places.positions, return_inverse=True)
    ends = np.array([reaches[position] for position in positions.tolist()])
    first, last = (copies.row_keys(places.bands, ends[place_of, end]) for end in (0, 1))
    steps = (last - first) >> BAND_BITS
    of = np.repeat(np.arange(steps.size), steps + 1)
    step = np.arange(of.size) - np.repeat(np.cumsum(steps + 1) - (steps + 1), steps + 1)
    return first[of] + (step << BAND_BITS), of


def _is_among(values: NDArray[np.int64], some: Iterable[int]) -> NDArray[np.bool_]:
    """Which of the values are among those few."""
    ordered = np.array(sorted(some), dtype=np.int64)
    if not ordered.size:
        return np.zeros(values.size, dtype=np.bool_)
    found: NDArray[np.bool_] = ordered[np.searchsorted(ordered[1:], values, side="right")] == values
    return found


def _occupied(connection: Connection, keys: NDArray[np.int64]) -> list[int]:
    """Those of the keys, which are in order, that have rows."""
    wanted: list[int] = keys.tolist()
    if connection.dialect.name == "postgresql":
        return list(connection.execute(_OCCUPIED_POSTGRESQL, {"keys": wanted}).scalars()) if wanted else []
    found: list[int] = []
    for part in chunks(wanted, _KEYS_AT_ONCE):
        padding = [None] * (_KEYS_AT_ONCE - len(part))  # so that it is one statement, parsed once
        found += connection.exec_driver_sql(_OCCUPIED_SQLITE, (*part, *padding)).scalars()
    return found


# Every order key lies between.
_EARLIEST, _LATE = -(1 << 63), (1 << 63) - 1

_LATEST = select(func.max(schema.band.c.key))


def _standing(
    connection: Connection, stretches: Sequence[Stretch], most: int
) -> Iterator[tuple[int, list[Place]]]:
    """What stands in the stretches, the first `most` of each; those of which nothing does are left out."""
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


def _index(
    connection: Connection, entered: Sequence[Indexed], settings: Settings
) -> tuple[set[IdPair], Around]:
    """Writes signatures and bands. Returns the new stories' candidate pairs, and what is around them."""
    window = settings.group.band_window
    around = Around()
    printed = [(i.story, i.fingerprint) for i in entered if i.fingerprint]
    if not printed:
        return set(), around
    limits = settings.group.version
    versions = [f"{print_.version} {limits}" for _, print_ in printed]  # the settings' own but for older ones
    sketches = _sketch_ids(connection, set(versions))
    positions = [copies.order_key(story) for story, _ in printed]
    rows, bounds = _rows(printed, versions, positions)
    keys = copies.row_keys(rows.bands, rows.positions)
    packed = pack_keys(keys)
    size = len(packed) // max(1, keys.size)
    signatures = []
    for n, (story, print_) in enumerate(printed):
        around.bands[story.id] = rows.bands[bounds[n] : bounds[n + 1]]
        signatures.append(
            {
                "article_id": story.id,
                "sketch_id": sketches[versions[n]],
                "position": positions[n],
                "signature": print_.signature,
                "keys": packed[size * bounds[n] : size * bounds[n + 1]],
            }
        )
    reaches = _reaches(positions, settings)
    standing: dict[int, list[Place]] = {}
    with _in_order(connection):
        neighbours = _neighbours(connection, rows, reaches, settings)
    for n, (before, after) in neighbours.items():
        if before or after:
            standing.setdefault(int(rows.bands[n]), []).extend((*before, *after))
    _insert_bands(connection, keys, rows)
    insert_rows(connection, schema.signature, signatures)

    # Where a story is alone there is no more to do.
    bands, counts = np.unique(rows.bands, return_counts=True)
    crowds = bands[counts > 1].tolist()
    around.places.update((band, sorted(set(standing.get(band, ())))) for band in {*standing, *crowds})
    places = sorted(rows[_is_among(rows.bands, around.places)].rows())
    for band, position, id in places:
        there = around.places[band]
        if len(there) > window:  # fewer stand near one another whoever comes between
            before, after = _beside(there, band, (position, id), reaches, window)
            for (_, one), (_, other) in copies.separated(before, after, window):
                if one not in around.bands and other not in around.bands:
                    around.parted[_ordered(one, other)] = id
        insort(there, (position, id))
    near: dict[int, list[int]] = {id: [] for id in around.bands}
    far: dict[int, list[int]] = {id: [] for id in around.bands}
    for band, position, id in places:
        for side in _beside(around.places[band], band, (position, id), reaches, window):
            (far if copies.is_far(band) else near)[id].extend([other for _, other in side])
    proposed = {
        _ordered(id, other)
        for id in around.bands
        for other in copies.candidates_among(near[id], far[id], settings.group)
    }
    return proposed, around


def _rows(
    printed: Sequence[tuple[ArticleCopy, Fingerprint]], versions: Sequence[str], positions: Sequence[int]
) -> tuple[Places, list[int]]:
    """The index rows of stories, those of each in the order of their keys, and where each story's begin."""
    sizes = [len(print_.bands) for _, print_ in printed]
    bands = np.fromiter(chain.from_iterable(print_.bands for _, print_ in printed), dtype=np.int64)
    for version in set(versions):
        of_version = np.repeat([other == version for other in versions], sizes)
        bands[of_version] = salted(bands[of_version], version)
    story = np.repeat(np.arange(len(printed)), sizes)
    # Stories of one position have their keys in the order of their bands.
    order = np.lexsort((bands, story))
    bands, story = bands[order], story[order]
    # A band may stand twice in a fingerprint only if two collide; one row does for both.
    is_first = np.ones(bands.size, dtype=np.bool_)
    is_first[1:] = (bands[1:] != bands[:-1]) | (story[1:] != story[:-1])
    bands, story = bands[is_first], story[is_first]
    ids = np.array([one.id for one, _ in printed], dtype=np.int64)
    places = Places(bands, np.array(positions, dtype=np.int64)[story], ids[story])
    return places, np.searchsorted(story, np.arange(len(printed) + 1)).tolist()


def _reaches(positions: Iterable[int], settings: Settings) -> Reaches:
    return {position: copies.near_range(position, settings.group) for position in set(positions)}


def _beside(
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


def _insert_bands(connection: Connection, keys: NDArray[np.int64], rows: Places) -> None:
    """The rows go to the driver as they are: there are nearly thirty an article."""
    order = np.lexsort((rows.owners, rows.positions, keys))  # rows of one page of the index together
    columns = [column[order] for column in (keys, rows.positions, rows.owners)]
    if connection.dialect.name == "postgresql":
        lists = (column.tolist() for column in columns)
        connection.execute(
            _INSERT_BANDS_POSTGRESQL, dict(zip(("keys", "positions", "ids"), lists, strict=True))
        )
        return
    values: list[int] = np.column_stack(columns).ravel().tolist()
    for part in chunks(values, 3 * _ROWS_AT_ONCE):
        if len(part) == 3 * _ROWS_AT_ONCE:
            connection.exec_driver_sql(_INSERT_BANDS_SQLITE, tuple(part))
        else:
            connection.exec_driver_sql(_INSERT_BAND_SQLITE, [tuple(row) for row in chunks(part, 3)])


def _sketch_ids(connection: Connection, versions: Iterable[str]) -> dict[str, int]:
    table = schema.sketch
    known = {version: id for id, version in connection.execute(select(table.c.id, table.c.version))}
    for version in sorted(set(versions) - set(known)):
        known[version] = max(known.values(), default=0) + 1
        connection.execute(insert(table).values(id=known[version], version=version))
    return known


def _syndicated(connection: Connection, entered: Sequence[Indexed]) -> set[IdPair]:
    """Pairs of which one states, by its canonical link, to be a copy of the other."""
    table = schema.article
    proposed: set[IdPair] = set()
    indexed = [i for i in entered if i.fingerprint]
    stated = {i.syndicated_from for i in indexed if i.syndicated_from}
    originals: dict[str, int] = {}
    for part in chunks(stated):
        for id, url in connection.execute(
            select(table.c.id, table.c.url)
            .join(schema.signature, schema.signature.c.article_id == table.c.id)
            .where(among(table.c.url, part))
        ):
            originals[url] = id
    for i in indexed:
        original = originals.get(i.syndicated_from or "")
        if original is not None and original != i.story.id:
            proposed.add(_ordered(original, i.story.id))
    own = {i.story.url: i.story.id for i in indexed}
    for part in chunks(own):
        for id, source in connection.execute(
            select(table.c.id, table.c.syndicated_from)
            .join(schema.signature, schema.signature.c.article_id == table.c.id)
            .where(among(table.c.syndicated_from, part))
        ):
            if own[source] != id:
                proposed.add(_ordered(own[source], id))
    return proposed


def _candidates(
    connection: Connection,
    pairs: Iterable[IdPair],
    settings: Settings,
    around: Around | None = None,
) -> set[IdPair]:
    """Those of the pairs that are candidates as the index now stands.

    around: answers for the bands of the new stories. A few of the other bands of all pairs are looked at
    together, then more where that does not settle it.
    """
    limits = settings.group
    undecided: dict[IdPair, tuple[Place, Place, list[int], int]] = {}
    for pair, ((one, bands), (other, other_bands)) in _places(connection, pairs).items():
        shared, found = bands & other_bands, 0
        if other[0] > copies.near_range(one[0], limits)[1]:
            shared = frozenset(filter(copies.is_far, shared))
        if around is not None and pair in around.parted:
            settled = shared.intersection(around.bands[around.parted[pair]].tolist())
            shared -= settled
            found = sum(
                copies.band_weight(band, limits)
                for band in settled
                if around.are_near(band, one, other, limits.band_window)
            )
        undecided[pair] = (one, other, sorted(shared), found)
    candidates: set[IdPair] = set()
    while undecided:
        asked: list[tuple[IdPair, int]] = []
        for pair, (_, _, rest, found) in list(undecided.items()):
            if copies.is_candidate(found, limits):
                candidates.add(pair)
                del undecided[pair]
            elif not copies.is_candidate(
                found + sum(copies.band_weight(band, limits) for band in rest), limits
            ):
                del undecided[pair]
            else:
                asked.extend((pair, band) for band in rest[:_BANDS_AT_ONCE])
        spans = [(band, *undecided[pair][:2]) for pair, band in asked]
        near: Counter[IdPair] = Counter()
        with _in_order(connection):
            are_near = _are_near(connection, spans, limits.band_window)
        for (pair, band), is_near in zip(asked, are_near, strict=True):
            near[pair] += is_near * copies.band_weight(band, limits)
        undecided = {
            pair: (here, there, rest[_BANDS_AT_ONCE:], found + near[pair])
            for pair, (here, there, rest, found) in undecided.items()
        }
    return candidates


def _places(
    connection: Connection, pairs: Iterable[IdPair]
) -> dict[IdPair, tuple[tuple[Place, frozenset[int]], tuple[Place, frozenset[int]]]]:
    """Place and bands of both articles of each pair, in the order of their places."""
    wanted = list(pairs)
    table = schema.signature
    found: dict[int, tuple[Place, frozenset[int]]] = {}
    for part in chunks({id for pair in wanted for id in pair}):
        for id, position, packed in connection.execute(
            select(table.c.article_id, table.c.position, table.c["keys"]).where(
                among(table.c.article_id, part)
            )
        ):
            bands = copies.bands_of(np.array(unpack_keys(packed), dtype=np.int64))
            found[id] = ((position, id), frozenset(bands.tolist()))
    placed = {}
    for pair in wanted:
        if pair[0] in found and pair[1] in found:
            one, other = sorted((found[pair[0]], found[pair[1]]), key=lambda f: f[0])
            placed[pair] = (one, other)
    return placed


def _are_near(connection: Connection, spans: Sequence[tuple[int, Place, Place]], window: int) -> list[bool]:
    """Whether there are fewer than `window` rows of a band between two places, the earlier first."""
    wanted: list[tuple[int, int, int, int, int]] = []
    of: list[int] = []
    for n, (band, one, other) in enumerate(spans):
        for key in copies.bucket_keys(band, one[0], other[0]):
            wanted.append((key, *one, *other))
            of.append(n)
    between = [0] * len(spans)
    if not spans:
        return []
    if connection.dialect.name == "postgresql":
        keys, positions, ids, other_positions, other_ids = map(list, zip(*wanted, strict=True))
        rows = connection.execute(
            _BETWEEN_POSTGRESQL,
            {
                "keys": keys,
                "positions": positions,
                "ids": ids,
                "other_positions": other_positions,
                "other_ids": other_ids,
                "window": window,
            },
        )
    else:
        rows = connection.execute(_BETWEEN_SQLITE, {"wanted": json.dumps(wanted), "window": window})
    for n, count in rows:
        between[of[n]] += count
    return [count < window for count in between]


def _stored_pairs(connection: Connection, pairs: Iterable[IdPair]) -> set[IdPair]:
    """Those of the pairs that are stored."""
    # By the first id alone: a list of pairs would make SQLite read the table from end to end.
    table = schema.pair
    wanted = set(pairs)
    stored: set[IdPair] = set()
    for part in chunks({a for a, _ in wanted}):
        for a, b in connection.execute(select(table.c.a, table.c.b).where(among(table.c.a, part))):
            if (a, b) in wanted:
                stored.add((a, b))
    return stored


def _part(connection: Connection, around: Around, settings: Settings) -> list[IdPair]:
    """Deletes the stored pairs that are no candidates any more; returns them."""
    parted = around.parted
    # Copies are of one group, which is quickly asked; most of what was parted only shares a phrase.
    group_of = _groups_of(connection, {id for pair in parted for id in pair})
    stored = _stored_pairs(connection, [pair for pair in parted if group_of[pair[0]] == group_of[pair[1]]])
    weak = stored - _candidates(connection, stored, settings, around)
    broken = sorted(weak - _stating(connection, weak))
    if broken:
        connection.execute(
            delete(schema.pair).where(
                schema.pair.c.a == bindparam("at_a"), schema.pair.c.b == bindparam("at_b")
            ),
            [{"at_a": a, "at_b": b} for a, b in broken],
        )
    return broken


def _stating(connection: Connection, pairs: Iterable[IdPair]) -> set[IdPair]:
    """Those of the pairs of which one states to be a copy of the other: no band has to propose them."""
    table = schema.article
    wanted = list(pairs)
    said: dict[int, tuple[str, str | None]] = {}
    for part in chunks({id for pair in wanted for id in pair}):
        for id, url, source in connection.execute(
            select(table.c.id, table.c.url, table.c.syndicated_from).where(among(table.c.id, part))
        ):
            said[id] = (url, source)
    return {(a, b) for a, b in wanted if said[a][0] == said[b][1] or said[b][0] == said[a][1]}


# --- verification -------------------------------------------------------------------------------------

_CacheKey = tuple[Any, ...]
_cache: OrderedDict[_CacheKey, PreparedText] = OrderedDict()
_cache_lock = Lock()


def _verify(
    connection: Connection, proposed: Iterable[IdPair], stories: Mapping[int, Indexed], settings: Settings
) -> dict[IdPair, Pair]:
    """The verified ones of the pairs, with their evidence."""
    wanted = sorted(proposed)
    prepared = _prepared_texts(connection, {id for pair in wanted for id in pair}, stories, settings)
    found = {}
    for a, b in wanted:
        if a in prepared and b in prepared:
            pair = copies.verify(prepared[a], prepared[b], settings.group)
            if pair is not None:
                found[a, b] = pair
    return found


def _prepared_texts(
    connection: Connection, ids: Iterable[int], stories: Mapping[int, Indexed], settings: Settings
) -> dict[int, PreparedText]:
    """Comparables by article id, from the cache where the stored text is the one that was cached."""
    found: dict[int, PreparedText] = {}
    missing: dict[int, _CacheKey] = {}
    stored = []
    for id in ids:
        if id in stories:
            indexed = stories[id]
            key = _cache_key(indexed.text_hash, indexed.story.published_at, settings)
            found[id] = _cached(key) or _remember(key, _prepared(indexed.story, settings))
        else:
            stored.append(id)
    table = schema.article
    for part in chunks(stored):
        for id, hash, published_at in connection.execute(
            select(table.c.id, table.c.text_hash, table.c.published_at).where(among(table.c.id, part))
        ):
            key = _cache_key(hash, published_at, settings)
            cached = _cached(key)
            if cached is not None:
                found[id] = cached
            else:
                missing[id] = key
    for part in chunks(missing):
        for row in connection.execute(
            select(
                table.c.id,
                table.c.url,
                table.c.title,
                table.c.text,
                table.c.first_seen_at,
                table.c.published_at,
                table.c.language,
                table.c.agency,
                table.c.site,
            ).where(among(table.c.id, part))
        ):
            found[row.id] = _remember(missing[row.id], _prepared(ArticleCopy(*row), settings))
    return found


def _prepared(story: ArticleCopy, settings: Settings) -> PreparedText:
    return copies.prepare(story, settings.fingerprint)


def _cache_key(hash: bytes, published_at: datetime | None, settings: Settings) -> _CacheKey:
    # All that a prepared text is made of; so an entry is right for any database, and after any change.
    return (hash, published_at, settings.group, settings.fingerprint)


def _cached(key: _CacheKey) -> PreparedText | None:
    with _cache_lock:
        found = _cache.get(key)
        if found is not None:
            _cache.move_to_end(key)
        return found


def _remember(key: _CacheKey, prepared: PreparedText) -> PreparedText:
    with _cache_lock:
        _cache[key] = prepared
        while len(_cache) > _CACHE_SIZE:
            _cache.popitem(last=False)
    return prepared


# --- groups -------------------------------------------------------------------------------------------


def _regroup(
    connection: Connection,
    stories: Mapping[int, Indexed],
    found: Mapping[IdPair, Pair],
    broken: Iterable[IdPair],
    left: Left,
) -> set[int]:
    """Components of what changed. A group that only gained pairs counts as one node, its id; a group that
    lost some is taken apart and put together again from its stored pairs.
    """
    partners = {id for pair in found for id in pair}
    cut = _cut(found, broken)
    group_of = _groups_of(connection, partners | set(stories) | {id for pair in cut for id in pair})
    dirty = set(left.groups) | {group_of[id] for pair in cut for id in pair}
    members, pairs = _members_and_pairs(connection, dirty)

    def node(id: int) -> int:
        return id if id in stories or id in members else group_of[id]

    nodes = {node(id) for id in partners} | set(stories) | members
    edges = [(node(a), node(b)) for a, b in (*found, *pairs)]
    moved_groups: list[dict[str, int]] = []
    moved: list[dict[str, int]] = []
    changed: set[int] = set()
    copied: set[int] = set()
    joined: set[int] = set()  # groups that only gained members
    for component in copies.components(nodes, edges):
        id = min(component)
        changed.add(id)
        if len(component) > 1:
            copied |= component
        if not (component & members or component & left.ids):
            joined.add(id)
        for member in component:
            if member in stories or member in members:
                moved.append({"at_id": member, "to_group": id})
            elif member != id:
                moved_groups.append({"at_group": member, "to_group": id})
    table = schema.article
    if moved_groups:
        connection.execute(
            update(table)
            .where(table.c.group_id == bindparam("at_group"))
            .values(group_id=bindparam("to_group")),
            moved_groups,
        )
    moved = [row for row in moved if group_of.get(row["at_id"]) != row["to_group"]]
    if moved:
        connection.execute(
            update(table)
            .where(table.c.id == bindparam("at_id"), table.c.group_id != bindparam("to_group"))
            .values(group_id=bindparam("to_group")),
            moved,
        )
    alone = changed & set(stories) - partners - members  # groups of one: the article is canonical
    _choose_canonical(connection, changed - alone, joined - alone)
    _set_canonical(connection, alone & left.ids)
    return copied & set(stories)


def rebuild(connection: Connection, ids: Iterable[int]) -> int:
    """Makes groups anew from the stored pairs, canonical copies included: the groups of these ids, and those
    that pairs join to them. Returns how many there are now. For what only a damaged base needs.
    """
    table, pairs = schema.article, schema.pair
    members: dict[int, int] = {}  # article -> its group so far
    edges: set[IdPair] = set()
    asked: set[int] = set()
    fresh = set(ids)
    while fresh:
        asked |= fresh
        found: dict[int, int] = {}
        for part in chunks(fresh):
            here = or_(table.c.id.in_(part), table.c.group_id.in_(part))
            rows = connection.execute(select(table.c.id, table.c.group_id).where(here))
            found.update((id, group_id) for id, group_id in rows)
        new = found.keys() - members.keys()
        members.update(found)
        for part in chunks(new):
            for end in (pairs.c.a, pairs.c.b):
                rows = connection.execute(select(pairs.c.a, pairs.c.b).where(end.in_(part)))
                edges.update((a, b) for a, b in rows)
        fresh = {*found.values(), *(id for edge in edges for id in edge)} - asked
    inside = [edge for edge in edges if edge[0] in members and edge[1] in members]
    right = {id: min(part) for part in copies.components(members, inside) for id in part}
    moved = [{"at_id": id, "to_group": right[id]} for id in sorted(members) if right[id] != members[id]]
    if moved:
        connection.execute(
            update(table).where(table.c.id == bindparam("at_id")).values(group_id=bindparam("to_group")),
            moved,
        )
    _choose_canonical(connection, set(right.values()), ())
    return len(set(right.values()))


def _cut(found: Mapping[IdPair, Pair], broken: Iterable[IdPair]) -> list[IdPair]:
    """The broken pairs whose ends the new pairs do not hold together: only these may split a group."""
    broken = list(broken)
    if not broken:
        return []
    ids = {id for pair in (*found, *broken) for id in pair}
    home = {id: n for n, part in enumerate(copies.components(ids, found)) for id in part}
    return [pair for pair in broken if home[pair[0]] != home[pair[1]]]


def _groups_of(connection: Connection, ids: Iterable[int]) -> dict[int, int]:
    table = schema.article
    return {
        id: group_id
        for part in chunks(ids)
        for id, group_id in connection.execute(
            select(table.c.id, table.c.group_id).where(among(table.c.id, part))
        )
    }


def _members_and_pairs(connection: Connection, groups: Iterable[int]) -> tuple[set[int], list[IdPair]]:
    table, pairs = schema.article, schema.pair
    members: set[int] = set()
    stored: list[IdPair] = []
    for part in chunks(groups):
        members.update(connection.execute(select(table.c.id).where(among(table.c.group_id, part))).scalars())
        stored.extend(
            (a, b)
            for a, b in connection.execute(
                select(pairs.c.a, pairs.c.b)
                .join(table, table.c.id == pairs.c.a)
                .where(among(table.c.group_id, part))
            )
        )
    return members, stored


def _choose_canonical(connection: Connection, groups: Collection[int], joined: Collection[int]) -> None:
    """Sets the canonical copy of each group.

    joined: those of the groups that only gained members. Of these nobody else comes first than a copy that
    did in what was joined, or is new (all of which are flagged), or that stands on a site which the credit of
    another part makes an agency's own. So a group costs a look at the agencies that it credits, whatever its
    size; one that credits any, at its sites as well, which the index has.
    """
    table = schema.article
    agencies: dict[int, set[str]] = defaultdict(set)
    sites: dict[int, set[str]] = defaultdict(set)
    for part in chunks(groups):
        for group_id, agency in connection.execute(_CREDITED, {"groups": part}):
            agencies[group_id].add(agency)
    for part in chunks(agencies.keys() & set(joined)):
        for group_id, site in connection.execute(
            select(table.c.group_id, table.c.site).where(among(table.c.group_id, part)).distinct()
        ):
            sites[group_id].add(site)
    first: dict[int, tuple[copies.CanonicalKey, int]] = {}
    flagged: set[int] = set()

    def look_at(condition: ColumnElement[bool]) -> None:
        query = select(
            table.c.id,
            table.c.url,
            table.c.site,
            table.c.published_at,
            table.c.first_seen_at,
            table.c.group_id,
            table.c.is_canonical,
            func.length(table.c.text).label("length"),
        )
        for row in connection.execute(query.where(condition)):
            story = ArticleCopy(row.id, row.url, "", "", row.first_seen_at, row.published_at, site=row.site)
            place = copies.canonical_key(story, row.length, agencies[row.group_id]), row.id
            first[row.group_id] = min(first.get(row.group_id, place), place)
            if row.is_canonical:
                flagged.add(row.id)

    for part in chunks(set(groups).difference(joined)):
        look_at(among(table.c.group_id, part))
    for part in chunks(joined):
        look_at(and_(among(table.c.group_id, part), table.c.is_canonical))
    for group_id in joined:
        own = [site for site in sites[group_id] if is_agency_site(site, agencies[group_id])]
        for some in chunks(own):
            look_at(and_(table.c.group_id == group_id, among(table.c.site, some)))
    chosen = {id for _, id in first.values()}
    for part in chunks(flagged - chosen):
        connection.execute(update(table).where(among(table.c.id, part)).values(is_canonical=False))
    _set_canonical(connection, chosen - flagged)


def _credited() -> Select[Any]:
    """Each of the `groups` with each agency that it credits, in steps of the index from one to the next."""
    head, member = schema.article.alias(), schema.article.alias()

    def following(group_id: ColumnElement[int], flag: ColumnElement[bool], last: ColumnElement[str]) -> Any:
        return (
            select(func.min(member.c.agency))
            .where(member.c.group_id == group_id, member.c.is_canonical == flag, member.c.agency > last)
            .scalar_subquery()
            .label("agency")
        )

    # A group's id is that of one of its articles.
    flags = union_all(select(literal(False).label("flag")), select(literal(True))).subquery("flags")
    found = (
        select(head.c.id.label("group_id"), flags.c.flag, following(head.c.id, flags.c.flag, literal("")))
        .where(head.c.id.in_(bindparam("groups", expanding=True)))
        .join_from(head, flags, literal(True))
        .cte("credited", recursive=True)
    )
    found = found.union_all(
        select(found.c.group_id, found.c.flag, following(*found.c)).where(found.c.agency.is_not(None))
    )
    return select(found.c.group_id, found.c.agency).where(found.c.agency.is_not(None)).distinct()


# Made once: to put it together takes as long as to run it.
_CREDITED = _credited()


def _set_canonical(connection: Connection, ids: Iterable[int]) -> None:
    table = schema.article
    for part in chunks(ids):
        connection.execute(
            update(table)
            .where(and_(among(table.c.id, part), table.c.is_canonical.is_(False)))
            .values(is_canonical=True)
        )


def _ordered(one: int, other: int) -> IdPair:
    return (one, other) if one < other else (other, one)
