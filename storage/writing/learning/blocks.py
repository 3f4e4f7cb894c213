"""Computes from the sightings of each block which lines of a site are learned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, func, select, update

from pipeline.sites import ArticleLines, restore_learned_lines
from storage import schema
from storage.base import chunks
from storage.database import insert_rows
from storage.writing.learning.evaluation import BlockRows, clutter, evaluate_blocks, learnable_lines_of
from storage.writing.learning.sightings import learned_removals

# With `soon`, a block is learned again once one in this many of its articles has changed. So a new article
# costs the same in a large block as in a small one. docs/tuning.md: Learned lines.
NEARLY = 20

# Number of sites that are learned in one transaction.
_SITES_AT_ONCE = 20

# Blocks with up to this many articles are read together, larger ones one by one.
_SMALL = 500


def learnable_lines(connection: Connection, ids: Iterable[int]) -> dict[int, dict[int, str]]:
    """The learnable lines of articles as if no line had been learned, by article and hash."""
    table = schema.article
    found = {}
    for part in chunks(sorted(set(ids))):
        removed = learned_removals(connection, part)
        for id, text in connection.execute(select(table.c.id, table.c.text).where(table.c.id.in_(part))):
            found[id] = learnable_lines_of(restore_learned_lines(text, removed.get(id, ())))
    return found


def look_at_next(connection: Connection, *, soon: bool) -> list[_Looked] | None:
    """Learns the next sites with a changed block; None if there is none."""
    table = schema.sight_block
    least = table.c.articles if soon else 0
    query = select(table.c.site).where(table.c.changes > 0, table.c.changes * NEARLY > least)
    query = query.distinct().order_by(table.c.site)
    sites = list(connection.execute(query.limit(_SITES_AT_ONCE)).scalars())
    return look_at(connection, sites) if sites else None


@dataclass(frozen=True, slots=True)
class _Looked:
    """How many lines of a site were learned and unlearned."""

    site: str
    learned: int
    unlearned: int


def look_at(connection: Connection, sites: Sequence[str]) -> list[_Looked]:
    """Evaluates the changed blocks of these sites, and deletes empty blocks."""
    block, line = schema.sight_block, schema.learned_line
    blocks = connection.execute(select(block).where(block.c.site.in_(sites))).all()
    rows = rows_of_blocks(connection, [row.id for row in blocks])
    changed = {row.id for row in blocks if row.changes}
    small = [row.id for row in blocks if row.changes and row.articles + row.changes <= _SMALL]
    at_hand = _sightings(connection, small)
    found = []
    other: list[int] = []
    new: list[dict[str, Any]] = []
    for site in sites:
        of_site = {row.id: rows[row.id] for row in blocks if row.site == site}
        now = worked_out(connection, of_site, changed & of_site.keys(), at_hand)
        for id, lines in now.items():
            if lines != rows[id]:
                other.append(id)
                new += lines.values()
        before, after = clutter(of_site), clutter(now)
        found.append(_Looked(site, len(after - before), len(before - after)))
    for part in chunks(other):
        connection.execute(delete(line).where(line.c.block_id.in_(part)))
    insert_rows(connection, line, new)
    table = schema.sighting
    count = select(func.count()).where(table.c.block_id == block.c.id).scalar_subquery()
    for part in chunks(sorted(changed)):
        connection.execute(update(block).where(block.c.id.in_(part)).values(articles=count, changes=0))
        connection.execute(delete(block).where(block.c.id.in_(part), block.c.articles == 0))
    return found


def rows_of_blocks(connection: Connection, blocks: Sequence[int]) -> BlockRows:
    table = schema.learned_line
    rows: BlockRows = {id: {} for id in blocks}
    for part in chunks(blocks):
        for row in connection.execute(select(table).where(table.c.block_id.in_(part))).mappings():
            rows[row["block_id"]][row["hash"]] = dict(row)
    return rows


def worked_out(
    connection: Connection, rows: BlockRows, changed: set[int], at_hand: Mapping[int, list[ArticleLines]]
) -> BlockRows:
    """As `evaluate_blocks`, with what is stored. at_hand: sightings of some of the blocks."""

    def sightings_of(id: int) -> list[ArticleLines]:
        return at_hand[id] if id in at_hand else _sightings(connection, [id])[id]

    return evaluate_blocks(rows, changed, sightings_of, partial(learnable_lines, connection))


def _sightings(connection: Connection, blocks: Sequence[int]) -> dict[int, list[ArticleLines]]:
    """The sightings of these blocks, by article."""
    table = schema.sighting
    found: dict[int, list[ArticleLines]] = {id: [] for id in blocks}
    for part in chunks(blocks):
        query = select(table).where(table.c.block_id.in_(part)).order_by(table.c.article_id)
        for id, block_id, group_id, title, lines in connection.execute(query):
            found[block_id].append(ArticleLines(id, group_id, title, np.frombuffer(lines, dtype="<u4")))
    return found
