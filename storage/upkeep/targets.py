"""Finds the articles, rejections and fetch states that an operator names by id, URL, location or site."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    or_,
    select,
)

from pipeline.addresses import address_key, is_url_of_site
from pipeline.document import Reason
from pipeline.errors import OperatorError
from pipeline.urls import canonical_url, site_of, web_url
from storage import schema
from storage.base import (
    chunks,
    storable_name,
    tombstone_key,
)
from storage.writing import SITE, URL, parse_site

# How a URL begins that is written without its scheme or its slashes; of a folder so named its file is meant.
_AS_A_HOST = ("www.", "//", "http:", "https:")

# Conditions of one query.
_HOSTS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class ForgetTarget:
    """What is to be forgotten. urls: in canonical form. sites: as in the column `site`."""

    urls: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()


@dataclass(slots=True)
class _FoundRejections:
    """Rejections that are to be deleted."""

    locations: list[str] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)


def find_targets(engine: Engine, which: Sequence[str], sites: Sequence[str] = ()) -> ForgetTarget:
    """What an operator means by names.

    which: article ids, URLs (also ones that are not stored), or locations of stored documents. Raises
    OperatorError for an id or location that is not stored, and for a name that is no site.
    """
    urls: dict[str, None] = {}
    with engine.connect() as connection:
        for one in which:
            named = one if "://" in one or one.startswith("file:") else None
            if named is None and one.lower().startswith(_AS_A_HOST) and not urls_at(connection, one):
                named = web_url(one)
            if named is not None:
                urls[canonical_url(named)] = None
                if not ids_at(connection, [named])[named]:
                    urls.update(dict.fromkeys(urls_at(connection, one)))
                continue
            at = _urls_of_id(connection, int(one)) if one.isdecimal() and len(one) < 19 else []
            at = at or urls_at(connection, one)
            if not at:
                raise OperatorError(
                    f"no article {one!r} here: name an id, a URL or a location (copydesk show)"
                )
            urls.update(dict.fromkeys(at))
    return ForgetTarget(tuple(urls), tuple(dict.fromkeys(map(parse_site, sites))))


def is_known_site(engine: Engine, site: str) -> bool:
    """Whether the database has anything of the site or of what is under it, or a tombstone for it."""
    what, stone = ForgetTarget(sites=(site,)), schema.tombstone
    with engine.connect() as connection:
        query = select(stone.c.kind).where(stone.c.key == tombstone_key(SITE, site))
        return (
            connection.scalar(query) is not None
            or bool(stored_articles_of(connection, what))
            or bool(rejections_of(connection, what).locations)
            or bool(fetch_states_of(connection, what))
        )


def stored_sites(engine: Engine) -> list[str]:
    """The sites of stored articles."""
    with engine.connect() as connection:
        found = connection.execute(select(schema.article.c.site).distinct()).scalars()
        return sorted(site for site in found if site)


def stored_articles_of(connection: Connection, what: ForgetTarget) -> dict[int, bytes]:
    """The articles that are meant, by id, each with the key of its tombstone."""
    table = schema.article
    found: dict[int, bytes] = {}
    for site in what.sites:
        key = tombstone_key(SITE, site)
        under = or_(table.c.site == site, table.c.site.endswith(f".{site}", autoescape=True))
        ids = connection.execute(select(table.c.id).where(under)).scalars()
        found.update(dict.fromkeys(ids, key))
        for id, url in _named(connection, _names_host([site])):
            if is_url_of_site(site, url):
                found.setdefault(id, key)
    for url, at in ids_at(connection, what.urls).items():
        found.update(dict.fromkeys(at, tombstone_key(URL, url)))
    return found


def ids_at(connection: Connection, urls: Sequence[str]) -> dict[str, set[int]]:
    """The articles of each of these URLs by any spelling (`address_key`), or fetched there."""
    found: dict[str, set[int]] = {url: set() for url in urls}
    by_key = {address_key(url): url for url in urls}
    hosts = {_host_of_key(key) for key, url in by_key.items() if site_of(url)}
    for part in chunks(sorted(hosts), _HOSTS_AT_ONCE):
        for id, url in _named(connection, _names_host(part)):
            if (meant := by_key.get(address_key(url))) is not None:
                found[meant].add(id)
    table, given = schema.article, schema.document
    for url in urls:
        named = [storable_name(name) for name in {url, canonical_url(url)}]
        for query in (
            select(table.c.id).where(table.c.url.in_(named)),
            select(given.c.article_id).where(given.c.alias.in_(named)),
        ):
            found[url].update(connection.execute(query).scalars())
    return found


def _named(
    connection: Connection, narrowed: Callable[[ColumnElement[Any]], ColumnElement[bool]]
) -> Iterator[tuple[int, str]]:
    """The articles with each of their URLs, and the URLs that they were fetched at, where one is like this.

    Every article's URL is compared: spellings have no order by which an index could find them. The index
    `article_url` has them all.
    """
    table, given = schema.article, schema.document
    yield from _streamed(connection, select(table.c.id, table.c.url).where(narrowed(table.c.url)))
    aliases = select(given.c.article_id, given.c.alias).where(given.c.alias.is_not(None))
    yield from _streamed(connection, aliases.where(narrowed(given.c.alias)))


def _urls_of_id(connection: Connection, id: int) -> list[str]:
    return list(connection.execute(select(schema.article.c.url).where(schema.article.c.id == id)).scalars())


def urls_at(connection: Connection, location: str) -> list[str]:
    """The URLs of the articles that documents at this location gave."""
    table, given = schema.article, schema.document
    query = select(table.c.url).join(given, given.c.article_id == table.c.id)
    return sorted(set(connection.execute(query.where(given.c.location == storable_name(location))).scalars()))


def rejections_of(connection: Connection, what: ForgetTarget) -> _FoundRejections:
    """The rejections of the URLs and sites."""
    table = schema.rejection
    found = _FoundRejections()
    for is_meant, narrowed in _meant(what, (table.c.url, table.c.location)):
        query = select(table.c.location, table.c.url, table.c.page_id).where(narrowed)
        for location, url, page_id in _streamed(connection, query.where(_is_of_its_own)):
            if is_meant(url or location) or is_meant(location):
                found.locations.append(location)
                found.pages.extend([] if page_id is None else [page_id])
    return found


# A document that came again after it was forgotten: its rejection holds nothing, and makes it known.
_is_of_its_own = schema.rejection.c.reason != Reason.FORGOTTEN.value


def rejections_at(connection: Connection, ids: Sequence[int]) -> _FoundRejections:
    """The rejections at the locations of these articles' documents: different bytes of the same page."""
    table, given = schema.rejection, schema.document
    found = _FoundRejections()
    for part in chunks(ids):
        at = select(given.c.location).where(given.c.article_id.in_(part))
        query = select(table.c.location, table.c.page_id).where(table.c.location.in_(at), _is_of_its_own)
        for location, page_id in connection.execute(query):
            found.locations.append(location)
            found.pages.extend([] if page_id is None else [page_id])
    return found


def fetch_states_of(connection: Connection, what: ForgetTarget) -> list[str]:
    table = schema.fetch_state
    found = []
    for is_meant, narrowed in _meant(what, (table.c.url,)):
        found += [
            url for (url,) in _streamed(connection, select(table.c.url).where(narrowed)) if is_meant(url)
        ]
    return found


def quarantined_of(connection: Connection, what: ForgetTarget) -> list[str]:
    """The locations in quarantine that are of the URLs and sites."""
    table = schema.quarantine
    found = []
    for is_meant, narrowed in _meant(what, (table.c.url, table.c.location)):
        for location, url in _streamed(connection, select(table.c.location, table.c.url).where(narrowed)):
            if is_meant(url or location) or is_meant(location):
                found.append(location)
    return found


def _meant(
    what: ForgetTarget, columns: Sequence[ColumnElement[Any]]
) -> Iterator[tuple[Callable[[str], bool], ColumnElement[bool]]]:
    """For each site and each URL: a test of an address, and a condition that narrows the search.

    The addresses in these columns are as they were written, so the database can only look for the host, and
    for what may be a host that is percent-encoded.
    """
    for site in what.sites:
        yield partial(is_url_of_site, site), _written(columns, site)
    for url in what.urls:
        key = address_key(url)
        if site_of(url):
            yield partial(_is_twin, key), _written(columns, _host_of_key(key))
        else:
            stored = storable_name(url)
            yield partial(_is_twin, stored), or_(*(column == stored for column in columns))


def _is_twin(key: str, url: str) -> bool:
    return address_key(url) == key


def _host_of_key(key: str) -> str:
    return key.partition("/")[0].partition("?")[0]


def _written(columns: Sequence[ColumnElement[Any]], host: str) -> ColumnElement[bool]:
    narrowed = _names_host([host])
    return or_(*(or_(narrowed(column), column.contains("%", autoescape=True)) for column in columns))


def _names_host(hosts: Sequence[str]) -> Callable[[ColumnElement[Any]], ColumnElement[bool]]:
    """A condition on a column that has URLs: it names one of the hosts, in any of its forms."""
    names = set(hosts)
    for host in hosts:
        if "xn--" in host:
            with suppress(UnicodeError):
                decoded = host.encode().decode("idna")
                names.update((decoded, quote(decoded)))

    def narrowed(column: ColumnElement[Any]) -> ColumnElement[bool]:
        return or_(*(column.icontains(name, autoescape=True) for name in sorted(names)))

    return narrowed


def _streamed(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    yield from connection.execute(query.execution_options(stream_results=True, yield_per=5000))
