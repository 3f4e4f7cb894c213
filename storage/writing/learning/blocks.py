"""Computes from the sightings of each block which lines of a site are learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, func, select, update

from pipeline.sites import (
    ArticleLines,
    RepeatedLine,
    find_repeated_lines,
    is_learnable,
    line_hash,
    restore_learned_lines,
    short_line_hash,
)
from pipeline.text import words_key
from storage import schema
from storage.base import chunks
from storage.database import insert_rows
from storage.writing.learning.sightings import learned_removals

# With `soon`, a block is learned again once one in this many of its articles has changed. So a new article
# costs the same in a large block as in a small one. docs/tuning.md: Learned lines.
NEARLY = 20

# Number of sites that are learned in one transaction.
_SITES_AT_ONCE = 20

# Blocks with up to this many articles are read together, larger ones one by one.
_SMALL = 500

# Most articles that are read to find the full hash of a line. Sightings keep 29 bits, which rarely collide.
_ASKED = 3


def learnable_lines(connection: Connection, ids: Iterable[int]) -> dict[int, dict[int, str]]:
    """The learnable lines of articles as if no line had been learned, by article and hash."""
    table = schema.article
    found = {}
    for part in chunks(sorted(set(ids))):
        removed = learned_removals(connection, part)
        for id, text in connection.execute(select(table.c.id, table.c.text).where(table.c.id.in_(part))):
            lines = {
                words_key(line): line for line in reversed(restore_learned_lines(text, removed.get(id, ())))
            }
            found[id] = {line_hash(fold): line for fold, line in lines.items() if is_learnable(fold)}
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
        before, after = _clutter(of_site), _clutter(now)
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


BlockRows = dict[int, dict[int, dict[str, Any]]]


def rows_of_blocks(connection: Connection, blocks: Sequence[int]) -> BlockRows:
    table = schema.learned_line
    rows: BlockRows = {id: {} for id in blocks}
    for part in chunks(blocks):
        for row in connection.execute(select(table).where(table.c.block_id.in_(part))).mappings():
            rows[row["block_id"]][row["hash"]] = dict(row)
    return rows


def _clutter(rows: BlockRows) -> set[int]:
    """The learned lines of a site. rows: its rows of `learned_line`, by block and hash."""
    shared = {hash for said in rows.values() for hash, row in said.items() if row["is_shared"]}
    return _furniture(rows) - shared


def worked_out(
    connection: Connection, rows: BlockRows, changed: set[int], at_hand: Mapping[int, list[ArticleLines]]
) -> BlockRows:
    """The rows of `learned_line` after the changed blocks were evaluated.

    The other blocks are evaluated for the lines that are new, because they may have come with a story there.
    at_hand: sightings of some of the blocks.
    """
    rows = dict(rows)
    known = _furniture(rows)
    todo = set(changed)
    while todo:
        id = min(todo)
        todo.discard(id)
        sightings = at_hand[id] if id in at_hand else _sightings(connection, [id])[id]
        rows[id] = _evidence_rows(connection, id, sightings, known)
        new = _furniture({id: rows[id]}) - known
        if new:
            known |= new
            todo |= rows.keys() - {id}
    known = _furniture(rows)
    return {id: {hash: row for hash, row in said.items() if hash in known} for id, said in rows.items()}


def _furniture(rows: BlockRows) -> set[int]:
    """The lines that some block shows to belong to the page and not to its stories."""
    return {hash for said in rows.values() for hash, row in said.items() if row["stories"]}


def _sightings(connection: Connection, blocks: Sequence[int]) -> dict[int, list[ArticleLines]]:
    """The sightings of these blocks, by article."""
    table = schema.sighting
    found: dict[int, list[ArticleLines]] = {id: [] for id in blocks}
    for part in chunks(blocks):
        query = select(table).where(table.c.block_id.in_(part)).order_by(table.c.article_id)
        for id, block_id, group_id, title, lines in connection.execute(query):
            found[block_id].append(ArticleLines(id, group_id, title, np.frombuffer(lines, dtype="<u4")))
    return found


def _evidence_rows(
    connection: Connection, block_id: int, sightings: Sequence[ArticleLines], known: set[int]
) -> dict[int, dict[str, Any]]:
    """What a block says about lines, as rows of `learned_line` by hash. known: learned lines of the site."""
    of_short = {short_line_hash(hash): hash for hash in sorted(known)}
    seen = find_repeated_lines(sightings, of_short.keys())
    hashes = _hashes(connection, {key: one for key, one in seen.items() if key not in of_short})
    rows = {}
    for key, one in seen.items():
        hash = of_short.get(key, hashes.get(key))
        if hash is not None:
            rows[hash] = {
                "block_id": block_id,
                "hash": hash,
                "stories": one.stories,
                "is_shared": one.is_shared,
                "example": one.bearers[0],
            }
    return rows


def _hashes(connection: Connection, seen: dict[int, RepeatedLine]) -> dict[int, int]:
    """The full hashes of lines by their short ones: those that most of some articles with the line have."""
    asked = {key: _some_bearers(one.bearers) for key, one in seen.items()}
    texts = learnable_lines(connection, (id for ids in asked.values() for id in ids))
    found: dict[int, int] = {}
    for key, ids in asked.items():
        said = Counter(hash for id in ids for hash in texts.get(id, ()) if short_line_hash(hash) == key)
        if said:
            found[key] = min(said, key=lambda hash: (-said[hash], hash))
    return found


def _some_bearers(bearers: Sequence[int]) -> set[int]:
    step = max(1, (len(bearers) - 1) // (_ASKED - 1))
    return set(bearers[::step][:_ASKED])
