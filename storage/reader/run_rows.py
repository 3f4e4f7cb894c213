"""Runs, rejections and totals."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, and_, func, or_, select

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
class Totals:
    """Totals of a database that indexes give. groups: all; copied_groups: those of more than one article.

    largest_group: id of the group with most articles, the oldest of several; None in an empty database.
    largest_size: its number of articles. A template or disclaimer in many articles shows here first.
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


@dataclass(frozen=True, slots=True)
class Counts(Totals):
    """All totals. without_trafilatura: articles of pages that Trafilatura could not read."""

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


def totals(engine: Engine) -> Totals:
    """Totals; reads index entries of all articles and pairs, so it takes longer as the database grows."""
    with one_snapshot(engine) as connection:
        return _totals(connection)


def counts(engine: Engine) -> Counts:
    """All totals; reads every article and page."""
    table = schema.article
    unread = select(func.count()).where(table.c.rules_version.like(f"%{WITHOUT_TRAFILATURA}%"))
    with one_snapshot(engine) as connection:
        return Counts(
            **asdict(_totals(connection)),
            page_bytes=int(connection.scalar(select(func.sum(schema.page.c.size))) or 0),
            without_trafilatura=connection.scalar(unread) or 0,
        )


def _totals(connection: Connection) -> Totals:
    def of(table: Table) -> int:
        return connection.scalar(select(func.count()).select_from(table)) or 0

    article = schema.article
    groups = select(article.c.group_id, func.count().label("size")).group_by(article.c.group_id).subquery()
    by_size = select(groups.c.size, func.count().label("groups"), func.min(groups.c.group_id).label("first"))
    sizes = connection.execute(by_size.group_by(groups.c.size).order_by(groups.c.size.desc())).all()
    return Totals(
        articles=sum(row.size * row.groups for row in sizes),
        groups=sum(row.groups for row in sizes),
        copied_groups=sum(row.groups for row in sizes if row.size > 1),
        largest_group=sizes[0].first if sizes else None,
        largest_size=sizes[0].size if sizes else 0,
        pairs=of(schema.pair),
        sites=connection.scalar(_count_of_sites()) or 0,
        revisions=of(schema.revision),
        removed_lines=of(schema.removal),
        rejections=of(schema.rejection),
        pages=of(schema.page),
    )


def _count_of_sites() -> Select[Any]:
    """How many sites there are: each is looked up behind the one before.

    A count of distinct sites would sort those of all articles.
    """
    site = schema.article.c.site
    found = select(func.min(site).label("site")).where(site > "").cte("found", recursive=True)
    behind = select(func.min(site)).where(site > found.c.site).scalar_subquery()
    found = found.union_all(select(behind).where(found.c.site.is_not(None)))
    return select(func.count(found.c.site))


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
