"""Decides which pairs are candidates: neighbours in enough bands (`pipeline.copies`), and stated copies."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    select,
    text,
)

from pipeline import copies
from pipeline.settings import Settings
from storage import schema
from storage.base import chunks
from storage.writing.groups.bridges import cut_pairs
from storage.writing.groups.entries import Neighbourhood
from storage.writing.groups.index import IdPair, Place, in_index_order, ordered
from storage.writing.revisions import IndexedStory, unpack_keys

# Number of bands of a pair that are looked up together. Two bands decide most pairs.
_BANDS_AT_ONCE = 4

# Counts the rows between two places of a band, up to the window.
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


def stated_copies(connection: Connection, entered: Sequence[IndexedStory]) -> set[IdPair]:
    """Pairs in which one article states by its canonical link that it is a copy of the other."""
    table = schema.article
    proposed: set[IdPair] = set()
    indexed = [i for i in entered if i.fingerprint]
    stated = {i.syndicated_from for i in indexed if i.syndicated_from}
    originals: dict[str, int] = {}
    for part in chunks(stated):
        for id, url in connection.execute(
            select(table.c.id, table.c.url)
            .join(schema.signature, schema.signature.c.article_id == table.c.id)
            .where(table.c.url.in_(part))
        ):
            originals[url] = id
    for i in indexed:
        original = originals.get(i.syndicated_from or "")
        if original is not None and original != i.story.id:
            proposed.add(ordered(original, i.story.id))
    own = {i.story.url: i.story.id for i in indexed}
    for part in chunks(own):
        for id, source in connection.execute(
            select(table.c.id, table.c.syndicated_from)
            .join(schema.signature, schema.signature.c.article_id == table.c.id)
            .where(table.c.syndicated_from.in_(part))
        ):
            if own[source] != id:
                proposed.add(ordered(own[source], id))
    return proposed


def candidates_now(
    connection: Connection,
    pairs: Iterable[IdPair],
    settings: Settings,
    around: Neighbourhood | None = None,
) -> set[IdPair]:
    """Those of the pairs that are candidates in the present index.

    around: has the rows for the bands of the new stories. A few of the other bands are read for all pairs
    together, then more for the pairs that are still undecided.
    """
    limits = settings.group
    undecided: dict[IdPair, _Undecided] = {}
    for pair, (first, second) in index_places(connection, pairs).items():
        one, other = first.place, second.place
        shared, found = first.bands & second.bands, 0
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
        alike = copies.are_alike(first.signature, second.signature, limits)
        undecided[pair] = _Undecided(one, other, alike, sorted(shared), found)
    candidates: set[IdPair] = set()
    while undecided:
        asked: list[tuple[IdPair, int]] = []
        for pair, at in list(undecided.items()):
            most = at.found + sum(copies.band_weight(band, limits) for band in at.rest)
            if copies.is_candidate(at.found, at.alike, limits):
                candidates.add(pair)
                del undecided[pair]
            elif not copies.is_candidate(most, at.alike, limits):
                del undecided[pair]
            else:
                asked.extend((pair, band) for band in at.rest[:_BANDS_AT_ONCE])
        spans = [(band, undecided[pair].one, undecided[pair].other) for pair, band in asked]
        near: Counter[IdPair] = Counter()
        with in_index_order(connection):
            near_ones = are_near(connection, spans, limits.band_window)
        for (pair, band), is_near in zip(asked, near_ones, strict=True):
            near[pair] += is_near * copies.band_weight(band, limits)
        undecided = {
            pair: replace(at, rest=at.rest[_BANDS_AT_ONCE:], found=at.found + near[pair])
            for pair, at in undecided.items()
        }
    return candidates


@dataclass(frozen=True, slots=True)
class _Undecided:
    """A pair of which some bands are still to be looked up.

    one, other: the earlier place first. alike: whether one band is enough. rest: shared bands, not yet looked
    up. found: weight of those in which the two are neighbours.
    """

    one: Place
    other: Place
    alike: bool
    rest: list[int]
    found: int


@dataclass(frozen=True, slots=True)
class Indexed:
    """Where an article is in the index, and with what."""

    place: Place
    signature: bytes
    bands: frozenset[int]


def index_places(connection: Connection, pairs: Iterable[IdPair]) -> dict[IdPair, tuple[Indexed, Indexed]]:
    """Both articles of each pair, the earlier place first."""
    wanted = list(pairs)
    table = schema.signature
    columns = table.c.article_id, table.c.position, table.c.signature, table.c["keys"]
    found: dict[int, Indexed] = {}
    for part in chunks({id for pair in wanted for id in pair}):
        for id, position, signature, packed in connection.execute(
            select(*columns).where(table.c.article_id.in_(part))
        ):
            bands = copies.bands_of(np.array(unpack_keys(packed), dtype=np.int64))
            found[id] = Indexed((position, id), signature, frozenset(bands.tolist()))
    placed = {}
    for pair in wanted:
        if pair[0] in found and pair[1] in found:
            one, other = sorted((found[pair[0]], found[pair[1]]), key=lambda f: f.place)
            placed[pair] = (one, other)
    return placed


def are_near(connection: Connection, spans: Sequence[tuple[int, Place, Place]], window: int) -> list[bool]:
    """Whether fewer than `window` rows of a band are between two places, the earlier place first."""
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


def stored_pairs(connection: Connection, pairs: Iterable[IdPair]) -> set[IdPair]:
    """Those of the pairs that are stored."""
    # Selects by the first id alone, because SQLite would read the whole table for a list of pairs.
    table = schema.pair
    wanted = set(pairs)
    stored: set[IdPair] = set()
    for part in chunks({a for a, _ in wanted}):
        for a, b in connection.execute(select(table.c.a, table.c.b).where(table.c.a.in_(part))):
            if (a, b) in wanted:
                stored.add((a, b))
    return stored


def remove_weak_pairs(connection: Connection, around: Neighbourhood, settings: Settings) -> list[IdPair]:
    """Deletes the stored pairs that are not candidates any more; returns them."""
    parted = around.parted
    # Pairs that join are in one group, and looking up groups is fast. Most separated pairs share a phrase.
    group_of = groups_of(connection, {id for pair in parted for id in pair})
    stored = stored_pairs(connection, [pair for pair in parted if group_of[pair[0]] == group_of[pair[1]]])
    stored |= cut_pairs(connection, group_of) & parted.keys()
    weak = stored - candidates_now(connection, stored, settings, around)
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
    """Those of the pairs in which one states that it is a copy of the other; these need no shared band."""
    table = schema.article
    wanted = list(pairs)
    said: dict[int, tuple[str, str | None]] = {}
    for part in chunks({id for pair in wanted for id in pair}):
        for id, url, source in connection.execute(
            select(table.c.id, table.c.url, table.c.syndicated_from).where(table.c.id.in_(part))
        ):
            said[id] = (url, source)
    return {(a, b) for a, b in wanted if said[a][0] == said[b][1] or said[b][0] == said[a][1]}


def groups_of(connection: Connection, ids: Iterable[int]) -> dict[int, int]:
    table = schema.article
    return {
        id: group_id
        for part in chunks(ids)
        for id, group_id in connection.execute(
            select(table.c.id, table.c.group_id).where(table.c.id.in_(part))
        )
    }
