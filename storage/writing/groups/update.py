"""Keeps index, pairs and groups in step with a batch of changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    or_,
    select,
    update,
)

from pipeline import copies
from pipeline.copies import IndexRows
from pipeline.settings import Settings
from storage import schema
from storage.base import chunks
from storage.database import insert_rows
from storage.writing.groups.bridges import settle_bridges
from storage.writing.groups.candidates import (
    candidates_now,
    groups_of,
    remove_weak_pairs,
    stated_copies,
    stored_pairs,
)
from storage.writing.groups.canonical import choose_canonical, set_canonical
from storage.writing.groups.entries import add_to_index
from storage.writing.groups.index import IdPair, in_index_order, neighbours, ordered, reaches_of
from storage.writing.groups.verification import verify_pairs
from storage.writing.revisions import IndexedStory, unpack_keys


@dataclass(frozen=True, slots=True)
class RemovedStories:
    """The effect of removing stories from the index.

    ids: the removed stories. rejoined: pairs that are within the window again. groups: those that lost a
    pair. partners: the other articles of the pairs that were deleted.
    """

    ids: frozenset[int] = frozenset()
    rejoined: frozenset[IdPair] = frozenset()
    groups: frozenset[int] = frozenset()
    partners: frozenset[int] = frozenset()


def remove_stories(connection: Connection, ids: Sequence[int], settings: Settings) -> RemovedStories:
    """Removes stories from the index, and their pairs. Call it before the articles themselves change."""
    window = settings.group.band_window
    rejoined: set[IdPair] = set()
    groups: set[int] = set()
    partners: set[int] = set()
    table, sketch = schema.signature, schema.sketch
    for part in chunks(ids):
        signatures = connection.execute(
            select(table.c.article_id, table.c.position, table.c["keys"].label("packed"), sketch.c.version)
            .join(sketch, sketch.c.id == table.c.sketch_id)
            .where(table.c.article_id.in_(part))
        ).all()
        # One story at a time, because each removal changes the neighbours of the next story.
        for row in signatures:
            keys = unpack_keys(row.packed)
            # Stories with fingerprints of different settings become candidates only after `refingerprint`.
            if row.version == settings.index_version:
                bands = copies.bands_of(np.array(keys, dtype=np.int64))
                place = np.full(bands.size, row.position), np.full(bands.size, row.article_id)
                reaches = reaches_of([row.position], settings)
                with in_index_order(connection):
                    found = neighbours(connection, IndexRows(bands, *place), reaches, settings)
                for before, after in found.values():
                    for one, other in copies.separated(before, after, window):
                        rejoined.add(ordered(one[1], other[1]))
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
        for a, b in connection.execute(select(pairs.c.a, pairs.c.b).where(paired)):
            partners.update((a, b))
        connection.execute(delete(pairs).where(paired))
    gone = set(ids)
    return RemovedStories(
        ids=frozenset(gone),
        rejoined=frozenset(pair for pair in rejoined if not gone.intersection(pair)),
        groups=frozenset(groups),
        partners=frozenset(partners - gone),
    )


def add_stories(
    connection: Connection, entered: Sequence[IndexedStory], left: RemovedStories, settings: Settings
) -> set[int]:
    """Adds stories to the index, verifies candidates, and regroups. Returns the ids that have a copy.

    Call it after the articles have been written.
    """
    stories = {indexed.story.id: indexed for indexed in entered}
    proposed, around = add_to_index(connection, entered, settings)
    proposed |= stated_copies(connection, entered)
    proposed |= candidates_now(connection, left.rejoined, settings)
    proposed -= stored_pairs(connection, {p for p in proposed if p[0] not in stories and p[1] not in stories})
    found = verify_pairs(connection, proposed, stories, settings)
    insert_rows(
        connection,
        schema.pair,
        [{**copies.pair_values(a, b, pair), "cut": None} for (a, b), pair in sorted(found.items())],
    )
    broken = remove_weak_pairs(connection, around, settings)
    touched = {id for pair in (*found, *broken) for id in pair}
    settled = settle_bridges(connection, touched | left.partners)
    joining = set(found) - settled.cut | settled.joined
    changed, copied = _regroup(connection, stories, joining, {*broken, *settled.cut}, left)
    # Whether a text holds a further story says whether it may be canonical, also where no group changed.
    others = groups_of(connection, left.partners | settled.decided)
    choose_canonical(connection, changed.union(others.values()))
    return copied


def _regroup(
    connection: Connection,
    stories: Mapping[int, IndexedStory],
    found: Collection[IdPair],
    broken: Iterable[IdPair],
    left: RemovedStories,
) -> tuple[set[int], set[int]]:
    """Computes the components of the groups that changed. Returns these groups, and the ids that have a copy.

    found: pairs that join from now on. broken: pairs that were deleted, or do not join any more. A group that
    only gained pairs is one node, its id. A group that lost pairs is split into its articles and put together
    again from its stored pairs.
    """
    partners = {id for pair in found for id in pair}
    cut = _cut(found, broken)
    group_of = groups_of(connection, partners | set(stories) | {id for pair in cut for id in pair})
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
    for component in copies.components(nodes, edges):
        id = min(component)
        changed.add(id)
        if len(component) > 1:
            copied |= component
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
    set_canonical(connection, alone & left.ids)
    return changed - alone, copied & set(stories)


def _cut(found: Collection[IdPair], broken: Iterable[IdPair]) -> list[IdPair]:
    """The deleted pairs whose articles are not connected by new pairs; only these may split a group."""
    broken = list(broken)
    if not broken:
        return []
    ids = {id for pair in (*found, *broken) for id in pair}
    home = {id: n for n, part in enumerate(copies.components(ids, found)) for id in part}
    return [pair for pair in broken if home[pair[0]] != home[pair[1]]]


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
                .where(table.c.group_id.in_(part), pairs.c.cut.is_(None))
            )
        )
    return members, stored
