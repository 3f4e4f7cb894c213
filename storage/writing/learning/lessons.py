"""Learns from all articles that changed, and reads what was learned."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from sqlalchemy import Connection, Engine, select

from pipeline.sites import (
    LearnedLines,
)
from storage import schema
from storage.base import chunks
from storage.database import begin_write, in_transaction

if TYPE_CHECKING:
    from pipeline.settings import Settings
from storage.writing.learning.blocks import learnable_lines, look_at, look_at_next
from storage.writing.learning.sightings import AT_ONCE, renew, renew_next

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SiteLine:
    """A learned line.

    stories: the number of stories in which it was seen. text: its wording in the article `example`, where it
    may have been removed or not.
    """

    site: str
    stories: int
    text: str
    example: int


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a call of `learn` changed.

    articles: how many were read. learned, unlearned: by site, how many lines are clutter now, and how many
    are not clutter any more.
    """

    articles: int
    learned: dict[str, int]
    unlearned: dict[str, int]

    @property
    def sites(self) -> list[str]:
        """The sites whose learned lines changed."""
        return sorted(self.learned.keys() | self.unlearned.keys())


def with_learned(engine: Engine, settings: Settings) -> Settings:
    """The settings with what was learned about the sites in this database."""
    with engine.connect() as connection:
        learned = learned_lines(connection)
    return replace(settings, site_rules=replace(settings.site_rules, learned=learned))


def learn(engine: Engine, *, soon: bool = False) -> Lesson:
    """Learns from all articles that are new, different or gone since the last time.

    soon: blocks that hardly changed (see `NEARLY`) wait for a later call, so that a run which brings a few
    articles does not read thousands. If the call is interrupted, what was committed stays and the next call
    continues. Raises DatabaseError.
    """

    def run(step: Callable[[Connection], T]) -> T:
        return in_transaction(engine, step)

    return _learn(run, soon)


class _Run(Protocol):
    """Calls one step of `learn` with a connection."""

    def __call__(self, step: Callable[[Connection], T], /) -> T: ...


def _learn(run: _Run, soon: bool = False) -> Lesson:
    articles = 0
    while count := run(renew_next):
        articles += count
    learned: dict[str, int] = {}
    unlearned: dict[str, int] = {}
    while (looked := run(partial(look_at_next, soon=soon))) is not None:
        learned.update({one.site: one.learned for one in looked if one.learned})
        unlearned.update({one.site: one.unlearned for one in looked if one.unlearned})
    return Lesson(articles, learned, unlearned)


def site_lines(engine: Engine, sites: Sequence[str] = ()) -> list[SiteLine]:
    """The learned lines with their texts, of these sites or of all; by site, the most frequent first."""
    with engine.connect() as connection:
        return site_lines_of(connection, sites)


def try_learning(engine: Engine, sites: Sequence[str] = ()) -> tuple[Lesson, list[SiteLine]]:
    """What `learn` would change, and the lines that would be learned; the transaction is rolled back.

    This is one write transaction, so other writers wait until it has ended.
    """
    with begin_write(engine) as connection:

        def run(step: Callable[[Connection], T]) -> T:
            return step(connection)

        lesson = _learn(run)
        lines = site_lines_of(connection, sites)
        connection.rollback()
    return lesson, lines


def forget_articles(connection: Connection, ids: Sequence[int]) -> None:
    """Deletes the sightings of articles that were just deleted, and learns their sites again."""
    for part in chunks(ids, AT_ONCE):
        if sites := renew(connection, part):
            look_at(connection, sites)


def learned_lines(connection: Connection, sites: Sequence[str] = ()) -> tuple[LearnedLines, ...]:
    line, block = schema.learned_line, schema.sight_block
    query = select(block.c.site, line.c.hash, line.c.stories, line.c.is_shared)
    query = query.join(block, block.c.id == line.c.block_id)
    if sites:
        query = query.where(block.c.site.in_(sites))
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


def site_lines_of(connection: Connection, sites: Sequence[str]) -> list[SiteLine]:
    line, block = schema.learned_line, schema.sight_block
    found = []
    for learned in learned_lines(connection, sites):
        query = select(line.c.hash, line.c.example).join(block, block.c.id == line.c.block_id)
        query = query.where(block.c.site == learned.site, line.c.stories > 0).order_by(block.c.quarter)
        # From the latest block, which shows how the line looks today.
        examples = {row.hash: row.example for row in connection.execute(query)}
        texts = learnable_lines(connection, [examples[hash] for hash, _ in learned.lines])
        for hash, stories in learned.lines:
            example = examples[hash]
            found.append(SiteLine(learned.site, stories, texts.get(example, {}).get(hash, ""), example))
    return sorted(found, key=lambda one: (one.site, -one.stories, one.text))
