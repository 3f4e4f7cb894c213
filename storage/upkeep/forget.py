"""Deletes articles for good, and keeps them from being stored again (`copydesk forget`).

Forgetting has two steps, so that an operator sees first what will happen: a plan, which counts, and its
execution in transactions of a bounded size. It may be stopped at any time and done again; the rest is done
then.

The tombstones are written first, in a transaction of their own. From then on nothing that was forgotten is
stored, and what is found afterwards is all there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Connection,
    Engine,
    delete,
    func,
    insert,
    or_,
    select,
)

from pipeline.document import Reason
from pipeline.settings import Settings
from pipeline.urls import canonical_url
from storage import schema, search, writer
from storage.base import (
    chunks,
    empty_log,
    securely,
    storable_name,
    storable_text,
    tombstone_key,
)
from storage.database import in_transaction
from storage.upkeep.prune import Advance, IsStopped, never, nobody
from storage.upkeep.targets import (
    ForgetTarget,
    fetch_states_of,
    quarantined_of,
    rejections_at,
    rejections_of,
    stored_articles_of,
)
from storage.writing import SITE, URL, withheld_by

_ARTICLES_AT_ONCE = 50

_SAMPLES = 10


@dataclass(frozen=True, slots=True)
class ForgetPlan:
    """What `forget_targets` would delete.

    revisions: older texts of the articles. copies: articles that stay, because they are copies at different
    addresses. samples: (url, title) of a few of the articles.
    """

    articles: int
    revisions: int
    pages: int
    rejections: int
    copies: int
    sites: tuple[tuple[str, int], ...]
    samples: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted. is_interrupted: the rest is still stored; the same call again continues."""

    articles: int
    rejections: int
    is_interrupted: bool


def plan_forget(engine: Engine, what: ForgetTarget) -> ForgetPlan:
    """What `forget_targets` would delete now."""
    table, pair = schema.article, schema.pair
    revisions = pages = 0
    copies: set[int] = set()
    sites: dict[str, int] = {}
    samples: list[tuple[str, str]] = []
    with engine.connect() as connection:
        ids = sorted(stored_articles_of(connection, what))
        for part in chunks(ids):
            rows = connection.execute(
                select(table.c.id, table.c.site, table.c.page_id).where(table.c.id.in_(part))
            ).all()
            for row in rows:
                sites[row.site] = sites.get(row.site, 0) + 1
                pages += row.page_id is not None
            of = schema.revision
            count, with_page = connection.execute(
                select(func.count(), func.count(of.c.page_id)).where(of.c.article_id.in_(part))
            ).one()
            revisions, pages = revisions + count, pages + with_page
            for one, other in ((pair.c.a, pair.c.b), (pair.c.b, pair.c.a)):
                copies.update(connection.execute(select(other).where(one.in_(part))).scalars())
        shown = select(table.c.url, table.c.title).where(table.c.id.in_(ids[:_SAMPLES])).order_by(table.c.id)
        samples = [(url, title) for url, title in connection.execute(shown)]
        rejected = rejections_of(connection, what)
        at = rejections_at(connection, ids)
    locations = {*rejected.locations, *at.locations}
    return ForgetPlan(
        articles=len(ids),
        revisions=revisions,
        pages=pages + len({*rejected.pages, *at.pages}),
        rejections=len(locations),
        copies=len(copies - set(ids)),
        sites=tuple(sorted(sites.items(), key=lambda item: (-item[1], item[0]))),
        samples=tuple(samples),
    )


def forget_targets(
    engine: Engine,
    what: ForgetTarget,
    *,
    settings: Settings,
    now: datetime,
    reason: str | None = None,
    advance: Advance = nobody,
    is_stopped: IsStopped = never,
) -> Forgotten:
    """Deletes everything of the URLs and sites, regroups what stays, and keeps them from being stored again.

    Deleted are texts, older revisions, pages, removed lines, index entries, pairs, rejections at the same
    addresses, and what the crawler keeps of them. Every further address under which such an article was
    fetched gets a tombstone as well.
    """
    in_transaction(engine, lambda c: _add_tombstones(c, what, now, reason))
    with engine.connect() as connection:
        found = stored_articles_of(connection, what)
    articles = rejections = 0
    for part in chunks(sorted(found), _ARTICLES_AT_ONCE):
        if is_stopped():
            return Forgotten(articles, rejections, is_interrupted=True)
        taken = in_transaction(engine, securely(_deletion_of(part, found, settings, now, reason)))
        articles, rejections = articles + taken[0], rejections + taken[1]
        advance(taken[0])
    with engine.connect() as connection:
        rejected = rejections_of(connection, what)
        states = fetch_states_of(connection, what)
        quarantined = quarantined_of(connection, what)
    for locations in chunks(rejected.locations):
        if is_stopped():
            return Forgotten(articles, rejections, is_interrupted=True)
        rejections += in_transaction(engine, securely(_dropping_rejections(locations)))
    for urls in chunks(states):
        in_transaction(engine, securely(_dropping_states(urls)))
    for locations in chunks(quarantined):
        in_transaction(engine, securely(_releasing(locations)))
    return Forgotten(articles, rejections, is_interrupted=False)


def erase_remains(engine: Engine) -> bool:
    """Leaves nothing of deleted texts in the file, unless SQLite moved them within it before (see `space`).

    False if the log could not be emptied because a reader uses it.
    """
    in_transaction(engine, securely(search.compact_index))
    return empty_log(engine)


def lift_tombstones(engine: Engine, what: ForgetTarget) -> list[str]:
    """Deletes tombstones and their aliases; returns the values of those that existed. Restores no article."""

    def take(connection: Connection) -> list[str]:
        table = schema.tombstone
        keys = _keys_of(what)
        given = [
            value
            for part in chunks(keys)
            for value in connection.execute(select(table.c.value).where(table.c.key.in_(part))).scalars()
        ]
        # The name of an alias also lifts the tombstone that it belongs to.
        for part in chunks(keys):
            of = select(table.c.alias_of).where(table.c.key.in_(part), table.c.alias_of.is_not(None))
            keys = {*keys, *connection.execute(of).scalars()}
        for part in chunks(keys):
            connection.execute(delete(table).where(or_(table.c.key.in_(part), table.c.alias_of.in_(part))))
        _allow_again(connection)
        return sorted(given)

    return in_transaction(engine, take)


def _keys_of(what: ForgetTarget) -> set[bytes]:
    names = (*((URL, url) for url in what.urls), *((SITE, site) for site in what.sites))
    return {tombstone_key(kind, value) for kind, value in names}


def _allow_again(connection: Connection) -> None:
    """Deletes the rejections of documents that are not forgotten any more, so that they are read again."""
    table = schema.rejection
    rows = connection.execute(
        select(table.c.location, table.c.url).where(table.c.reason == Reason.FORGOTTEN.value)
    ).all()
    for part in chunks(rows):
        found = withheld_by(connection, [row.url or "" for row in part])
        free = [row for row, stone in zip(part, found, strict=True) if stone is None]
        locations = [row.location for row in free]
        connection.execute(delete(table).where(table.c.location.in_(locations)))
        urls = {canonical_url(name) for row in free for name in (row.location, row.url or "")}
        connection.execute(delete(schema.fetch_state).where(schema.fetch_state.c.url.in_(urls)))


def _add_tombstones(connection: Connection, what: ForgetTarget, now: datetime, reason: str | None) -> None:
    for kind, values in ((SITE, what.sites), (URL, what.urls)):
        for value in values:
            _add_tombstone(connection, kind, value, now, reason, None)


def _add_tombstone(
    connection: Connection, kind: str, value: str, now: datetime, reason: str | None, alias_of: bytes | None
) -> None:
    """Writes a tombstone, unless there is one. An alias may become a tombstone of its own."""
    table, key = schema.tombstone, tombstone_key(kind, value)
    there = connection.execute(select(table.c.key, table.c.alias_of).where(table.c.key == key)).one_or_none()
    if there is not None and (alias_of is not None or there.alias_of is None):
        return
    connection.execute(delete(table).where(table.c.key == key))
    row = {
        "key": key,
        "kind": kind,
        "value": storable_name(value),
        "at": now,
        "reason": None if reason is None else storable_text(reason),
        "alias_of": alias_of,
    }
    connection.execute(insert(table), [row])


def _deletion_of(
    ids: Sequence[int], found: dict[int, bytes], settings: Settings, now: datetime, reason: str | None
) -> Callable[[Connection], tuple[int, int]]:
    def take(connection: Connection) -> tuple[int, int]:
        table, given = schema.article, schema.document
        addresses: dict[int, set[str]] = {}
        asked: set[str] = set()
        for id, url in connection.execute(select(table.c.id, table.c.url).where(table.c.id.in_(ids))):
            addresses[id] = {url}
        query = select(given.c.article_id, given.c.location, given.c.alias)
        for id, location, alias in connection.execute(query.where(given.c.article_id.in_(ids))):
            addresses[id].update([alias] if alias else [])
            asked.update((location, canonical_url(location)))
        for id, urls in sorted(addresses.items()):
            for url, stone in zip(sorted(urls), withheld_by(connection, sorted(urls)), strict=True):
                if stone is None:
                    _add_tombstone(connection, URL, url, now, reason, found[id])
        asked.update(url for urls in addresses.values() for url in urls)
        rejected = rejections_at(connection, ids)
        _drop_rejections(connection, rejected.locations)
        for part in chunks(sorted(asked)):
            connection.execute(delete(schema.fetch_state).where(schema.fetch_state.c.url.in_(part)))
            _releasing(part)(connection)
        return writer.remove_in(connection, ids, settings), len(rejected.locations)

    return take


def _dropping_rejections(locations: Sequence[str]) -> Callable[[Connection], int]:
    def drop(connection: Connection) -> int:
        return _drop_rejections(connection, locations)

    return drop


def _drop_rejections(connection: Connection, locations: Sequence[str]) -> int:
    table = schema.rejection
    gone = 0
    for part in chunks(locations):
        pages = (
            connection.execute(
                select(table.c.page_id).where(table.c.location.in_(part), table.c.page_id.is_not(None))
            )
            .scalars()
            .all()
        )
        gone += connection.execute(delete(table).where(table.c.location.in_(part))).rowcount
        connection.execute(delete(schema.page).where(schema.page.c.id.in_(pages)))
    return gone


def _releasing(locations: Sequence[str]) -> Callable[[Connection], None]:
    def release(connection: Connection) -> None:
        connection.execute(delete(schema.quarantine).where(schema.quarantine.c.location.in_(locations)))

    return release


def _dropping_states(urls: Sequence[str]) -> Callable[[Connection], None]:
    def drop(connection: Connection) -> None:
        connection.execute(delete(schema.fetch_state).where(schema.fetch_state.c.url.in_(urls)))

    return drop
