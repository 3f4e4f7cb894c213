"""Rebuilds groups from the stored pairs. Only the repair of a damaged database needs this."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import (
    Connection,
    bindparam,
    or_,
    select,
    update,
)

from pipeline import copies
from storage import schema
from storage.base import chunks
from storage.writing.groups.bridges import settle_bridges
from storage.writing.groups.canonical import choose_canonical
from storage.writing.groups.index import IdPair


def rebuild_groups(connection: Connection, ids: Iterable[int]) -> int:
    """Rebuilds the groups of these ids from the stored pairs, canonical copies included.

    Groups that pairs connect to them are rebuilt too. Returns the number of groups that this gives.
    """
    table, pairs = schema.article, schema.pair
    ids = list(ids)
    for part in chunks(ids):
        here = or_(table.c.id.in_(part), table.c.group_id.in_(part))
        settled = settle_bridges(connection, connection.scalars(select(table.c.id).where(here)))
        ids += [id for pair in settled.joined | settled.cut for id in pair]
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
                joining = pairs.c.cut.is_(None)
                rows = connection.execute(select(pairs.c.a, pairs.c.b).where(end.in_(part), joining))
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
    choose_canonical(connection, set(right.values()))
    return len(set(right.values()))
