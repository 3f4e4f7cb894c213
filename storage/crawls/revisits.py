"""Requests young articles again, because news is corrected, extended and taken down in its first days.

An article that a crawl of a site stored has a row in `revisit` as long as it is to be requested again. The
row is written in the transaction that stores the result of the last request (`writer.write_batch`), so a
killed crawl has done both or neither. The times are hours after the article was first seen; a time that has
passed before the next crawl is left out.

Articles of files, and of lists of URLs, belong to no site of the sites file and have no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select

from pipeline.document import Claims
from storage import schema
from storage.base import chunks, claims_of, storable_name, storable_text
from storage.database import in_transaction, persistently

# A page that failed so often in a row is not requested until its next regular time.
_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Validators:
    """The validators of a response, as the server sent them, for the next conditional request.

    children: the further sources that it names, each with its kind. read_as: the rules by which it was read;
    None for a document that names no sources.
    """

    etag: str | None = None
    last_modified: str | None = None
    children: tuple[tuple[str, str], ...] = ()
    read_as: str | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A finished request for an article of a site.

    location: the URL that was requested. site: the site's key in the sites file. hours: when to request it
    again, in hours after the article was first seen, ascending; () for never. has_failed: the page could not
    be fetched or read, so it is requested again at the next crawl.
    """

    location: str
    site: str
    at: datetime
    hours: tuple[float, ...]
    etag: str | None = None
    last_modified: str | None = None
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class DueRevisit:
    """An article that is to be requested again. claims: what its source said of it."""

    article_id: int
    url: str
    location: str
    etag: str | None
    last_modified: str | None
    claims: Claims


@dataclass(frozen=True, slots=True)
class VisitsAndStates:
    """What a crawl stores beside the outcomes of a batch.

    states: validators of sources and of rejected pages, by URL, all of them fetched at `at`.
    """

    at: datetime
    visits: Sequence[Visit] = ()
    states: Mapping[str, Validators] = field(default_factory=dict)


def due(engine: Engine, site: str, now: datetime, limit: int) -> list[DueRevisit]:
    """The articles of a crawled site that are to be requested again, the longest overdue first."""
    table, article, page = schema.revisit, schema.article, schema.page
    query = (
        select(
            table.c.article_id,
            article.c.url,
            table.c.location,
            table.c.etag,
            table.c.last_modified,
            page.c.claims,
        )
        .join(article, article.c.id == table.c.article_id)
        .outerjoin(page, page.c.id == article.c.page_id)
        .where(table.c.site == storable_name(site), table.c.due_at <= now)
        .order_by(table.c.due_at, table.c.article_id)
        .limit(limit)
    )

    def read() -> list[DueRevisit]:
        with engine.connect() as connection:
            return [DueRevisit(*row[:-1], claims=claims_of(row.claims)) for row in connection.execute(query)]

    return persistently(engine, read)


def drop(engine: Engine, ids: Iterable[int]) -> None:
    """Stops requesting these articles again: they do not belong to a crawled site any more."""
    wanted = sorted(set(ids))
    in_transaction(engine, lambda connection: _delete(connection, wanted))


def note(connection: Connection, visits: Sequence[Visit]) -> None:
    """Decides when the articles that were requested are requested the next time.

    Call it in the transaction that stored the results of the requests. A request that gave no article, now or
    before, is not recorded.
    """
    latest = {storable_name(visit.location): visit for visit in visits}
    ids = _articles_at(connection, latest)
    first_seen: dict[int, datetime] = {}
    waiting: dict[int, Any] = {}
    article, table = schema.article, schema.revisit
    for part in chunks(sorted(set(ids.values()))):
        first_seen.update(
            (id, at)
            for id, at in connection.execute(
                select(article.c.id, article.c.first_seen_at).where(article.c.id.in_(part))
            )
        )
        waiting.update(
            (row.article_id, row)
            for row in connection.execute(select(table).where(table.c.article_id.in_(part)))
        )
    rows: dict[int, dict[str, Any] | None] = {}
    for location, visit in latest.items():
        if location in ids:
            id = ids[location]
            rows[id] = _row(visit, id, first_seen[id], waiting.get(id))
    _delete(connection, sorted(rows))
    new = [row for _, row in sorted(rows.items()) if row is not None]
    if new:
        connection.execute(insert(table), new)


def _row(visit: Visit, id: int, first_seen: datetime, before: Any) -> dict[str, Any] | None:
    """The article's row after a visit; None if it is not to be requested again."""
    row = {
        "article_id": id,
        "site": storable_name(visit.site),
        "location": storable_name(visit.location),
        "etag": storable_header(visit.etag),
        "last_modified": storable_header(visit.last_modified),
        "failures": 0,
    }
    if visit.has_failed:
        if before is None:
            return None
        if before.failures + 1 < _FAILURES:
            return {**before._mapping, "failures": before.failures + 1}
    times = (first_seen + timedelta(hours=hours) for hours in visit.hours)
    next_at = next((at for at in times if at > visit.at), None)
    return None if next_at is None else {**row, "due_at": next_at}


def _articles_at(connection: Connection, locations: Iterable[str]) -> dict[str, int]:
    """The article that the latest document at each of the locations gave."""
    table = schema.document
    found: dict[str, tuple[int, int]] = {}
    for part in chunks(locations):
        query = select(table.c.location, table.c.fetched_us, table.c.article_id)
        for location, fetched_us, id in connection.execute(query.where(table.c.location.in_(part))):
            found[location] = max(found.get(location, (fetched_us, id)), (fetched_us, id))
    return {location: id for location, (_, id) in found.items()}


def _delete(connection: Connection, ids: Sequence[int]) -> None:
    for part in chunks(ids):
        connection.execute(delete(schema.revisit).where(schema.revisit.c.article_id.in_(part)))


def storable_header(value: str | None) -> str | None:
    """The value of a header, which may be any bytes, as both databases accept it."""
    return None if value is None else storable_text(value)
