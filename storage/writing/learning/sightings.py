"""Keeps the sightings, that is the lines of each article, in step with the articles."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, bindparam, delete, func, select, update

from pipeline.sites import (
    LEARNED_RULE,
    LineCodes,
    flag_shared_lines,
    restore_learned_lines,
)
from storage import schema
from storage.base import chunks, counter_value, set_counter
from storage.database import insert_rows
from storage.writing.learning.evaluation import Inspected, inspect_text

# The counter of the last change that learning has seen.
CURSOR = "learned"

# Number of articles whose sightings are renewed in one transaction.
AT_ONCE = 500


def learned_removals(connection: Connection, ids: Sequence[int]) -> dict[int, list[tuple[int, str, str]]]:
    """The learned lines that were removed from articles, by article: (position, text, rule)."""
    table = schema.removal
    found: dict[int, list[tuple[int, str, str]]] = {}
    query = select(table.c.article_id, table.c.position, table.c.text, table.c.rule)
    query = query.where(table.c.article_id.in_(ids), table.c.rule.startswith(LEARNED_RULE, autoescape=True))
    for id, *line in connection.execute(query.order_by(table.c.article_id, table.c.line)):
        found.setdefault(id, []).append((line[0], line[1], line[2]))
    return found


@dataclass(slots=True)
class _Sighted:
    """A sighting as it should be stored. was: the stored row; None if there is none."""

    article_id: int
    block_id: int
    site: str
    group_id: int
    title: int
    lines: LineCodes
    was: Row[Any] | None

    @property
    def values(self) -> dict[str, Any]:
        return {
            "article_id": self.article_id,
            "block_id": self.block_id,
            "group_id": self.group_id,
            "title": self.title,
            "lines": self.lines.astype("<u4").tobytes(),
        }

    @property
    def is_other(self) -> bool:
        return self.was is None or dict(self.was._mapping) != self.values


def renew_next(connection: Connection) -> int:
    """Renews the sightings of the next articles that changed; returns the number of these articles."""
    change = schema.change
    query = select(change.c.article_id, change.c.number).where(change.c.number > cursor(connection))
    rows = connection.execute(query.order_by(change.c.number).limit(AT_ONCE)).all()
    if rows:
        renew(connection, [row.article_id for row in rows])
        set_counter(connection, CURSOR, rows[-1].number)
    return len(rows)


def cursor(connection: Connection) -> int:
    return counter_value(connection, CURSOR)


def renew(connection: Connection, ids: Sequence[int]) -> list[str]:
    """Brings the sightings of these articles up to date, and marks the blocks that change.

    Lines that copies share are marked in each of them. So all groups that the articles are in, or were in,
    are read. Returns the sites whose blocks are marked.
    """
    stored = stored_sightings(connection, ids)
    sighted = {row.article_id: row for row in _sighted(connection, ids, stored)}
    groups = {row.group_id for row in stored.values()} | {one.group_id for one in sighted.values()}
    members = _members(connection, groups)
    for id, was in stored_sightings(connection, [id for id in members if id not in sighted]).items():
        lines: LineCodes = np.frombuffer(was.lines, dtype="<u4").astype(np.uint32)
        site, group_id = members[id]
        sighted[id] = _Sighted(id, was.block_id, site, group_id, was.title, lines, was)
    by_group: dict[int, list[_Sighted]] = defaultdict(list)
    for one in sighted.values():
        by_group[one.group_id].append(one)
    for group in by_group.values():
        marked = flag_shared_lines([(one.site, one.lines) for one in group])
        for one, lines in zip(group, marked, strict=True):
            one.lines = lines
    new = [one for one in sighted.values() if one.is_other]
    old = [one.was for one in new if one.was is not None]
    old += [row for id, row in stored.items() if id not in sighted]
    table, block = schema.sighting, schema.sight_block
    for part in chunks(row.article_id for row in old):
        connection.execute(delete(table).where(table.c.article_id.in_(part)))
    insert_rows(connection, table, [one.values for one in sorted(new, key=lambda one: one.article_id)])
    sites: set[str] = set()
    changes = Counter(one.block_id for one in new)
    changes.update(row.block_id for row in old if sighted.get(row.article_id, row).block_id != row.block_id)
    changes.update(row.block_id for row in old if row.article_id not in sighted)
    if changes:
        more = update(block).where(block.c.id == bindparam("at_id"))
        connection.execute(
            more.values(changes=block.c.changes + bindparam("more")),
            [{"at_id": id, "more": count} for id, count in sorted(changes.items())],
        )
    for part in chunks(changes):
        sites.update(connection.execute(select(block.c.site).where(block.c.id.in_(part))).scalars())
    return sorted(sites)


def stored_sightings(connection: Connection, ids: Iterable[int]) -> dict[int, Row[Any]]:
    table = schema.sighting
    return {
        row.article_id: row
        for part in chunks(ids)
        for row in connection.execute(select(table).where(table.c.article_id.in_(part)))
    }


def _sighted(connection: Connection, ids: Iterable[int], stored: dict[int, Row[Any]]) -> list[_Sighted]:
    """The sightings of those articles that are stored, without marks of shared lines."""
    found = list(inspect_articles(connection, ids))
    blocks = _blocks(connection, {one.block for one in found})
    return [
        _Sighted(
            one.id, blocks[one.block], one.block[0], one.group_id, one.title, one.lines, stored.get(one.id)
        )
        for one in found
    ]


def inspect_articles(connection: Connection, ids: Iterable[int]) -> Iterator[Inspected]:
    table = schema.article
    columns = (table.c.id, table.c.site, table.c.group_id, table.c.title, table.c.text, table.c.first_seen_at)
    for part in chunks(ids):
        removed = learned_removals(connection, part)
        query = select(*columns).where(table.c.id.in_(part), table.c.site != "")
        for id, site, group_id, title, text, first_seen_at in connection.execute(query):
            lines = restore_learned_lines(text, removed.get(id, ()))
            yield inspect_text(id, site, group_id, title, first_seen_at, lines)


def _blocks(connection: Connection, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """The ids of these blocks, by site and quarter; missing blocks are made."""
    table = schema.sight_block
    found: dict[tuple[str, int], int] = {}
    for part in chunks(sorted({site for site, _ in wanted})):
        for row in connection.execute(select(table).where(table.c.site.in_(part))):
            found[row.site, row.quarter] = row.id
    if new := sorted(set(wanted) - found.keys()):
        last = connection.scalar(select(func.max(table.c.id))) or 0
        made = dict(zip(new, range(last + 1, last + 1 + len(new)), strict=True))
        rows = [
            {"id": id, "site": site, "quarter": quarter, "articles": 0, "changes": 0}
            for (site, quarter), id in made.items()
        ]
        insert_rows(connection, table, rows)
        found.update(made)
    return found


def _members(connection: Connection, groups: Iterable[int]) -> dict[int, tuple[str, int]]:
    """The articles of these groups: site and group by id."""
    table = schema.article
    return {
        row.id: (row.site, row.group_id)
        for part in chunks(sorted(groups))
        for row in connection.execute(
            select(table.c.id, table.c.site, table.c.group_id).where(table.c.group_id.in_(part))
        )
    }
