"""Checks of search, changes, counters, runs and tombstones."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, func, insert, literal, select, text

from pipeline.document import Reason
from storage import schema, search
from storage.base import chunks, set_counter, tombstone_key
from storage.database import in_transaction
from storage.upkeep.checks import STREAMED, stream_rows
from storage.writing import stones_at


def find_wrong_search(connection: Connection) -> Iterator[str]:
    for id in search.find_index_faults(connection):
        yield f"article {id}: full-text search has it otherwise, or has it though it is gone"


def mend_search(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        wrong = len(search.find_index_faults(connection))
        search.rebuild_index(connection)
        return wrong

    return in_transaction(engine, work)


_UNTOLD = text(
    "SELECT id FROM article"
    " WHERE NOT EXISTS (SELECT 1 FROM change WHERE article_id = article.id AND NOT gone) ORDER BY id"
)

_STALE = text(
    "SELECT article_id FROM change"
    " WHERE NOT gone AND NOT EXISTS (SELECT 1 FROM article WHERE id = article_id) ORDER BY article_id"
)


def find_wrong_changes(connection: Connection) -> Iterator[str]:
    for (id,) in stream_rows(connection, _UNTOLD):
        yield f"article {id}: no change tells that it is stored"
    for (id,) in stream_rows(connection, _STALE):
        yield f"article {id}: no change tells that it is gone"


def mend_changes(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        table = schema.change
        number = connection.scalar(select(func.max(table.c.number))) or 0
        now = datetime.now(UTC)
        untold = list(connection.execute(_UNTOLD).scalars())
        stale = list(connection.execute(_STALE).scalars())
        for part in chunks((*untold, *stale)):
            connection.execute(delete(table).where(table.c.article_id.in_(part)))
        rows = [
            {"article_id": id, "number": number + n, "gone": is_gone, "at": now, "url": None}
            for n, (id, is_gone) in enumerate((*((i, False) for i in untold), *((i, True) for i in stale)), 1)
        ]
        if rows:
            connection.execute(insert(table), rows)
        return len(rows)

    return in_transaction(engine, work)


def find_late_counters(connection: Connection) -> Iterator[str]:
    for name, value, least in _counters(connection):
        if name == schema.DATABASE_ID:
            yield "the database has no number of its own"
        else:
            yield f"counter {name} is at {value}, and {least} was given out"


def _counters(connection: Connection) -> Iterator[tuple[str, int, int]]:
    """(name, value, what it must be at least) of those that are behind, and of a missing DATABASE_ID."""
    there: dict[str, int] = {row.name: row.value for row in connection.execute(select(schema.counter))}
    ids = {
        "article": (schema.article.c.id, schema.change.c.article_id),
        "page": (schema.page.c.id,),
        "watchlist": (schema.watchlist.c.id,),
    }
    for name, columns in ids.items():
        least = max(connection.scalar(select(func.max(column))) or 0 for column in columns)
        if there.get(name, 0) < least:
            yield name, there.get(name, 0), least
    if schema.DATABASE_ID not in there:
        yield schema.DATABASE_ID, 0, 0


def mend_counters(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        wrong = list(_counters(connection))
        for name, _, least in wrong:
            value = secrets.randbits(53) if name == schema.DATABASE_ID else least
            set_counter(connection, name, value)
        return len(wrong)

    return in_transaction(engine, work)


def find_wrong_runs(connection: Connection) -> Iterator[str]:
    for row in stream_rows(connection, select(schema.run)):
        ends = row.stored + row.revised + row.updated + row.unchanged + row.rejected
        reasons = sum(row.reasons.values())
        if row.seen != ends:
            yield f"run {row.id}: seen {row.seen}, but {ends} came to an end"
        if row.rejected != reasons:
            yield f"run {row.id}: rejected {row.rejected}, but {reasons} for a reason"


def find_forgotten(connection: Connection) -> Iterator[str]:
    """What a tombstone should have kept out: articles by any of their URLs, and pages of rejections."""
    stones = connection.execute(select(schema.tombstone)).all()
    for row in stones:
        if row.key != tombstone_key(row.kind, row.value):
            yield f"tombstone of {row.kind} {row.value}: not under its key"
    if not stones:
        return
    article, given, rejection = schema.article, schema.document, schema.rejection
    queries = (
        ("article {} is stored", select(article.c.id, article.c.url, article.c.site)),
        (
            "article {} is stored",
            select(given.c.article_id, given.c.alias, literal("")).where(given.c.alias.is_not(None)),
        ),
        (
            "a page is stored with the rejection of {}",
            select(rejection.c.location, func.coalesce(rejection.c.url, rejection.c.location), literal(""))
            .where(rejection.c.page_id.is_not(None))
            .where(rejection.c.reason != Reason.FORGOTTEN.value),
        ),
    )
    told: set[str] = set()
    for says, query in queries:
        for rows in connection.execute(query, execution_options=STREAMED).partitions():
            found = stones_at(connection, [([url], site) for _, url, site in rows])
            for (name, *_), stone in zip(rows, found, strict=True):
                line = says.format(name)
                if stone is not None and line not in told:
                    told.add(line)
                    yield f"{line}, though {stone.kind} {stone.value} was forgotten"
