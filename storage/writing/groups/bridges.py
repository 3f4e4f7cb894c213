"""Keeps which pairs do not join their groups, because a text holds several stories.

`pipeline.copies.bridges` decides it for one text from the pairs of that text and those among the texts that
it holds. So after a batch only the texts with new or deleted pairs, and those that hold one of them, are
decided anew. Most texts hold no other, which a partial index says. Most of the others hold one story alone,
which the database finds out by itself, so that their many pairs are not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, func, or_, select, union_all, update

from pipeline import copies
from pipeline.copies import Cut, Passage
from storage import schema
from storage.base import chunks
from storage.writing.groups.index import IdPair

# What a pair that was stored before passages were known shares: it overlaps everything.
_ALL = Passage(0, 1 << 40)


@dataclass(frozen=True, slots=True)
class Rejoined:
    """joined: pairs that join from now on; cut: pairs that do no more.

    decided: articles of the other pairs that are cut by a different one of the two, or now by both.
    """

    joined: frozenset[IdPair] = frozenset()
    cut: frozenset[IdPair] = frozenset()
    decided: frozenset[int] = frozenset()


def settle_bridges(connection: Connection, touched: Iterable[int]) -> Rejoined:
    """Decides anew which pairs join. touched: articles with new or deleted pairs, as far as they are left."""
    holders = _holders(connection, set(touched))
    changed = list(_changed_cuts(connection, holders))
    if changed:
        table = schema.pair
        here = and_(table.c.a == bindparam("at_a"), table.c.b == bindparam("at_b"))
        to = [{"at_a": row.a, "at_b": row.b, "to_cut": bits or None} for row, bits in changed]
        connection.execute(update(table).where(here).values(cut=bindparam("to_cut")), to)
    return Rejoined(
        frozenset((row.a, row.b) for row, bits in changed if not bits),
        frozenset((row.a, row.b) for row, bits in changed if bits and not row.cut),
        frozenset(id for row, bits in changed if bits and row.cut for id in (row.a, row.b)),
    )


def wrong_cuts(connection: Connection, ids: Iterable[int]) -> list[IdPair]:
    """The pairs of which `cut` is not what the pairs of these articles make of it."""
    return [(row.a, row.b) for row, _ in _changed_cuts(connection, set(ids))]


def _changed_cuts(connection: Connection, holders: set[int]) -> Iterator[tuple[Row[Any], int]]:
    """The pairs of these articles that are cut otherwise from now on, and how."""
    holders = _possible_bridges(connection, holders)
    if not holders:
        return
    rows = {(row.a, row.b): row for row in pairs_at(connection, holders)}
    shared, held = _shared(rows, holders)
    cut = copies.bridges(shared, held, _among(connection, {other for _, other in held}))
    for (a, b), row in rows.items():
        bits = row.cut or 0
        for one, other, bit in ((a, b, Cut.BY_A), (b, a, Cut.BY_B)):
            if one in holders:
                bits = bits & ~bit | (bit if (one, other) in cut else 0)
        if bits != (row.cut or 0):
            yield row, bits


def cut_pairs(connection: Connection, ids: Iterable[int]) -> set[IdPair]:
    """The pairs of these articles that do not join."""
    table = schema.pair
    return {(row.a, row.b) for row in pairs_at(connection, ids, table.c.cut.is_not(None))}


def _holders(connection: Connection, touched: set[int]) -> set[int]:
    """The articles whose pairs have to be decided anew: those touched, and those that hold one of them.

    An article that held another until now has pairs that it cut.
    """
    table = schema.pair
    found = {id for pair in cut_pairs(connection, touched) for id in pair}
    for part in chunks(touched):
        for end in (table.c.a, table.c.b):
            holders = select(table.c.holder).where(end.in_(part), table.c.holder.is_not(None))
            found.update(connection.scalars(holders.distinct()))
    return found


def _possible_bridges(connection: Connection, ids: Iterable[int]) -> set[int]:
    """Those of the articles that have a pair that is cut, or may have one.

    One stretch of a text that is in all passages that it shares, and is enough of each for an overlap, makes
    one story of them all. Passages that are not known overlap everything; aggregates leave them out.
    """
    table = schema.pair
    found: set[int] = set()
    for part in chunks(ids):
        ends = union_all(
            select(
                table.c.a.label("id"), table.c.a_start.label("start"), table.c.a_end.label("end"), table.c.cut
            ).where(table.c.a.in_(part)),
            select(table.c.b, table.c.b_start, table.c.b_end, table.c.cut).where(table.c.b.in_(part)),
        ).subquery("ends")
        common = func.min(ends.c.end) - func.max(ends.c.start)
        longest = func.max(ends.c.end - ends.c.start)
        is_possible = or_(func.count(ends.c.cut) > 0, common <= 0, common < copies.OVERLAP * longest)
        found.update(connection.scalars(select(ends.c.id).group_by(ends.c.id).having(is_possible)))
    return found


def pairs_at(
    connection: Connection, ids: Iterable[int], condition: ColumnElement[bool] | None = None
) -> Iterator[Row[Any]]:
    """The pairs that have one of the articles at either end; twice if they have two."""
    table = schema.pair
    for part in chunks(ids):
        for end in (table.c.a, table.c.b):
            query = select(table).where(end.in_(part))
            yield from connection.execute(query if condition is None else query.where(condition))


def _shared(
    rows: Mapping[IdPair, Row[Any]], holders: set[int]
) -> tuple[dict[int, dict[int, Passage]], set[IdPair]]:
    """The passages that each holder shares with others, and the pairs (holder, held)."""
    shared: dict[int, dict[int, Passage]] = {}
    held: set[IdPair] = set()
    for (a, b), row in rows.items():
        for one, other, start, end in ((a, b, row.a_start, row.a_end), (b, a, row.b_start, row.b_end)):
            if one in holders:
                shared.setdefault(one, {})[other] = _ALL if start is None else Passage(start, end)
                if row.holder == one:
                    held.add((one, other))
    return shared, held


def _among(connection: Connection, ids: set[int]) -> set[IdPair]:
    table = schema.pair
    found: set[IdPair] = set()
    for part in chunks(ids):
        for a, b in connection.execute(select(table.c.a, table.c.b).where(table.c.a.in_(part))):
            if b in ids:
                found.add((a, b))
    return found
