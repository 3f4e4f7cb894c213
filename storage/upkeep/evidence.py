"""Why two articles are copies, or why not: the index, the comparison of their texts, and the groups."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, or_, select

from pipeline import copies
from pipeline.copies import ArticleCopy, Judgement
from pipeline.settings import Settings
from storage import schema
from storage.base import chunks
from storage.reader import Copy, group, members
from storage.reader import copies as copies_of
from storage.writing import groups


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """Two articles, and what speaks for and against their being copies.

    group_id, other_group_id: their groups. stated: one says by its canonical link that it is a copy of the
    other, so they are compared whatever the index says. shared: what they share in the index; None if one of
    them is not in it. judgement: the comparison of their texts, whether or not they are candidates.
    stored: the verified pair, if it is one. path: ids from one to the other by the pairs that join their
    group, both included; empty if they are in different groups.
    """

    article_id: int
    other_id: int
    group_id: int
    other_group_id: int
    stated: bool
    shared: groups.SharedBands | None
    judgement: Judgement
    stored: Copy | None
    path: tuple[int, ...] = ()

    @property
    def is_candidate(self) -> bool:
        return self.stated or (self.shared is not None and self.shared.is_candidate)


def explain_pair(engine: Engine, one: int, other: int, settings: Settings) -> PairEvidence | None:
    """None if one of the articles is not there."""
    with engine.connect() as connection:
        return _explain(engine, connection, (min(one, other), max(one, other)), settings)


def explain_group(engine: Engine, group_id: int, settings: Settings) -> Iterator[PairEvidence]:
    """Every verified pair of a group, with what made it one."""
    found = {
        (pair.article_id, pair.other_id)
        for member in (members(engine, group_id) if group(engine, group_id) else ())
        for pair in copies_of(engine, member.id)
    }
    with engine.connect() as connection:
        for pair in sorted(found):
            evidence = _explain(engine, connection, pair, settings)
            if evidence is not None:
                yield evidence


def _explain(
    engine: Engine, connection: Connection, pair: tuple[int, int], settings: Settings
) -> PairEvidence | None:
    table = schema.article
    columns = (
        *(table.c.id, table.c.url, table.c.title, table.c.text, table.c.first_seen_at, table.c.published_at),
        *(table.c.language, table.c.agency, table.c.site),
    )
    query = select(*columns, table.c.syndicated_from, table.c.group_id).where(table.c.id.in_(pair))
    rows = {row.id: row for row in connection.execute(query)}
    if len(rows) < 2:
        return None
    one, other = rows[pair[0]], rows[pair[1]]
    prepared = [
        copies.prepare(ArticleCopy(*row[: len(columns)]), settings.fingerprint) for row in (one, other)
    ]
    stored = [c for c in copies_of(engine, one.id) if (c.article_id, c.other_id) == pair]
    return PairEvidence(
        article_id=one.id,
        other_id=other.id,
        group_id=one.group_id,
        other_group_id=other.group_id,
        stated=one.url == other.syndicated_from or other.url == one.syndicated_from,
        shared=groups.shared_bands(connection, pair, settings),
        judgement=copies.judge(prepared[0], prepared[1], settings.group),
        stored=stored[0] if stored else None,
        path=_path(connection, pair) if one.group_id == other.group_id else (),
    )


def _path(connection: Connection, pair: tuple[int, int]) -> tuple[int, ...]:
    """The shortest way from one article to the other by pairs that join, both included."""
    table = schema.pair
    came_from: dict[int, int] = {pair[0]: pair[0]}
    fresh = deque([pair[0]])
    while fresh and pair[1] not in came_from:
        level, fresh = sorted(fresh), deque()
        for part in chunks(level):
            joining = or_(table.c.a.in_(part), table.c.b.in_(part)), table.c.cut.is_(None)
            pairs = select(table.c.a, table.c.b).where(*joining).order_by(table.c.a, table.c.b)
            for a, b in connection.execute(pairs):
                for known, new in ((a, b), (b, a)):
                    if known in level and new not in came_from:
                        came_from[new] = known
                        fresh.append(new)
    if pair[1] not in came_from:
        return ()
    way = [pair[1]]
    while way[-1] != pair[0]:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))
