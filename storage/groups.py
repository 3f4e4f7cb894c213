"""The near-duplicate index and the groups, kept in step with the articles in the writer's transaction.

`pipeline.group` says what the candidates of an article are: its neighbours in time, in enough of its bands.
So the pairs, and with them the partition, are a function of the articles that are there, whatever order
and batches they came in. Here that is kept true for a batch of changes at once: stories that left have
their index rows and pairs taken away, and those that had them between come together again; stories that
entered get theirs, and part others. Only the bands and groups of these stories are read.
"""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from threading import Lock
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, text, update

from pipeline import group
from pipeline.group import Comparable, Pair, Story
from pipeline.settings import Settings
from storage import schema
from storage.ledger import Indexed, chunks, pack_keys, salt, unpack_keys

# (position in time, article id): how the rows of one band are ordered.
Place = tuple[int, int]
IdPair = tuple[int, int]

# Comparables are arrays of a few KB; the partners of today's stories are mostly those of the last hours.
_CACHE_SIZE = 4096

# Places looked up together; their pages are to fit into SQLite's page cache several times.
_PLACES_AT_ONCE = 4096

# Two bands settle most pairs; see `_candidates`.
_KEYS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Left:
    """What leaving did.

    ids: the stories that left; rejoined: pairs that stand within the window again; groups: those that
    lost a pair.
    """

    ids: frozenset[int] = frozenset()
    rejoined: frozenset[IdPair] = frozenset()
    groups: frozenset[int] = frozenset()


# Neighbours of places, nearest first. One statement for a whole batch: what differs between the databases
# is how a list of rows is handed over and how a LIMIT applies to each of them.
_NEIGHBOURS_SQLITE = text(
    """
    SELECT wanted.key AS n,
           (SELECT json_group_array(json_array(position, article_id)) FROM (
                SELECT position, article_id FROM band
                WHERE key = json_extract(wanted.value, '$[0]') AND (position, article_id)
                    < (json_extract(wanted.value, '$[1]'), json_extract(wanted.value, '$[2]'))
                ORDER BY position DESC, article_id DESC LIMIT :window)) AS before,
           (SELECT json_group_array(json_array(position, article_id)) FROM (
                SELECT position, article_id FROM band
                WHERE key = json_extract(wanted.value, '$[0]') AND (position, article_id)
                    > (json_extract(wanted.value, '$[1]'), json_extract(wanted.value, '$[2]'))
                ORDER BY position, article_id LIMIT :window)) AS after
    FROM json_each(:wanted) AS wanted
    """
)

_NEIGHBOURS_POSTGRESQL = text(
    """
    SELECT wanted.n - 1 AS n, found.side, found.position, found.article_id
    FROM unnest(CAST(:keys AS bigint[]), CAST(:positions AS bigint[]), CAST(:ids AS bigint[]))
             WITH ORDINALITY AS wanted (key, position, article_id, n)
    CROSS JOIN LATERAL (
        (SELECT -1 AS side, position, article_id FROM band
         WHERE key = wanted.key AND (position, article_id) < (wanted.position, wanted.article_id)
         ORDER BY position DESC, article_id DESC LIMIT :window)
        UNION ALL
        (SELECT 1 AS side, position, article_id FROM band
         WHERE key = wanted.key AND (position, article_id) > (wanted.position, wanted.article_id)
         ORDER BY position, article_id LIMIT :window)
    ) AS found
    """
)


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

    bands: places in order, by key. keys: those of each new story. parted: older pairs that a new story came
    to stand between in some band, and which story that was.
    """

    bands: dict[int, list[Place]] = field(default_factory=dict)
    keys: dict[int, frozenset[int]] = field(default_factory=dict)
    parted: dict[IdPair, int] = field(default_factory=dict)

    def are_near(self, key: int, one: Place, other: Place, window: int) -> bool:
        """Whether two places with a new story of this band between them are neighbours in it.

        All bands are in one order, so the new story is between them in each of its bands; if they are
        neighbours there, they and all between them are in its neighbourhood. So what is missing here is too
        far away, and missing rows never make two places look nearer than the window.
        """
        band = self.bands[key]
        start, end = bisect_left(band, one), bisect_left(band, other)
        return (
            start < len(band)
            and band[start] == one
            and band[end : end + 1] == [other]
            and end - start <= window
        )


def leave(connection: Connection, ids: Sequence[int], settings: Settings) -> Left:
    """Takes stories out of the index and their pairs away; before the articles themselves change."""
    window = settings.group.band_window
    rejoined: set[IdPair] = set()
    groups: set[int] = set()
    table = schema.signature
    for part in chunks(ids):
        signatures = connection.execute(
            select(table.c.article_id, table.c.position, table.c["keys"].label("packed")).where(
                table.c.article_id.in_(part)
            )
        ).all()
        # One at a time: each closes the gap that the next one is looked up in.
        for row in signatures:
            places = [(key, row.position, row.article_id) for key in unpack_keys(row.packed)]
            for before, after in _neighbours(connection, places, window):
                for one, other in group.parted(before, after, window):
                    rejoined.add(_ordered(one[1], other[1]))
            connection.execute(
                delete(schema.band).where(
                    schema.band.c.key == bindparam("at_key"),
                    schema.band.c.position == row.position,
                    schema.band.c.article_id == row.article_id,
                ),
                [{"at_key": key} for key, _, _ in places],
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
    if found:
        connection.execute(
            insert(schema.pair),
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


# --- the index ----------------------------------------------------------------------------------------


def _neighbours(
    connection: Connection, places: Sequence[tuple[int, int, int]], window: int
) -> list[tuple[list[Place], list[Place]]]:
    """For each (key, position, article id): up to `window` rows before and after it, nearest first."""
    found: list[tuple[list[Place], list[Place]]] = [([], []) for _ in places]
    if connection.dialect.name == "postgresql":
        keys, positions, ids = zip(*places, strict=True) if places else ((), (), ())
        parameters = {"keys": list(keys), "positions": list(positions), "ids": list(ids), "window": window}
        for n, side, position, id in connection.execute(_NEIGHBOURS_POSTGRESQL, parameters):
            found[n][side > 0].append((position, id))
        for before, after in found:  # the order of a lateral join's rows is not promised
            before.sort(reverse=True)
            after.sort()
        return found
    for n, before, after in connection.execute(
        _NEIGHBOURS_SQLITE, {"wanted": json.dumps(places), "window": window}
    ):
        # Most stories are alone in most of their bands.
        if before != "[]" or after != "[]":
            found[n] = (
                [tuple(place) for place in json.loads(before)],
                [tuple(place) for place in json.loads(after)],
            )
    return found


def _index(
    connection: Connection, entered: Sequence[Indexed], settings: Settings
) -> tuple[set[IdPair], Around]:
    """Writes signatures and bands. Returns the new stories' candidate pairs, and what is around them."""
    window = settings.group.band_window
    signatures: list[dict[str, Any]] = []
    places: list[tuple[int, int, int]] = []
    sketches = _sketch_ids(connection, {i.fingerprint.version for i in entered if i.fingerprint})
    for indexed in entered:
        print_ = indexed.fingerprint
        if print_ is None:
            continue
        position = group.order_key(indexed.story)
        mask = salt(print_.version)
        # A key may stand twice in a fingerprint only if two bands collide; one row does for both.
        keys = sorted({key ^ mask for key in print_.bands})
        signatures.append(
            {
                "article_id": indexed.story.id,
                "sketch_id": sketches[print_.version],
                "position": position,
                "signature": print_.signature,
                "keys": pack_keys(keys),
            }
        )
        places.extend((key, position, indexed.story.id) for key in keys)
    if not signatures:
        return set(), Around()
    places.sort()  # rows of one page of the index together
    rows: dict[int, list[Place]] = {}
    for part in _by_key(places):
        for (key, _, _), (before, after) in zip(part, _neighbours(connection, part, window), strict=True):
            if before or after:
                rows.setdefault(key, []).extend((*before, *after))
        _insert_bands(connection, part)
    for (key, _, _), (other, _, _) in pairwise(places):
        if key == other:
            rows.setdefault(key, [])
    connection.execute(insert(schema.signature), signatures)

    new = {row["article_id"] for row in signatures}
    bands = {key: sorted(set(found)) for key, found in rows.items()}
    around = Around(bands, {row["article_id"]: frozenset(unpack_keys(row["keys"])) for row in signatures})
    places = [place for place in places if place[0] in bands]  # where a story is alone there is no more to do
    for key, position, id in places:
        band = bands[key]
        at = bisect_left(band, (position, id))
        before = band[max(0, at - window) : at][::-1]
        after = band[at : at + window]
        for (_, one), (_, other) in group.parted(before, after, window):
            if one not in new and other not in new:
                around.parted[_ordered(one, other)] = id
        insort(band, (position, id))
    near: dict[Place, list[tuple[int, int]]] = {}
    for key, position, id in places:
        band = bands[key]
        at = bisect_left(band, (position, id))
        neighbours = (*band[max(0, at - window) : at], *band[at + 1 : at + 1 + window])
        near.setdefault((position, id), []).extend((other, place) for place, other in neighbours)
    proposed = {
        _ordered(id, other)
        for (position, id), others in near.items()
        for other in group.candidates(position, others, settings.group)
    }
    return proposed, around


def _by_key(places: Sequence[tuple[int, int, int]]) -> Iterator[Sequence[tuple[int, int, int]]]:
    """The sorted places in parts that share no key, so that one can be written before the next is looked up:
    in a large base almost each is on a page of its own, which is still at hand when it is written to.
    """
    start = 0
    while start < len(places):
        end = start + _PLACES_AT_ONCE
        while end < len(places) and places[end][0] == places[end - 1][0]:
            end += 1
        yield places[start:end]
        start = end


def _insert_bands(connection: Connection, places: Sequence[tuple[int, int, int]]) -> None:
    """The rows go to the driver as they are: there are thirty an article."""
    if connection.dialect.name == "postgresql":
        keys, positions, ids = map(list, zip(*places, strict=True))
        connection.execute(_INSERT_BANDS_POSTGRESQL, {"keys": keys, "positions": positions, "ids": ids})
        return
    connection.exec_driver_sql("INSERT INTO band (key, position, article_id) VALUES (?, ?, ?)", list(places))


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
            .where(table.c.url.in_(part))
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
            .where(table.c.syndicated_from.in_(part))
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
    for pair, ((one, keys), (other, other_keys)) in _places(connection, pairs).items():
        shared, bands = keys & other_keys, 0
        if around is not None and pair in around.parted:
            settled = shared & around.keys[around.parted[pair]]
            shared -= settled
            bands = sum(around.are_near(key, one, other, limits.band_window) for key in settled)
        undecided[pair] = (one, other, sorted(shared), bands)
    found: set[IdPair] = set()
    while undecided:
        asked: list[tuple[IdPair, int]] = []
        for pair, (here, there, rest, bands) in list(undecided.items()):
            if group.is_candidate(here[0], there[0], bands, limits):
                found.add(pair)
                del undecided[pair]
            elif not group.is_candidate(here[0], there[0], bands + len(rest), limits):
                del undecided[pair]
            else:
                asked.extend((pair, key) for key in rest[:_KEYS_AT_ONCE])
        spans = [(key, *undecided[pair][0], *undecided[pair][1]) for pair, key in asked]
        near: Counter[IdPair] = Counter()
        for (pair, _), is_near in zip(asked, _are_near(connection, spans, limits.band_window), strict=True):
            near[pair] += is_near
        undecided = {
            pair: (here, there, rest[_KEYS_AT_ONCE:], bands + near[pair])
            for pair, (here, there, rest, bands) in undecided.items()
        }
    return found


def _places(
    connection: Connection, pairs: Iterable[IdPair]
) -> dict[IdPair, tuple[tuple[Place, frozenset[int]], tuple[Place, frozenset[int]]]]:
    """Place and keys of both articles of each pair, in the order of their places."""
    wanted = list(pairs)
    table = schema.signature
    found: dict[int, tuple[Place, frozenset[int]]] = {}
    for part in chunks({id for pair in wanted for id in pair}):
        for id, position, packed in connection.execute(
            select(table.c.article_id, table.c.position, table.c["keys"]).where(table.c.article_id.in_(part))
        ):
            found[id] = ((position, id), frozenset(unpack_keys(packed)))
    placed = {}
    for pair in wanted:
        if pair[0] in found and pair[1] in found:
            one, other = sorted((found[pair[0]], found[pair[1]]), key=lambda f: f[0])
            placed[pair] = (one, other)
    return placed


def _are_near(
    connection: Connection, spans: Sequence[tuple[int, int, int, int, int]], window: int
) -> list[bool]:
    """Whether two places of a band are neighbours: fewer than `window` rows between them.

    spans: (key, position and article id of the first place, those of the second).
    """
    near = [False] * len(spans)
    if not spans:
        return near
    if connection.dialect.name == "postgresql":
        keys, positions, ids, other_positions, other_ids = map(list, zip(*spans, strict=True))
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
        rows = connection.execute(_BETWEEN_SQLITE, {"wanted": json.dumps(spans), "window": window})
    for n, between in rows:
        near[n] = between < window
    return near


def _stored_pairs(connection: Connection, pairs: Iterable[IdPair]) -> set[IdPair]:
    """Those of the pairs that are stored."""
    # By the first id alone: a list of pairs would make SQLite read the table from end to end.
    table = schema.pair
    wanted = set(pairs)
    stored: set[IdPair] = set()
    for part in chunks({a for a, _ in wanted}):
        for a, b in connection.execute(select(table.c.a, table.c.b).where(table.c.a.in_(part))):
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
            select(table.c.id, table.c.url, table.c.syndicated_from).where(table.c.id.in_(part))
        ):
            said[id] = (url, source)
    return {(a, b) for a, b in wanted if said[a][0] == said[b][1] or said[b][0] == said[a][1]}


# --- verification -------------------------------------------------------------------------------------

_CacheKey = tuple[Any, ...]
_cache: OrderedDict[_CacheKey, Comparable] = OrderedDict()
_cache_lock = Lock()


def _verify(
    connection: Connection, proposed: Iterable[IdPair], stories: Mapping[int, Indexed], settings: Settings
) -> dict[IdPair, Pair]:
    """The verified ones of the pairs, with their evidence."""
    wanted = sorted(proposed)
    comparables = _comparables(connection, {id for pair in wanted for id in pair}, stories, settings)
    found = {}
    for a, b in wanted:
        if a in comparables and b in comparables:
            pair = group.verify(comparables[a], comparables[b], settings.group)
            if pair is not None:
                found[a, b] = pair
    return found


def _comparables(
    connection: Connection, ids: Iterable[int], stories: Mapping[int, Indexed], settings: Settings
) -> dict[int, Comparable]:
    """Comparables by article id, from the cache where the stored text is the one that was cached."""
    found: dict[int, Comparable] = {}
    missing: dict[int, _CacheKey] = {}
    stored = []
    for id in ids:
        if id in stories:
            indexed = stories[id]
            key = _cache_key(indexed.text_hash, indexed.story.published_at, settings)
            found[id] = _cached(key) or _remember(key, _comparable(indexed.story, settings))
        else:
            stored.append(id)
    table = schema.article
    for part in chunks(stored):
        for id, hash, published_at in connection.execute(
            select(table.c.id, table.c.text_hash, table.c.published_at).where(table.c.id.in_(part))
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
            ).where(table.c.id.in_(part))
        ):
            found[row.id] = _remember(missing[row.id], _comparable(Story(*row), settings))
    return found


def _comparable(story: Story, settings: Settings) -> Comparable:
    return group.comparable(story, settings.group, settings.fingerprint)


def _cache_key(hash: bytes, published_at: datetime | None, settings: Settings) -> _CacheKey:
    # All that a comparable is made of; so an entry is right for any database, and after any change.
    return (hash, published_at, settings.group, settings.fingerprint)


def _cached(key: _CacheKey) -> Comparable | None:
    with _cache_lock:
        found = _cache.get(key)
        if found is not None:
            _cache.move_to_end(key)
        return found


def _remember(key: _CacheKey, comparable: Comparable) -> Comparable:
    with _cache_lock:
        _cache[key] = comparable
        while len(_cache) > _CACHE_SIZE:
            _cache.popitem(last=False)
    return comparable


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
    for component in group.components(nodes, edges):
        id = min(component)
        changed.add(id)
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
    copied = _choose_canonical(connection, changed - alone)
    _set_canonical(connection, alone & left.ids)
    return copied & set(stories)


def _cut(found: Mapping[IdPair, Pair], broken: Iterable[IdPair]) -> list[IdPair]:
    """The broken pairs whose ends the new pairs do not hold together: only these may split a group."""
    broken = list(broken)
    if not broken:
        return []
    ids = {id for pair in (*found, *broken) for id in pair}
    home = {id: n for n, part in enumerate(group.components(ids, found)) for id in part}
    return [pair for pair in broken if home[pair[0]] != home[pair[1]]]


def _groups_of(connection: Connection, ids: Iterable[int]) -> dict[int, int]:
    table = schema.article
    return {
        id: group_id
        for part in chunks(ids)
        for id, group_id in connection.execute(
            select(table.c.id, table.c.group_id).where(table.c.id.in_(part))
        )
    }


def _members_and_pairs(connection: Connection, groups: Iterable[int]) -> tuple[set[int], list[IdPair]]:
    table, pairs = schema.article, schema.pair
    members: set[int] = set()
    stored: list[IdPair] = []
    for part in chunks(groups):
        members.update(connection.execute(select(table.c.id).where(table.c.group_id.in_(part))).scalars())
        stored.extend(
            (a, b)
            for a, b in connection.execute(
                select(pairs.c.a, pairs.c.b)
                .join(table, table.c.id == pairs.c.a)
                .where(table.c.group_id.in_(part))
            )
        )
    return members, stored


def _choose_canonical(connection: Connection, groups: Iterable[int]) -> set[int]:
    """Sets the canonical copy of each group; returns the members of those with more than one."""
    table = schema.article
    members: dict[int, list[Story]] = {}
    flagged: set[int] = set()
    for part in chunks(groups):
        for row in connection.execute(
            select(
                table.c.group_id,
                table.c.is_canonical,
                table.c.id,
                table.c.url,
                table.c.site,
                table.c.agency,
                table.c.published_at,
                table.c.first_seen_at,
                func.length(table.c.text).label("length"),
            ).where(table.c.group_id.in_(part))
        ):
            # `canonical` asks a text for nothing but its length, which need not be read for that.
            story = Story(
                id=row.id,
                url=row.url,
                title="",
                text=" " * row.length,
                fetched_at=row.first_seen_at,
                published_at=row.published_at,
                agency=row.agency,
                site=row.site,
            )
            members.setdefault(row.group_id, []).append(story)
            if row.is_canonical:
                flagged.add(row.id)
    chosen = {group.canonical(stories) for stories in members.values()}
    for part in chunks(flagged - chosen):
        connection.execute(update(table).where(table.c.id.in_(part)).values(is_canonical=False))
    _set_canonical(connection, chosen - flagged)
    return {story.id for stories in members.values() if len(stories) > 1 for story in stories}


def _set_canonical(connection: Connection, ids: Iterable[int]) -> None:
    table = schema.article
    for part in chunks(ids):
        connection.execute(
            update(table)
            .where(and_(table.c.id.in_(part), table.c.is_canonical.is_(False)))
            .values(is_canonical=True)
        )


def _ordered(one: int, other: int) -> IdPair:
    return (one, other) if one < other else (other, one)
