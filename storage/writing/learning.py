"""Learns from what is stored which lines a site prints under any story, as articles come, change and go.

Three tables, none with a text in it:

    sighting      the lines of each article, four bytes each, and what tells which articles are one story
    sight_block   a quarter of a year of a site, by when its articles were first fetched: what is looked at
                  together
    learned_line  what each block says of a line: how many stories have it, and whether it came with one

`learn` reads from `change` which articles are new, other or gone since the last time, renews their
sightings, and looks at the blocks that are not what they were (`changes`). Sightings are of the lines as
they would be had nothing been learned (`pipeline.sites.learned_lines.lines_as_found`), what a block says
follows from its sightings, and what is known of a site from its blocks: a line is learned where one of them
shows it to be furniture and in none it came with a story. So it is the same in whatever order, batches or
processes articles came, and the same as if all were counted anew. Each step is a transaction that leaves the
rest to do: a kill costs nothing.

One thing comes back: texts are grouped without the lines that were taken out, and groups say what is one
story. Two articles that share a line are less alike without it, so its own removal joins them only through a
third text. Should that take the line below what it needs, it is restored by the next reprocessing; nothing
reprocesses unasked.

Articles without a site (files that name no URL) are not looked at. An article takes 4 bytes a line and 25
more on SQLite (105 with 20 lines, 170 with 36), and 0.6 to 1.1 ms of processor time in a run, 3 to 4 % of
what its page costs (80 news pages of 60 sites, 97 of ten).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from sqlalchemy import Connection, Engine, Row, bindparam, delete, func, select, update

from pipeline.sites import (
    LEARNED_RULE,
    ArticleLines,
    LearnedLines,
    LineCodes,
    RepeatedLine,
    find_repeated_lines,
    flag_shared_lines,
    is_learnable,
    line_codes,
    line_hash,
    restore_learned_lines,
    short_line_hash,
    title_key,
    without_shared_flags,
)
from pipeline.text import words_key
from storage import schema
from storage.database import begin_write, in_transaction, insert_rows
from storage.writing.revisions import chunks, set_counter

if TYPE_CHECKING:
    from pipeline.settings import Settings

T = TypeVar("T")

# The counter that tells up to which change articles were looked at.
CURSOR = "learned"
# Articles whose sightings are renewed in one transaction.
_AT_ONCE = 500
# A block is nearly what it was while one article in so many is another than at the last look. A look costs 24
# microseconds for each article of the block, so each new one costs half a millisecond, however many there
# are, and a block of a thousand says the same of a line with fifty more.
NEARLY = 20
# Sites that are looked at in one transaction.
_SITES_AT_ONCE = 20
# Blocks of so many articles are read together, larger ones each when its turn comes.
_SMALL = 500
# Articles that are asked what a line says of which they keep 29 bits: of some thousand lines one is another.
_ASKED = 3


@dataclass(frozen=True, slots=True)
class SiteLine:
    """A learned line. stories: that it was seen in. text: as it stands in the article `example`, whether it
    was taken out there or not.
    """

    site: str
    stories: int
    text: str
    example: int


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a call of `learn` made other. articles: how many were looked at. learned, unlearned: how many
    lines of which site are clutter now, and are no more.
    """

    articles: int
    learned: dict[str, int]
    unlearned: dict[str, int]

    @property
    def sites(self) -> list[str]:
        """The sites of whose pages other lines would be taken out now."""
        return sorted(self.learned.keys() | self.unlearned.keys())


def with_learned(engine: Engine, settings: Settings) -> Settings:
    """The settings with what was learned of the sites of this base."""
    with engine.connect() as connection:
        learned = _learned(connection)
    return replace(settings, site_rules=replace(settings.site_rules, learned=learned))


def learn(engine: Engine, *, soon: bool = False) -> Lesson:
    """Takes note of all that is new, other or gone, and of what follows from it.

    soon: blocks that are nearly what they were (see `NEARLY`) wait for another time, so that a run which
    brings a few articles does not read thousands. Where it is interrupted, what was committed stays and the
    next call goes on. Raises DatabaseError.
    """

    def run(step: Callable[[Connection], T]) -> T:
        return in_transaction(engine, step)

    return _learn(run, soon)


class _Run(Protocol):
    """Calls a step of the work with a connection."""

    def __call__(self, step: Callable[[Connection], T], /) -> T: ...


def _learn(run: _Run, soon: bool = False) -> Lesson:
    articles = 0
    while count := run(_take_note):
        articles += count
    learned: dict[str, int] = {}
    unlearned: dict[str, int] = {}
    while (looked := run(partial(_look_at_next, soon=soon))) is not None:
        learned.update({one.site: one.learned for one in looked if one.learned})
        unlearned.update({one.site: one.unlearned for one in looked if one.unlearned})
    return Lesson(articles, learned, unlearned)


def site_lines(engine: Engine, site: str | None = None) -> list[SiteLine]:
    """The learned lines with their words, of one site or of all; by site, the most frequent first."""
    with engine.connect() as connection:
        return _site_lines(connection, site)


def try_learning(engine: Engine, site: str | None = None) -> tuple[Lesson, list[SiteLine]]:
    """What `learn` would make other, and the lines that were learned then; nothing of it stays.

    It is one transaction of a writer, so others wait until it has ended.
    """
    with begin_write(engine) as connection:

        def run(step: Callable[[Connection], T]) -> T:
            return step(connection)

        lesson = _learn(run)
        lines = _site_lines(connection, site)
        connection.rollback()
    return lesson, lines


def forget(connection: Connection, ids: Sequence[int]) -> None:
    """Drops what is kept of articles that are gone since a moment ago, and looks at their sites again."""
    for part in chunks(ids, _AT_ONCE):
        if sites := _renew(connection, part):
            _look_at(connection, sites)


def check(connection: Connection) -> Iterator[str]:
    """A line for each thing that is not as it follows from the articles that were taken note of."""
    change, sighting, block, line = schema.change, schema.sighting, schema.sight_block, schema.learned_line
    done = _cursor(connection)
    blocks = {row.id: (row.site, row.quarter) for row in connection.execute(select(block))}
    noted = select(change.c.article_id).where(change.c.number <= done)
    last = 0
    while ids := list(
        connection.execute(
            noted.where(change.c.article_id > last).order_by(change.c.article_id).limit(_AT_ONCE)
        ).scalars()
    ):
        stored = _stored(connection, ids)
        found = {one.id: one for one in _looked_through(connection, ids)}
        for id in ids:
            row, one = stored.get(id), found.get(id)
            if one is None and row is not None:
                yield f"article {id}: its lines are kept, and it is gone"
            elif one is not None and (row is None or not _is_of(row, one, blocks)):
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
        rows = _rows(connection, [id for id, (of, _) in blocks.items() if of == site])
        if _worked_out(connection, rows, set(rows), {}) != rows:
            yield f"{site}: other lines were learned than its articles show"


def start_anew(engine: Engine) -> int:
    """Drops all that was learned and learns it again; returns how much was wrong with it."""

    def drop(connection: Connection) -> int:
        wrong = sum(1 for _ in check(connection))
        for table in (schema.learned_line, schema.sighting, schema.sight_block):
            connection.execute(delete(table))
        set_counter(connection, CURSOR, 0)
        return wrong

    wrong = in_transaction(engine, drop)
    learn(engine)
    return wrong


def _is_of(row: Row[Any], one: _LookedThrough, blocks: dict[int, tuple[str, int]]) -> bool:
    lines = without_shared_flags(np.frombuffer(row.lines, dtype="<u4"))
    said = (blocks.get(row.block_id), row.group_id, row.title)
    return said == (one.block, one.group_id, one.title) and np.array_equal(lines, one.lines)


def _learned(connection: Connection, site: str | None = None) -> tuple[LearnedLines, ...]:
    line, block = schema.learned_line, schema.sight_block
    query = select(block.c.site, line.c.hash, line.c.stories, line.c.is_shared)
    query = query.join(block, block.c.id == line.c.block_id)
    if site is not None:
        query = query.where(block.c.site == site)
    stories: dict[str, Counter[int]] = defaultdict(Counter)
    shared: set[tuple[str, int]] = set()
    for row in connection.execute(query):
        stories[row.site][row.hash] += row.stories
        if row.is_shared:
            shared.add((row.site, row.hash))
    found = []
    for name, counts in sorted(stories.items()):
        lines = sorted((hash, n) for hash, n in counts.items() if n and (name, hash) not in shared)
        if lines:
            found.append(LearnedLines(name, tuple(lines)))
    return tuple(found)


def _site_lines(connection: Connection, site: str | None) -> list[SiteLine]:
    line, block = schema.learned_line, schema.sight_block
    found = []
    for learned in _learned(connection, site):
        query = select(line.c.hash, line.c.example).join(block, block.c.id == line.c.block_id)
        query = query.where(block.c.site == learned.site, line.c.stories > 0).order_by(block.c.quarter)
        # The last block's: what the line looks like today.
        examples = {row.hash: row.example for row in connection.execute(query)}
        texts = _texts(connection, [examples[hash] for hash, _ in learned.lines])
        for hash, stories in learned.lines:
            example = examples[hash]
            found.append(SiteLine(learned.site, stories, texts.get(example, {}).get(hash, ""), example))
    return sorted(found, key=lambda one: (one.site, -one.stories, one.text))


def _texts(connection: Connection, ids: Iterable[int]) -> dict[int, dict[int, str]]:
    """The learnable lines of articles, as they would be had none been learned, by article and hash."""
    table = schema.article
    found = {}
    for part in chunks(sorted(set(ids))):
        removed = _removed(connection, part)
        for id, text in connection.execute(select(table.c.id, table.c.text).where(table.c.id.in_(part))):
            lines = {
                words_key(line): line for line in reversed(restore_learned_lines(text, removed.get(id, ())))
            }
            found[id] = {line_hash(fold): line for fold, line in lines.items() if is_learnable(fold)}
    return found


def _removed(connection: Connection, ids: Sequence[int]) -> dict[int, list[tuple[int, str, str]]]:
    """The learned lines that were taken out of articles, by article: (position, text, rule)."""
    table = schema.removal
    found: dict[int, list[tuple[int, str, str]]] = {}
    query = select(table.c.article_id, table.c.position, table.c.text, table.c.rule)
    query = query.where(table.c.article_id.in_(ids), table.c.rule.startswith(LEARNED_RULE, autoescape=True))
    for id, *line in connection.execute(query.order_by(table.c.article_id, table.c.line)):
        found.setdefault(id, []).append((line[0], line[1], line[2]))
    return found


# --- sightings ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Sighted:
    """A sighting as it should be stored, and as it is: None where there is none."""

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


def _take_note(connection: Connection) -> int:
    """Renews the sightings of the next articles that changed; returns how many those are."""
    change = schema.change
    query = select(change.c.article_id, change.c.number).where(change.c.number > _cursor(connection))
    rows = connection.execute(query.order_by(change.c.number).limit(_AT_ONCE)).all()
    if rows:
        _renew(connection, [row.article_id for row in rows])
        set_counter(connection, CURSOR, rows[-1].number)
    return len(rows)


def _cursor(connection: Connection) -> int:
    table = schema.counter
    return connection.scalar(select(table.c.value).where(table.c.name == CURSOR)) or 0


def _renew(connection: Connection, ids: Sequence[int]) -> list[str]:
    """Makes the sightings of these articles what they should be, and marks the blocks that are others by it.

    What copies share is marked in each of them, so the groups that the articles are in, or were in, are gone
    through. Returns the sites whose blocks are marked.
    """
    stored = _stored(connection, ids)
    sighted = {row.article_id: row for row in _sighted(connection, ids, stored)}
    groups = {row.group_id for row in stored.values()} | {one.group_id for one in sighted.values()}
    members = _members(connection, groups)
    for id, was in _stored(connection, [id for id in members if id not in sighted]).items():
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


def _stored(connection: Connection, ids: Iterable[int]) -> dict[int, Row[Any]]:
    table = schema.sighting
    return {
        row.article_id: row
        for part in chunks(ids)
        for row in connection.execute(select(table).where(table.c.article_id.in_(part)))
    }


def _sighted(connection: Connection, ids: Iterable[int], stored: dict[int, Row[Any]]) -> list[_Sighted]:
    """The sightings of those of the articles that are there, nothing marked as shared."""
    found = list(_looked_through(connection, ids))
    blocks = _blocks(connection, {one.block for one in found})
    return [
        _Sighted(
            one.id, blocks[one.block], one.block[0], one.group_id, one.title, one.lines, stored.get(one.id)
        )
        for one in found
    ]


@dataclass(frozen=True, slots=True)
class _LookedThrough:
    """What an article says of itself. block: site and quarter. lines: none is marked as shared."""

    id: int
    block: tuple[str, int]
    group_id: int
    title: int
    lines: LineCodes


def _looked_through(connection: Connection, ids: Iterable[int]) -> Iterator[_LookedThrough]:
    table = schema.article
    columns = (table.c.id, table.c.site, table.c.group_id, table.c.title, table.c.text, table.c.first_seen_at)
    for part in chunks(ids):
        removed = _removed(connection, part)
        query = select(*columns).where(table.c.id.in_(part), table.c.site != "")
        for id, site, group_id, title, text, first_seen_at in connection.execute(query):
            lines = line_codes(restore_learned_lines(text, removed.get(id, ())))
            yield _LookedThrough(id, (site, _quarter(first_seen_at)), group_id, title_key(title), lines)


def _quarter(time: datetime) -> int:
    return time.year * 4 + (time.month - 1) // 3


def _blocks(connection: Connection, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """The ids of these blocks, by site and quarter; what there is not yet is made."""
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


# --- what follows from them ---------------------------------------------------------------------------


def _look_at_next(connection: Connection, *, soon: bool) -> list[_Looked] | None:
    """Looks at the next sites with a block that is not what it was; None where there is none."""
    table = schema.sight_block
    least = table.c.articles if soon else 0
    query = select(table.c.site).where(table.c.changes > 0, table.c.changes * NEARLY > least)
    query = query.distinct().order_by(table.c.site)
    sites = list(connection.execute(query.limit(_SITES_AT_ONCE)).scalars())
    return _look_at(connection, sites) if sites else None


@dataclass(frozen=True, slots=True)
class _Looked:
    """How many lines of a site were learned and unlearned."""

    site: str
    learned: int
    unlearned: int


def _look_at(connection: Connection, sites: Sequence[str]) -> list[_Looked]:
    """Works out what the changed blocks of these sites say, and drops those that are empty."""
    block, line = schema.sight_block, schema.learned_line
    blocks = connection.execute(select(block).where(block.c.site.in_(sites))).all()
    rows = _rows(connection, [row.id for row in blocks])
    changed = {row.id for row in blocks if row.changes}
    small = [row.id for row in blocks if row.changes and row.articles + row.changes <= _SMALL]
    at_hand = _sightings(connection, small)
    found = []
    other: list[int] = []
    new: list[dict[str, Any]] = []
    for site in sites:
        of_site = {row.id: rows[row.id] for row in blocks if row.site == site}
        worked_out = _worked_out(connection, of_site, changed & of_site.keys(), at_hand)
        for id, lines in worked_out.items():
            if lines != rows[id]:
                other.append(id)
                new += lines.values()
        before, after = _clutter(of_site), _clutter(worked_out)
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


_Rows = dict[int, dict[int, dict[str, Any]]]


def _rows(connection: Connection, blocks: Sequence[int]) -> _Rows:
    table = schema.learned_line
    rows: _Rows = {id: {} for id in blocks}
    for part in chunks(blocks):
        for row in connection.execute(select(table).where(table.c.block_id.in_(part))).mappings():
            rows[row["block_id"]][row["hash"]] = dict(row)
    return rows


def _clutter(rows: _Rows) -> set[int]:
    """Of the rows of `learned_line` of a site, by block and hash, the lines that are learned."""
    shared = {hash for said in rows.values() for hash, row in said.items() if row["is_shared"]}
    return _furniture(rows) - shared


def _worked_out(
    connection: Connection, rows: _Rows, changed: set[int], at_hand: Mapping[int, list[ArticleLines]]
) -> _Rows:
    """The rows as they are when the changed blocks have been looked at, and the others for what is new in
    them: it may have come with a story there. at_hand: sightings of some of the blocks.
    """
    rows = dict(rows)
    known = _furniture(rows)
    todo = set(changed)
    while todo:
        id = min(todo)
        todo.discard(id)
        sightings = at_hand[id] if id in at_hand else _sightings(connection, [id])[id]
        rows[id] = _said(connection, id, sightings, known)
        new = _furniture({id: rows[id]}) - known
        if new:
            known |= new
            todo |= rows.keys() - {id}
    known = _furniture(rows)
    return {id: {hash: row for hash, row in said.items() if hash in known} for id, said in rows.items()}


def _furniture(rows: _Rows) -> set[int]:
    """The lines that some block shows to be none of its stories'."""
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


def _said(
    connection: Connection, block_id: int, sightings: Sequence[ArticleLines], known: set[int]
) -> dict[int, dict[str, Any]]:
    """What a block says of lines, as rows of `learned_line` by hash. known: learned lines of the site."""
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
    """The whole hashes of lines, by what articles keep of them: what most of some bearers say."""
    asked = {key: _some(one.bearers) for key, one in seen.items()}
    texts = _texts(connection, (id for ids in asked.values() for id in ids))
    found: dict[int, int] = {}
    for key, ids in asked.items():
        said = Counter(hash for id in ids for hash in texts.get(id, ()) if short_line_hash(hash) == key)
        if said:
            found[key] = min(said, key=lambda hash: (-said[hash], hash))
    return found


def _some(bearers: Sequence[int]) -> set[int]:
    step = max(1, (len(bearers) - 1) // (_ASKED - 1))
    return set(bearers[::step][:_ASKED])
