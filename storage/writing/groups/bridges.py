"""Keeps which pairs do not join their groups, because a text holds several stories.

`pipeline.copies.bridges` decides it for one text from the pairs of that text and those among the texts that
it holds. So after a batch only the texts with new or deleted pairs, and those that hold one of them, are
decided anew. Most texts hold no other, which a partial index says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, and_, bindparam, select, update

from pipeline import copies
from pipeline.copies import Passage
from storage import schema
from storage.base import chunks
from storage.writing.groups.index import IdPair

# Bits of `pair.cut`: which of the two articles does not let the pair join.
_BY_A, _BY_B = 1, 2

# What a pair that was stored before passages were known shares: it overlaps everything.
_ALL = Passage(0, 1 << 40)


@dataclass(frozen=True, slots=True)
class Rejoined:
    """joined: pairs that join from now on; cut: pairs that do no more."""

    joined: frozenset[IdPair] = frozenset()
    cut: frozenset[IdPair] = frozenset()


def settle_bridges(connection: Connection, touched: Iterable[int]) -> Rejoined:
    """Decides anew which pairs join. touched: articles with new or deleted pairs, as far as they are left."""
    holders = _holders(connection, set(touched))
    if not holders:
        return Rejoined()
    rows = {(row.a, row.b): row for row in _ends(connection, holders, None)}
    shared, held = _shared(rows, holders)
    cut = copies.bridges(shared, held, _among(connection, {other for _, other in held}))
    joined_now: set[IdPair] = set()
    cut_now: set[IdPair] = set()
    changed = []
    for (a, b), row in rows.items():
        bits = row.cut or 0
        for one, other, bit in ((a, b, _BY_A), (b, a, _BY_B)):
            if one in holders:
                bits = bits & ~bit | (bit if (one, other) in cut else 0)
        if bits == (row.cut or 0):
            continue
        changed.append({"at_a": a, "at_b": b, "to_cut": bits or None})
        if not bits:
            joined_now.add((a, b))
        elif not row.cut:
            cut_now.add((a, b))
    if changed:
        table = schema.pair
        here = and_(table.c.a == bindparam("at_a"), table.c.b == bindparam("at_b"))
        connection.execute(update(table).where(here).values(cut=bindparam("to_cut")), changed)
    return Rejoined(frozenset(joined_now), frozenset(cut_now))


def cut_pairs(connection: Connection, ids: Iterable[int]) -> set[IdPair]:
    """The pairs of these articles that do not join."""
    table = schema.pair
    return {(row.a, row.b) for row in _ends(connection, ids, table.c.cut.is_not(None))}


def _holders(connection: Connection, touched: set[int]) -> set[int]:
    """The articles whose pairs have to be decided anew: those touched, and those that hold one of them.

    An article that held another until now has pairs that it cut.
    """
    table = schema.pair
    found = {row.holder for row in _ends(connection, touched, table.c.holder.is_not(None))}
    return found | {id for pair in cut_pairs(connection, touched) for id in pair}


def _ends(
    connection: Connection, ids: Iterable[int], condition: ColumnElement[bool] | None
) -> list[Row[Any]]:
    """The pairs that have one of the articles at either end."""
    table = schema.pair
    columns: list[Column[int]] = [
        table.c[name] for name in ("a", "b", "a_start", "a_end", "b_start", "b_end", "holder", "cut")
    ]
    found: list[Row[Any]] = []
    for part in chunks(ids):
        for end in (table.c.a, table.c.b):
            query = select(*columns).where(end.in_(part))
            found.extend(connection.execute(query if condition is None else query.where(condition)))
    return found


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
