"""Texts that are printed very often: a batch costs the same beside a large crowd of them as beside a small
one. The test counts work and not time: instructions of SQLite's virtual machine, pages that PostgreSQL
reads.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select, text

from pipeline.document import Article
from storage import schema
from storage.base import set_counter
from storage.writer import start_run, write_batch
from tests.storage.news import SETTINGS, START, article, story

# these are written as usual, a second apart; the rest of a crowd is copied from them, with later times
FIRST = 50
BATCH = 10
# An order key is seconds and 29 further bits, as `pipeline.copies.candidates` makes it.
SECOND = 1 << 29


def same_text(n: int) -> Article:
    """A notice that every outlet prints, whole: one group of copies."""
    return article(f"https://s{n % 400}.example/{n}", story(1), START + timedelta(seconds=n))


def template(n: int) -> Article:
    """An issue of a template. It shares all bands with the rest and is not a copy of them."""
    shared = article("https://x.example/", story(999)).fingerprint
    at = START + timedelta(seconds=n)
    return article(f"https://s{n % 400}.example/{n}", story(n, 40), at, fingerprint=shared)


def nearly_empty(n: int) -> Article:
    return article(f"https://s{n % 400}.example/{n}", "Read more", START + timedelta(seconds=n))


def double(connection: Connection, count: int) -> int:
    """Every article once more, `count` seconds later in the index; returns how many there are then."""
    is_one_group = connection.scalar(select(func.max(schema.article.c.group_id))) == 1
    changed = {
        **{name: f"{name} + {count}" for name in ("id", "article_id", "a", "b")},
        "url": f"url || '/' || {count}",
        "position": f"position + {count * SECOND}",
        "group_id": "group_id" if is_one_group else f"group_id + {count}",
        "is_canonical": "is_canonical AND NOT " + ("true" if is_one_group else "false"),
    }
    for table in (schema.article, schema.signature, schema.band, schema.pair):
        names = [column.name for column in table.columns]
        values = ", ".join(changed.get(name, name) for name in names)
        into = f"INSERT INTO {table.name} ({', '.join(names)})"
        connection.execute(text(f"{into} SELECT {values} FROM {table.name}"))  # noqa: S608 - our own names
    return 2 * count


def worked(engine: Engine, work: Callable[[], Any]) -> int:
    """The work of the database meanwhile, on the only connection of the engine."""
    if engine.dialect.name == "postgresql":

        def looked_at() -> int:
            with engine.begin() as connection:
                connection.execute(text("SELECT pg_stat_force_next_flush()"))
            with engine.begin() as connection:
                sums = text("SELECT sum(hits + reads) FROM pg_stat_get_backend_io(pg_backend_pid())")
                return int(connection.scalar(sums) or 0)

        before = looked_at()
        work()
        return looked_at() - before
    steps = itertools.count()
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(lambda: 0 * next(steps), 100)
    work()
    driver.set_progress_handler(None, 0)
    return 100 * next(steps)


@pytest.mark.parametrize(("printed", "groups"), [(same_text, 1), (template, None), (nearly_empty, None)])
def test_a_crowd_of_any_size_costs_a_batch_the_same(
    engine: Engine, printed: Callable[[int], Article], groups: int | None
) -> None:
    run = start_run(engine, "test", START)
    write_batch(engine, run, [printed(n) for n in range(FIRST)], SETTINGS)
    count, spent = FIRST, []
    for size in (4 * FIRST, 64 * FIRST):
        with engine.begin() as connection:
            while count < size:
                count = double(connection, count)
            set_counter(connection, "article", count)
        if engine.dialect.name == "postgresql":  # as autovacuum does within a minute
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))
        batch = [printed(n) for n in range(count, count + BATCH)]
        spent.append(worked(engine, partial(write_batch, engine, run, batch, SETTINGS)))
        count += BATCH

    with engine.connect() as connection:
        found = connection.scalar(select(func.count(schema.article.c.group_id.distinct())))
        assert connection.scalar(select(func.count()).select_from(schema.article)) == count
    assert found == (groups or count)
    # 16 times the crowd: a level more in each index
    assert spent[1] < 2 * spent[0], spent
