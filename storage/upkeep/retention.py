"""What is not kept: pages that have grown old (`prune`), and what must not be here at all (`forget`).

Both come in two steps, so that an operator is told first: a plan, which counts, and its execution in
transactions of a bounded size. Either may be stopped anywhere and done again: the rest is done then.

A pruned page is a row less in `page`; what came of it stays, with no page. What its document is known by
stands in `document` and `rejection`, so nothing is fetched or stored again for it; only other rules can
not be tried on it any more.

`forget` writes its tombstones first, in a transaction of their own. From then on nothing of it comes in, and
what is found afterwards is all there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from pipeline.document import Reason
from pipeline.errors import OperatorError
from pipeline.settings import Settings
from pipeline.urls import address_key, canonical_url, site_of, twins
from storage import schema, search, writer
from storage.base import empty_log, from_microseconds, microseconds, securely, storable_name, storable_text
from storage.database import in_transaction
from storage.writing import SITE, URL, chunks, is_under, key_of, parse_site, withheld_by

# Pages and articles a transaction: readers and other writers wait for none longer than a second or so.
_PAGES_AT_ONCE = 200
_ARTICLES_AT_ONCE = 50

_SAMPLES = 10

Advance = Callable[[int], None]
IsStopped = Callable[[], bool]


def _never() -> bool:
    return False


def _nobody(_: int) -> None:
    pass


# --- prune --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """pages, size: how many pages go, and their bytes as they are stored, compressed.

    oldest, newest: when they were fetched, None for no pages. kept_pages, kept_size: what stays. before:
    (microseconds from 1970, page id) of what is the first to stay. last: greatest id of a page that was
    there; what is stored later is not touched.
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
    """pages, size: what went. is_interrupted: the same again goes on."""

    pages: int
    size: int
    is_interrupted: bool


def plan_prune(
    engine: Engine, *, older_than: datetime | None = None, keep_size: int | None = None
) -> PrunePlan:
    """What `prune` would drop: pages fetched before `older_than`, and the oldest ones that are too many for
    `keep_size` bytes (as stored). Reads an entry a page, not the pages.
    """
    table = schema.page
    stored = func.length(table.c.body)
    before = (microseconds(older_than), 0) if older_than else (0, 0)
    with engine.connect() as connection:
        if keep_size is not None:
            before = max(before, _over(connection, keep_size))
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


def _over(connection: Connection, keep_size: int) -> tuple[int, int]:
    """(time of fetch, id) of the oldest page that still fits, going back from the newest."""
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


def prune(
    engine: Engine, plan: PrunePlan, *, advance: Advance = _nobody, is_stopped: IsStopped = _never
) -> Pruned:
    """Drops the pages of the plan that are there yet. advance: is told how many more were dropped."""
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
    """Deletes pages; what came of them is left, without."""
    for part in chunks(ids):
        for table in (schema.article, schema.revision, schema.rejection):
            connection.execute(update(table).where(table.c.page_id.in_(part)).values(page_id=None))
        connection.execute(delete(schema.page).where(schema.page.c.id.in_(part)))


# --- forget -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be forgotten. urls: in canonical form. sites: as in the `site` column."""

    urls: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForgetPlan:
    """What `forget` would take out. revisions: older texts of the articles. copies: articles that stay,
    because they are copies at other addresses. samples: (url, title) of a few of the articles.
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
    """What went. is_interrupted: nothing of it comes in again, but not all is out: the same again goes on."""

    articles: int
    rejections: int
    is_interrupted: bool


@dataclass(slots=True)
class _Rejected:
    """Rejections that are to go."""

    locations: list[str] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)


def wanted(engine: Engine, which: Sequence[str], sites: Sequence[str] = ()) -> Wanted:
    """What an operator means. which: article ids, URLs (also ones that are not stored), or locations of
    stored documents. Raises OperatorError for an id or location that is not here, and for what is no site.
    """
    urls: dict[str, None] = {}
    with engine.connect() as connection:
        for one in which:
            if "://" in one or one.startswith("file:"):
                urls[canonical_url(one)] = None
                found = _ids_at(connection, one)
                if not found:
                    urls.update(dict.fromkeys(_urls_at(connection, one)))
                continue
            at = _url_of(connection, int(one)) if one.isdecimal() and len(one) < 19 else []
            at = at or _urls_at(connection, one)
            if not at:
                raise OperatorError(
                    f"no article {one!r} here: name an id, a URL or a location (copydesk show)"
                )
            urls.update(dict.fromkeys(at))
    return Wanted(tuple(urls), tuple(dict.fromkeys(map(parse_site, sites))))


def plan_forget(engine: Engine, what: Wanted) -> ForgetPlan:
    """What `forget` would take out now."""
    table, pair = schema.article, schema.pair
    revisions = pages = 0
    copies: set[int] = set()
    sites: dict[str, int] = {}
    samples: list[tuple[str, str]] = []
    with engine.connect() as connection:
        ids = sorted(stored_of(connection, what))
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
        rejected = _rejections(connection, what)
        at = _rejections_at(connection, ids)
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


def forget(
    engine: Engine,
    what: Wanted,
    *,
    settings: Settings,
    now: datetime,
    reason: str | None = None,
    advance: Advance = _nobody,
    is_stopped: IsStopped = _never,
) -> Forgotten:
    """Takes everything of the URLs and sites out, regroups what stays, and keeps it from coming back.

    Texts, older revisions, pages, removed lines, index, pairs, rejections at the same addresses, what the
    crawler kept of them. Also each other address under which such an article was fetched is kept out.
    """
    in_transaction(engine, lambda c: _mark(c, what, now, reason))
    with engine.connect() as connection:
        found = stored_of(connection, what)
    articles = rejections = 0
    for part in chunks(sorted(found), _ARTICLES_AT_ONCE):
        if is_stopped():
            return Forgotten(articles, rejections, is_interrupted=True)
        taken = in_transaction(engine, securely(_taking_out(part, found, settings, now, reason)))
        articles, rejections = articles + taken[0], rejections + taken[1]
        advance(taken[0])
    with engine.connect() as connection:
        rejected = _rejections(connection, what)
        states = _fetch_states(connection, what)
    for locations in chunks(rejected.locations):
        if is_stopped():
            return Forgotten(articles, rejections, is_interrupted=True)
        rejections += in_transaction(engine, securely(_dropping_rejections(locations)))
    for urls in chunks(states):
        in_transaction(engine, securely(_dropping_states(urls)))
    return Forgotten(articles, rejections, is_interrupted=False)


def erase(engine: Engine) -> bool:
    """What is left to do so that the file holds nothing of what was forgotten, as far as it was not moved
    about in it before (see `space`). False where the log could not be emptied, because somebody reads it.
    """
    in_transaction(engine, securely(search.compact_index))
    return empty_log(engine)


def lift(engine: Engine, what: Wanted) -> list[str]:
    """Takes tombstones away again, with their aliases; returns those that there were. Brings nothing back."""

    def take(connection: Connection) -> list[str]:
        table = schema.tombstone
        keys = _keys_of(what)
        given = [
            value
            for part in chunks(keys)
            for value in connection.execute(select(table.c.value).where(table.c.key.in_(part))).scalars()
        ]
        # An alias that is named lifts what it is an alias of.
        for part in chunks(keys):
            of = select(table.c.alias_of).where(table.c.key.in_(part), table.c.alias_of.is_not(None))
            keys = {*keys, *connection.execute(of).scalars()}
        for part in chunks(keys):
            connection.execute(delete(table).where(or_(table.c.key.in_(part), table.c.alias_of.in_(part))))
        _allow_again(connection)
        return sorted(given)

    return in_transaction(engine, take)


def _keys_of(what: Wanted) -> set[bytes]:
    return {*(key_of(URL, url) for url in what.urls), *(key_of(SITE, site) for site in what.sites)}


def _allow_again(connection: Connection) -> None:
    """Deletes the rejections of what is not forgotten any more, so that it is not known."""
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


def _mark(connection: Connection, what: Wanted, now: datetime, reason: str | None) -> None:
    for kind, values in ((SITE, what.sites), (URL, what.urls)):
        for value in values:
            _bury(connection, kind, value, now, reason, None)


def _bury(
    connection: Connection, kind: str, value: str, now: datetime, reason: str | None, alias_of: bytes | None
) -> None:
    """Writes a tombstone, unless there is one; what was an alias may become one of its own."""
    table, key = schema.tombstone, key_of(kind, value)
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


def stored_of(connection: Connection, what: Wanted) -> dict[int, bytes]:
    """The articles that are meant, by id, each with the key of the tombstone that is theirs."""
    table, given = schema.article, schema.document
    found: dict[int, bytes] = {}
    for site in what.sites:
        key = key_of(SITE, site)
        under = or_(table.c.site == site, table.c.site.endswith(f".{site}", autoescape=True))
        ids = connection.execute(select(table.c.id).where(under)).scalars()
        found.update(dict.fromkeys(ids, key))
        query = select(given.c.article_id, given.c.alias).where(
            given.c.alias.is_not(None), given.c.alias.contains(site, autoescape=True)
        )
        for id, alias in _streamed(connection, query):
            if is_under(site, alias):
                found.setdefault(id, key)
    for url in what.urls:
        for id in _ids_at(connection, url):
            found[id] = key_of(URL, url)
    return found


def _ids_at(connection: Connection, url: str) -> set[int]:
    """The articles of this URL or of a twin of it, or fetched there."""
    table, given = schema.article, schema.document
    named = [storable_name(name) for name in (*twins(url), url)]
    ids = set(connection.execute(select(table.c.id).where(table.c.url.in_(named))).scalars())
    ids.update(connection.execute(select(given.c.article_id).where(given.c.alias.in_(named))).scalars())
    return ids


def _url_of(connection: Connection, id: int) -> list[str]:
    return list(connection.execute(select(schema.article.c.url).where(schema.article.c.id == id)).scalars())


def _urls_at(connection: Connection, location: str) -> list[str]:
    """The URLs of the articles that documents at this location gave."""
    table, given = schema.article, schema.document
    query = select(table.c.url).join(given, given.c.article_id == table.c.id)
    return sorted(set(connection.execute(query.where(given.c.location == storable_name(location))).scalars()))


def _rejections(connection: Connection, what: Wanted) -> _Rejected:
    """Those that the URLs or sites ended as."""
    table = schema.rejection
    found = _Rejected()
    for is_meant, narrowed in _meant(what, (table.c.url, table.c.location)):
        query = select(table.c.location, table.c.url, table.c.page_id).where(narrowed)
        for location, url, page_id in _streamed(connection, query.where(_is_of_its_own)):
            if is_meant(url or location) or is_meant(location):
                found.locations.append(location)
                found.pages.extend([] if page_id is None else [page_id])
    return found


# What the gate wrote for what came again: there is nothing in it, and it is what the document is known by.
_is_of_its_own = schema.rejection.c.reason != Reason.FORGOTTEN.value


def _rejections_at(connection: Connection, ids: Sequence[int]) -> _Rejected:
    """Those at the locations of these articles' documents: other bytes of the same page."""
    table, given = schema.rejection, schema.document
    found = _Rejected()
    for part in chunks(ids):
        at = select(given.c.location).where(given.c.article_id.in_(part))
        query = select(table.c.location, table.c.page_id).where(table.c.location.in_(at), _is_of_its_own)
        for location, page_id in connection.execute(query):
            found.locations.append(location)
            found.pages.extend([] if page_id is None else [page_id])
    return found


def _fetch_states(connection: Connection, what: Wanted) -> list[str]:
    table = schema.fetch_state
    found = []
    for is_meant, narrowed in _meant(what, (table.c.url,)):
        found += [
            url for (url,) in _streamed(connection, select(table.c.url).where(narrowed)) if is_meant(url)
        ]
    return found


def _meant(
    what: Wanted, columns: Sequence[ColumnElement[Any]]
) -> Iterator[tuple[Callable[[str], bool], ColumnElement[bool]]]:
    """For each site and each URL: whether an address is meant, and what the database can say of that.

    The addresses in these columns are as they were written, so the database can only look for the host.
    """
    for site in what.sites:
        yield partial(is_under, site), _names_host(columns, site)
    for url in what.urls:
        if site_of(url):
            host = address_key(url).partition("/")[0].partition("?")[0].partition(":")[0]
            yield partial(_is_twin, address_key(url)), _names_host(columns, host)
        else:
            stored = storable_name(url)
            yield partial(_is_twin, stored), or_(*(column == stored for column in columns))


def _is_twin(key: str, url: str) -> bool:
    return address_key(url) == key


def _names_host(columns: Sequence[ColumnElement[Any]], host: str) -> ColumnElement[bool]:
    names = {host}
    if "xn--" in host:
        with suppress(UnicodeError):
            names.add(host.encode().decode("idna"))
    return or_(*(column.icontains(name, autoescape=True) for column in columns for name in sorted(names)))


def _taking_out(
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
                    _bury(connection, URL, url, now, reason, found[id])
        asked.update(url for urls in addresses.values() for url in urls)
        rejected = _rejections_at(connection, ids)
        _drop_rejections(connection, rejected.locations)
        for part in chunks(sorted(asked)):
            connection.execute(delete(schema.fetch_state).where(schema.fetch_state.c.url.in_(part)))
        return writer.remove(connection, ids, settings), len(rejected.locations)

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


def _dropping_states(urls: Sequence[str]) -> Callable[[Connection], None]:
    def drop(connection: Connection) -> None:
        connection.execute(delete(schema.fetch_state).where(schema.fetch_state.c.url.in_(urls)))

    return drop


def _streamed(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    yield from connection.execute(query.execution_options(stream_results=True, yield_per=5000))
