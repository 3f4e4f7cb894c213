"""Drops old stored pages.

Pruning has two steps, so that an operator sees first what will happen: a plan, which counts, and its
execution in transactions of a bounded size. It may be stopped at any time and done again; the rest is done
then.

A pruned page is a deleted row of `page`. The articles and rejections made of it stay, without a page. Their
document stays known by its row in `document` or `rejection`, so nothing is fetched or stored again. Only
different rules cannot be applied to it any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    delete,
    func,
    or_,
    select,
    update,
)

from storage import schema
from storage.base import (
    chunks,
    from_microseconds,
    microseconds,
)
from storage.database import in_transaction

# Pages and articles a transaction: readers and other writers wait for none longer than a second or so.
_PAGES_AT_ONCE = 200

Advance = Callable[[int], None]

IsStopped = Callable[[], bool]


def never() -> bool:
    return False


def nobody(_: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What pruning would delete.

    pages, size: how many pages are deleted, and their bytes as they are stored, compressed.
    oldest, newest: when they were fetched, None if there are none. kept_pages, kept_size: what stays.
    before: (microseconds from 1970, page id) of the first page that stays. last: greatest id of a page at the
    time of the plan; what is stored later is not touched.
    """

    pages: int
    size: int
    oldest: datetime | None
    newest: datetime | None
    kept_pages: int
    kept_size: int
    before: tuple[int, int]
    last: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted. is_interrupted: the same call again continues."""

    pages: int
    size: int
    is_interrupted: bool


def plan_prune(
    engine: Engine, *, older_than: datetime | None = None, keep_size: int | None = None
) -> PrunePlan:
    """What `prune_pages` would delete: pages fetched before `older_than`, and the oldest above `keep_size`.

    keep_size: bytes of pages as they are stored. Reads an index entry for each page, not the pages.
    """
    table = schema.page
    stored = func.length(table.c.body)
    before = (microseconds(older_than), 0) if older_than else (0, 0)
    with engine.connect() as connection:
        if keep_size is not None:
            before = max(before, _limit_of_size(connection, keep_size))
        last, pages, size = connection.execute(
            select(func.max(table.c.id), func.count(), func.coalesce(func.sum(stored), 0))
        ).one()
        dropped = select(
            func.count(),
            func.coalesce(func.sum(stored), 0),
            func.min(table.c.fetched_us),
            func.max(table.c.fetched_us),
        )
        count, dropped_size, oldest, newest = connection.execute(dropped.where(_is_before(before))).one()
    return PrunePlan(
        pages=count,
        size=int(dropped_size),
        oldest=None if oldest is None else from_microseconds(oldest),
        newest=None if newest is None else from_microseconds(newest),
        kept_pages=pages - count,
        kept_size=int(size) - int(dropped_size),
        before=before,
        last=last or 0,
    )


def _limit_of_size(connection: Connection, keep_size: int) -> tuple[int, int]:
    """(time of fetch, id) of the oldest page that still fits, counted back from the newest."""
    table = schema.page
    query = select(table.c.fetched_us, table.c.id, func.length(table.c.body)).order_by(
        table.c.fetched_us.desc(), table.c.id.desc()
    )
    kept, first = 0, None
    rows = connection.execution_options(stream_results=True, yield_per=5000).execute(query)
    for fetched_us, id, size in rows:
        kept += size
        if kept > keep_size:
            rows.close()
            return first or (fetched_us, id + 1)
        first = (fetched_us, id)
    return (0, 0)


def _is_before(before: tuple[int, int]) -> ColumnElement[bool]:
    table = schema.page
    time, id = before
    return or_(table.c.fetched_us < time, and_(table.c.fetched_us == time, table.c.id < id))


def prune_pages(
    engine: Engine, plan: PrunePlan, *, advance: Advance = nobody, is_stopped: IsStopped = never
) -> Pruned:
    """Deletes the pages of the plan that are still there. advance: called with how many more were deleted."""
    table = schema.page
    pages, size, after = 0, 0, 0

    def drop(connection: Connection) -> tuple[int, int, int | None]:
        query = select(table.c.id, func.length(table.c.body)).where(
            table.c.id > after, table.c.id <= plan.last, _is_before(plan.before)
        )
        rows = connection.execute(query.order_by(table.c.id).limit(_PAGES_AT_ONCE)).all()
        _drop_pages(connection, [id for id, _ in rows])
        return len(rows), sum(length for _, length in rows), rows[-1][0] if rows else None

    while not is_stopped():
        count, dropped, last = in_transaction(engine, drop)
        if last is None:
            return Pruned(pages, size, is_interrupted=False)
        pages, size, after = pages + count, size + dropped, last
        advance(count)
    return Pruned(pages, size, is_interrupted=True)


def _drop_pages(connection: Connection, ids: Iterable[int]) -> None:
    """Deletes pages. What was made of them stays, without a page."""
    for part in chunks(ids):
        for table in (schema.article, schema.revision, schema.rejection):
            connection.execute(update(table).where(table.c.page_id.in_(part)).values(page_id=None))
        connection.execute(delete(schema.page).where(schema.page.c.id.in_(part)))
