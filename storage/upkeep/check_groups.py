"""Checks of pairs, of which of them join, of groups and of canonical copies."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby, islice
from operator import itemgetter

from sqlalchemy import Connection, Engine, bindparam, delete, text

from pipeline import copies
from storage import schema
from storage.base import chunks
from storage.database import in_transaction
from storage.upkeep.checks import stream_rows
from storage.writing import groups

# Groups and rows that are repaired in one transaction.
AT_ONCE = 200

_CANONICAL_COPIES = text(
    """
    SELECT group_id, count(CASE WHEN is_canonical THEN 1 END) AS canonical FROM article
    GROUP BY group_id HAVING count(CASE WHEN is_canonical THEN 1 END) <> 1 ORDER BY group_id
    """
)

_MISNAMED_GROUPS = text(
    """
    SELECT id, group_id FROM article
    WHERE id < group_id OR (id <> group_id AND NOT EXISTS (
        SELECT 1 FROM article AS first WHERE first.id = article.group_id AND first.group_id = first.id))
    """
)

_MEMBERS = text("SELECT group_id, id FROM article WHERE group_id <> id ORDER BY group_id, id")

_PAIRED = text(
    """
    SELECT one.group_id AS one_group, other.group_id AS other_group, pair.a, pair.b
    FROM pair JOIN article AS one ON one.id = pair.a JOIN article AS other ON other.id = pair.b
    WHERE pair.cut IS NULL
    ORDER BY one.group_id
    """
)

# The articles that may hold several stories, or are said to.
_HOLDERS = text(
    """
    SELECT holder FROM pair WHERE holder IS NOT NULL
    UNION SELECT a FROM pair WHERE cut IS NOT NULL
    UNION SELECT b FROM pair WHERE cut IS NOT NULL
    """
)

_WRONG_PAIRS = text(
    """
    SELECT a, b FROM pair WHERE a >= b OR kind NOT IN ('exact', 'near', 'partial')
    OR NOT (jaccard BETWEEN 0 AND 1 AND containment BETWEEN 0 AND 1)
    """
)


def find_wrong_pairs(connection: Connection) -> Iterator[str]:
    for row in stream_rows(connection, _WRONG_PAIRS):
        yield f"pair {row.a}, {row.b}: not in order, or of no known kind or measure"


def drop_wrong_pairs(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        wrong = [{"at_a": row.a, "at_b": row.b} for row in connection.execute(_WRONG_PAIRS)]
        if wrong:
            table = schema.pair
            these = delete(table).where(table.c.a == bindparam("at_a"), table.c.b == bindparam("at_b"))
            connection.execute(these, wrong)
        return len(wrong)

    return in_transaction(engine, work)


def find_wrong_cuts(connection: Connection) -> Iterator[str]:
    for a, b in _wrong_cuts(connection):
        yield f"pair {a}, {b}: whether it joins is not what the stories make of it that {a} or {b} holds"


def _wrong_cuts(connection: Connection) -> Iterator[tuple[int, int]]:
    ids = (row.holder for row in stream_rows(connection, _HOLDERS))
    while some := list(islice(ids, AT_ONCE)):
        yield from groups.wrong_cuts(connection, some)


def mend_cuts(engine: Engine) -> int:
    """Decides anew which pairs join, and rebuilds the groups of those that were wrong."""
    with engine.connect() as connection:
        wrong = sorted(set(_wrong_cuts(connection)))
    for part in chunks(wrong, AT_ONCE):
        ids = sorted({id for pair in part for id in pair})
        in_transaction(engine, partial(groups.rebuild_groups, ids=ids))
    return len(wrong)


def find_wrong_canonical(connection: Connection) -> Iterator[str]:
    for row in stream_rows(connection, _CANONICAL_COPIES):
        yield f"group {row.group_id}: {row.canonical} canonical copies"


def find_wrong_groups(connection: Connection) -> Iterator[str]:
    for _, line in _wrong_groups(connection):
        yield line


def _wrong_groups(connection: Connection) -> Iterator[tuple[set[int], str]]:
    """Groups that differ from what the pairs make of them: the ids concerned, and what is wrong.

    Members and pairs come side by side in the order of their groups, so one group is in memory at a time.
    """
    for row in stream_rows(connection, _MISNAMED_GROUPS):
        yield (
            {row.group_id, row.id},
            f"article {row.id}: its group {row.group_id} is not that of a smallest id",
        )
    members = groupby(stream_rows(connection, _MEMBERS), key=itemgetter(0))
    pairs = groupby(stream_rows(connection, _PAIRED), key=itemgetter(0))
    group_id, others = next(members, (None, iter(())))
    paired_id, paired = next(pairs, (None, iter(())))
    while group_id is not None or paired_id is not None:
        here = min(id for id in (group_id, paired_id) if id is not None)
        nodes, edges = {here}, []
        if group_id == here:
            nodes.update(row.id for row in others)
            group_id, others = next(members, (None, iter(())))
        if paired_id == here:
            for row in paired:
                if row.other_group == here:
                    edges.append((row.a, row.b))
                else:
                    which = {here, row.other_group}
                    yield which, f"pair {row.a}, {row.b}: of two groups, {here} and {row.other_group}"
            paired_id, paired = next(pairs, (None, iter(())))
        inside = [edge for edge in edges if nodes.issuperset(edge)]
        parts = sum(1 for _ in copies.components(nodes, inside))
        if parts > 1:
            yield {here}, f"group {here}: its pairs hold it together in {parts} parts"


def mend_groups(engine: Engine) -> int:
    """Rebuilds groups from the pairs if an id, a member or a canonical copy is wrong."""
    with engine.connect() as connection:
        dirty = {id for ids, _ in _wrong_groups(connection) for id in ids}
        dirty.update(row.group_id for row in stream_rows(connection, _CANONICAL_COPIES))
    done = 0
    for part in chunks(sorted(dirty), AT_ONCE):
        done += in_transaction(engine, partial(groups.rebuild_groups, ids=part))
    return done
