"""Chooses the canonical copy of each group.

A group of any size costs the same: of one that has more copies than `copies.LOOKED_AT`, the earliest are
looked at, which indexes have in this order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, Row, and_, literal, select, text, update

from pipeline import copies
from pipeline.copies import LOOKED_AT, Contender, Cut, Shared
from pipeline.text import is_agency_site
from storage import schema
from storage.base import chunks
from storage.writing.groups.bridges import pairs_at
from storage.writing.groups.index import in_index_order

_Row = Row[*tuple[Any, ...]]


# A condition of the partial indexes: always true, and in no query of a reader.
_OF_THE_INDEXES = text("word_count >= 0")


def choose_canonical(connection: Connection, groups: Collection[int]) -> None:
    """Sets the canonical copy of each group."""
    flagged: set[int] = set()
    chosen: set[int] = set()
    for part in chunks(groups):
        members = _looked_at(connection, part)
        flagged.update(_flagged(connection, part))
        several = [rows for rows in members.values() if len(rows) > 1]
        shared, holders = _shared(connection, several)
        chosen.update(rows[0].id for rows in members.values() if len(rows) == 1)
        for rows in several:
            agencies = {row.agency for row in rows if row.agency}
            contenders = [_contender(row, agencies, holders) for row in rows]
            chosen.add(copies.choose_canonical(contenders, shared))
    table = schema.article
    for part in chunks(flagged - chosen):
        connection.execute(update(table).where(table.c.id.in_(part)).values(is_canonical=False))
    set_canonical(connection, chosen - flagged)


def _contender(row: _Row, agencies: Collection[str], holders: Collection[int]) -> Contender:
    return Contender(
        id=row.id,
        url=row.url,
        site=row.site,
        title=row.title,
        words=row.word_count,
        published_at=row.published_at,
        is_own=is_agency_site(row.site, agencies),
        holds_more=row.id in holders,
    )


def _looked_at(connection: Connection, groups: Collection[int]) -> dict[int, list[_Row]]:
    """The members of each group that may become its canonical copy."""
    table, member = schema.article, schema.article.alias()
    columns = table.c.id, table.c.url, table.c.site, table.c.title, table.c.word_count, table.c.agency
    query = select(*columns, table.c.published_at, table.c.group_id)
    # A group's id is the id of one of its articles.
    beyond = select(literal(1)).where(member.c.group_id == table.c.id).limit(1).offset(LOOKED_AT)
    crowds = set(
        connection.scalars(
            select(table.c.id).where(table.c.id.in_(groups), beyond.scalar_subquery().is_not(None))
        )
    )
    found: dict[int, list[_Row]] = defaultdict(list)
    for row in connection.execute(query.where(table.c.group_id.in_(set(groups) - crowds))):
        found[row.group_id].append(row)
    for crowd in crowds:
        here = query.where(table.c.group_id == crowd, _OF_THE_INDEXES)
        dated = here.where(table.c.published_at.is_not(None)).order_by(table.c.published_at, table.c.url)
        undated = here.where(table.c.published_at.is_(None)).order_by(table.c.first_seen_at, table.c.url)
        with in_index_order(connection):
            for some in (dated, undated):
                found[crowd] += connection.execute(some.limit(LOOKED_AT)).all()
    return found


def _flagged(connection: Connection, groups: Collection[int]) -> Iterable[int]:
    table = schema.article
    return connection.scalars(
        select(table.c.id).where(and_(table.c.group_id.in_(groups), table.c.is_canonical))
    )


def _shared(
    connection: Connection, groups: Iterable[Collection[_Row]]
) -> tuple[dict[int, list[Shared]], set[int]]:
    """What members share with others of their group, by member; and the members that hold a further story."""
    ids = {row.id for rows in groups for row in rows}
    known = {row.id: row for rows in groups for row in rows}
    pairs = {(pair.a, pair.b): pair for pair in pairs_at(connection, ids)}.values()
    table = schema.article
    others = {id for pair in pairs for id in (pair.a, pair.b)} - known.keys()
    columns = table.c.id, table.c.site, table.c.title, table.c.word_count
    for part in chunks(others):
        known.update(
            (row.id, row) for row in connection.execute(select(*columns).where(table.c.id.in_(part)))
        )
    shared: dict[int, list[Shared]] = defaultdict(list)
    holders: set[int] = set()
    for pair in pairs:
        for one, other, start, bit in (
            (pair.a, pair.b, pair.a_start, Cut.BY_A),
            (pair.b, pair.a, pair.b_start, Cut.BY_B),
        ):
            if one in ids and pair.cut is None:
                by = known[other]
                shared[one].append(
                    Shared(by.site, by.title, by.word_count, pair.jaccard, pair.containment, start or 0)
                )
            elif one in ids and pair.cut & bit:
                holders.add(one)
    return shared, holders


def set_canonical(connection: Connection, ids: Iterable[int]) -> None:
    table = schema.article
    for part in chunks(ids):
        connection.execute(
            update(table)
            .where(and_(table.c.id.in_(part), table.c.is_canonical.is_(False)))
            .values(is_canonical=True)
        )
