"""Finds the articles, rejections and fetch states that an operator names by id, URL, location or site."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    or_,
    select,
)

from pipeline.document import Reason
from pipeline.errors import OperatorError
from pipeline.urls import address_key, canonical_url, site_of, twins
from storage import schema
from storage.base import (
    chunks,
    storable_name,
)
from storage.writing import SITE, URL, is_url_of_site, key_of, parse_site


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
            if "://" in one or one.startswith("file:"):
                urls[canonical_url(one)] = None
                found = ids_at(connection, one)
                if not found:
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


def stored_articles_of(connection: Connection, what: ForgetTarget) -> dict[int, bytes]:
    """The articles that are meant, by id, each with the key of its tombstone."""
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
            if is_url_of_site(site, alias):
                found.setdefault(id, key)
    for url in what.urls:
        for id in ids_at(connection, url):
            found[id] = key_of(URL, url)
    return found


def ids_at(connection: Connection, url: str) -> set[int]:
    """The articles of this URL or of a twin of it (http, www., m., amp.), or fetched there."""
    table, given = schema.article, schema.document
    named = [storable_name(name) for name in (*twins(url), url)]
    ids = set(connection.execute(select(table.c.id).where(table.c.url.in_(named))).scalars())
    ids.update(connection.execute(select(given.c.article_id).where(given.c.alias.in_(named))).scalars())
    return ids


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


def _meant(
    what: ForgetTarget, columns: Sequence[ColumnElement[Any]]
) -> Iterator[tuple[Callable[[str], bool], ColumnElement[bool]]]:
    """For each site and each URL: a test of an address, and a condition that narrows the search.

    The addresses in these columns are as they were written, so the database can only look for the host.
    """
    for site in what.sites:
        yield partial(is_url_of_site, site), _names_host(columns, site)
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


def _streamed(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    yield from connection.execute(query.execution_options(stream_results=True, yield_per=5000))
