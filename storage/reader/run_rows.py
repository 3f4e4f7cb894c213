"""Runs, rejections and totals."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Select, and_, func, or_, select

from pipeline.sites import WITHOUT_TRAFILATURA
from storage import schema
from storage.base import last_change_number, storable_name
from storage.reader.streaming import one_row, one_snapshot, stream
from storage.schema import (
    RunRow,
    StoredRejection,
    view_tables,
)


@dataclass(frozen=True, slots=True)
class Counts:
    """Totals of a database. groups: all groups; copied_groups: groups of more than one article.

    largest_group: id of the group with most articles, the oldest of several; None in an empty database.
    largest_size: its number of articles. A template or disclaimer in many articles shows here first.
    without_trafilatura: articles of pages that Trafilatura could not read.
    """

    articles: int
    groups: int
    copied_groups: int
    largest_group: int | None
    largest_size: int
    pairs: int
    sites: int
    revisions: int
    removed_lines: int
    rejections: int
    pages: int
    page_bytes: int
    without_trafilatura: int


def rejections(engine: Engine, run_id: int | None = None) -> Iterator[StoredRejection]:
    """Locations whose present end is a rejection, by location; of one run, or of all."""
    view = view_tables["rejections"]
    query = select(view).order_by(view.c.location)
    return stream(engine, query if run_id is None else query.where(view.c.run_id == run_id), StoredRejection)


def rejections_at(engine: Engine, addresses: Collection[str]) -> list[StoredRejection]:
    """Rejections of these locations or URLs, by location."""
    view, names = view_tables["rejections"], [storable_name(address) for address in addresses]
    query = select(view).where(or_(view.c.location.in_(names), view.c.url.in_(names)))
    return list(stream(engine, query.order_by(view.c.location), StoredRejection))


def latest_rejections(
    engine: Engine, *, reason: str | None = None, after: tuple[int, str] | None = None, limit: int = 50
) -> list[tuple[int, StoredRejection]]:
    """Locations whose present end is a rejection, the latest first, each with its time in microseconds.

    reason: only these. after: time and location of the one to go on behind.
    """
    view, table = view_tables["rejections"], schema.rejection
    query = select(table.c.at_us, view).join_from(table, view, table.c.location == view.c.location)
    if reason is not None:
        query = query.where(table.c.reason == storable_name(reason))
    if after is not None:
        behind = and_(table.c.at_us == after[0], table.c.location > after[1])
        query = query.where(table.c.at_us <= after[0], or_(table.c.at_us < after[0], behind))
    query = query.order_by(table.c.at_us.desc(), table.c.location).limit(limit)
    with one_snapshot(engine) as connection:
        return [(at, StoredRejection(*row)) for at, *row in connection.execute(query)]


def runs(engine: Engine, *, after: int | None = None, limit: int | None = None) -> list[RunRow]:
    """Every run, the latest first. after: the id of the run to go on behind."""
    view = view_tables["runs"]
    query = select(view).order_by(view.c.id.desc()).limit(limit)
    return list(stream(engine, query if after is None else query.where(view.c.id < after), RunRow))


def run(engine: Engine, id: int) -> RunRow | None:
    view = view_tables["runs"]
    return one_row(engine, select(view).where(view.c.id == id), RunRow)


def counts(engine: Engine) -> Counts:
    """Totals; reads every article's index entry, so it takes longer as the database grows."""
    table = schema.article
    sized = select(table.c.group_id, func.count().label("size")).group_by(table.c.group_id)
    sizes = sized.subquery()
    largest = select(sizes).order_by(sizes.c.size.desc(), sizes.c.group_id).limit(1)
    with engine.connect() as connection:
        first = connection.execute(largest).first()

        def scalar(query: Select[Any]) -> int:
            return int(connection.scalar(query) or 0)

        return Counts(
            articles=scalar(select(func.count()).select_from(table)),
            groups=scalar(select(func.count()).select_from(sizes)),
            copied_groups=scalar(select(func.count()).select_from(sizes).where(sizes.c.size > 1)),
            largest_group=first.group_id if first else None,
            largest_size=first.size if first else 0,
            pairs=scalar(select(func.count()).select_from(schema.pair)),
            sites=scalar(select(func.count(func.nullif(table.c.site, "").distinct()))),
            revisions=scalar(select(func.count()).select_from(schema.revision)),
            removed_lines=scalar(select(func.count()).select_from(schema.removal)),
            rejections=scalar(select(func.count()).select_from(schema.rejection)),
            pages=scalar(select(func.count()).select_from(schema.page)),
            page_bytes=scalar(select(func.sum(schema.page.c.size))),
            without_trafilatura=scalar(
                select(func.count()).where(table.c.rules_version.like(f"%{WITHOUT_TRAFILATURA}%"))
            ),
        )


# Runs that may be under way at the same time as the latest one, and the newest rows of their sites.
_LAST_RUNS, _LAST_SITE_RUNS = 50, 500


def last_state(engine: Engine) -> tuple[object, ...]:
    """What differs whenever a reader might see something else: the database, its last change, its last runs.

    The counts of a run grow with each batch, also where it changes no article, and a crawl is judged when it
    has ended.
    """
    counter, change = schema.counter, schema.change
    run = select(schema.run).order_by(schema.run.c.id.desc()).limit(_LAST_RUNS).subquery()
    table = schema.site_run
    site_run = select(table).order_by(table.c.run_id.desc()).limit(_LAST_SITE_RUNS).subquery()
    query = select(
        select(counter.c.value).where(counter.c.name == schema.DATABASE_ID).scalar_subquery(),
        select(func.max(change.c.number)).scalar_subquery(),
        *(select(func.max(run.c.id)).scalar_subquery(), select(func.sum(run.c.seen)).scalar_subquery()),
        select(func.count(run.c.finished_at)).scalar_subquery(),
        *(select(func.count(site_run.c[name])).scalar_subquery() for name in ("ended", "alerts")),
        select(func.sum(site_run.c.bytes)).scalar_subquery(),
    )
    with engine.connect() as connection:
        return tuple(connection.execute(query).one())


@dataclass(frozen=True, slots=True)
class Progress:
    """Numbers that only grow, none of them counted: articles and pages ever stored, changes ever made."""

    articles: int
    pages: int
    changes: int


def progress(engine: Engine) -> Progress:
    """How far the database has come."""
    counter = schema.counter
    with engine.connect() as connection:
        rows = connection.execute(select(counter.c.name, counter.c.value))
        named: dict[str, int] = {row.name: row.value for row in rows}
        last = last_change_number(connection)
    return Progress(named.get("article", 0), named.get("page", 0), last)
