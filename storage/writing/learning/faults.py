"""Checks whether the learned lines follow from the articles, and learns everything again as a repair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, Row, delete, select

from pipeline.sites import (
    without_shared_flags,
)
from storage import schema
from storage.base import set_counter
from storage.database import in_transaction
from storage.writing.learning.blocks import rows_of_blocks, worked_out
from storage.writing.learning.evaluation import Inspected
from storage.writing.learning.lessons import learn
from storage.writing.learning.sightings import (
    AT_ONCE,
    CURSOR,
    cursor,
    inspect_articles,
    stored_sightings,
)


def find_learning_faults(connection: Connection) -> Iterator[str]:
    """Yields a message for each row that does not follow from the articles that were read."""
    change, sighting, block, line = schema.change, schema.sighting, schema.sight_block, schema.learned_line
    done = cursor(connection)
    blocks = {row.id: (row.site, row.quarter) for row in connection.execute(select(block))}
    noted = select(change.c.article_id).where(change.c.number <= done)
    last = 0
    while ids := list(
        connection.execute(
            noted.where(change.c.article_id > last).order_by(change.c.article_id).limit(AT_ONCE)
        ).scalars()
    ):
        stored = stored_sightings(connection, ids)
        found = {one.id: one for one in inspect_articles(connection, ids)}
        for id in ids:
            row, one = stored.get(id), found.get(id)
            if one is None and row is not None:
                yield f"article {id}: its lines are kept, and it is gone"
            elif one is not None and (row is None or not _is_as_inspected(row, one, blocks)):
                yield f"article {id}: its lines are kept otherwise, or not at all"
        last = ids[-1]
    used = set(connection.execute(select(sighting.c.block_id).distinct()).scalars())
    for id in sorted(blocks.keys() ^ used):
        yield f"block {id} of lines: {'no article is in it' if id in blocks else 'there is none'}"
    for (id,) in connection.execute(
        select(line.c.block_id).where(line.c.block_id.not_in(select(block.c.id)))
    ):
        yield f"block {id} of lines: a line was learned from it, and there is none"
    changed = set(connection.execute(select(block.c.site).where(block.c.changes > 0)).scalars())
    for site in sorted({site for site, _ in blocks.values()} - changed):
        rows = rows_of_blocks(connection, [id for id, (of, _) in blocks.items() if of == site])
        if worked_out(connection, rows, set(rows), {}) != rows:
            yield f"{site}: other lines were learned than its articles show"


def learn_anew(engine: Engine) -> int:
    """Deletes all that was learned and learns it again; returns how many things were wrong."""

    def drop(connection: Connection) -> int:
        wrong = sum(1 for _ in find_learning_faults(connection))
        for table in (schema.learned_line, schema.sighting, schema.sight_block):
            connection.execute(delete(table))
        set_counter(connection, CURSOR, 0)
        return wrong

    wrong = in_transaction(engine, drop)
    learn(engine)
    return wrong


def _is_as_inspected(row: Row[Any], one: Inspected, blocks: dict[int, tuple[str, int]]) -> bool:
    lines = without_shared_flags(np.frombuffer(row.lines, dtype="<u4"))
    said = (blocks.get(row.block_id), row.group_id, row.title)
    return said == (one.block, one.group_id, one.title) and np.array_equal(lines, one.lines)
