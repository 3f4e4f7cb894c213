"""Finds documents that are stored already, and need not be processed or fetched again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import zstandard
from sqlalchemy import ColumnElement, Engine, literal, or_, select

from pipeline.document import Document, MediaType, Origin
from pipeline.settings import Settings
from pipeline.sites import NO_SITE_RULES, SiteRulebook
from pipeline.urls import site_of
from storage import schema
from storage.base import FAILURES, SourceKey, chunks, claims_of, from_microseconds, storable_name
from storage.database import persistently


@dataclass(frozen=True, slots=True)
class FetchState:
    """What a feed or sitemap was last served with; `children`, `read_as`: see `revisits.Validators`."""

    url: str
    etag: str | None
    last_modified: str | None
    fetched_at: datetime
    children: tuple[tuple[str, str], ...]
    read_as: str | None


def known(
    engine: Engine,
    keys: Iterable[SourceKey],
    rules_version: str | None = None,
    site_rules: SiteRulebook = NO_SITE_RULES,
    *,
    killed_run: int | None = None,
) -> set[SourceKey]:
    """Those of the keys whose documents need not be processed: the same bytes, by the same rules, are stored.

    keys: as `source_key` makes them. rules_version: today's general rules where it is None. site_rules: those
    of today's sites; what was made by rules of a site that is not among them is known, and so it is whatever
    was learned of its site since. A document that timed out or failed for a fault of ours is not known: it is
    worth another try, unless it is in quarantine (`storage.writing.quarantine`), or failed in the killed run
    that this one continues.
    """
    rules = rules_version or Settings().rules_version
    by_name: dict[tuple[str, bytes], SourceKey] = {(storable_name(k.location), k.sha256): k for k in keys}
    again = [reason.value for reason in FAILURES]
    document, rejection, article = schema.document, schema.rejection, schema.article
    site = article.c.site if site_rules.sites else literal("")
    made = select(document.c.location, document.c.digest, document.c.rules_version, site)
    if site_rules.sites:
        made = made.join(article, article.c.id == document.c.article_id)
    refused = select(rejection.c.location, rejection.c.digest, rejection.c.rules_version, rejection.c.url)
    refused = refused.where(or_(rejection.c.reason.not_in(again), rejection.c.run_id == killed_run))

    def read() -> set[SourceKey]:
        done: set[SourceKey] = set()
        with engine.connect() as connection:
            for part in chunks({location for location, _ in by_name}):
                for location, digest, version, site in connection.execute(
                    made.where(document.c.location.in_(part))
                ):
                    if (location, digest) in by_name and not site_rules.is_outdated_but_for_learning(
                        version, rules, site
                    ):
                        done.add(by_name[location, digest])
                for location, digest, version, url in connection.execute(
                    refused.where(rejection.c.location.in_(part))
                ):
                    if (location, digest) in by_name and not site_rules.is_outdated_rejection(
                        version, rules, site_of(url) if url and site_rules.sites else ""
                    ):
                        done.add(by_name[location, digest])
        return done

    return persistently(engine, read)


def known_urls(engine: Engine, urls: Iterable[str], *, fetched_since: datetime | None = None) -> set[str]:
    """Those of the URLs that are stored: as an article's own, or as the one that it was fetched from.

    An article that is gone from its site is not among them: who names it says that it is back. fetched_since:
    those that `writer.put_fetch_states` kept as fetched from then on as well, whatever came of it.
    """
    article, given, state = schema.article, schema.document, schema.fetch_state
    gone = select(article.c.id).where(article.c.id == given.c.article_id, article.c.gone_at.is_not(None))
    columns: list[tuple[ColumnElement[str], ColumnElement[bool]]] = [
        (article.c.url, article.c.gone_at.is_(None)),
        (given.c.alias, ~gone.exists()),
        (given.c.location, ~gone.exists()),
    ]
    wanted = {storable_name(url): url for url in urls}

    def read() -> set[str]:
        found: set[str] = set()
        with engine.connect() as connection:
            for part in chunks(wanted):
                for column, is_there in columns:
                    query = select(column).where(column.in_(part), is_there)
                    found.update(connection.execute(query).scalars())
                if fetched_since is not None:
                    recent = select(state.c.url).where(
                        state.c.url.in_(part), state.c.fetched_at >= fetched_since
                    )
                    found.update(connection.execute(recent).scalars())
        return found

    return {wanted[name] for name in persistently(engine, read)}


def fetch_state(engine: Engine, url: str) -> FetchState | None:
    """What `writer.put_fetch_state` last kept for the URL."""
    table = schema.fetch_state

    def read() -> FetchState | None:
        with engine.connect() as connection:
            row = connection.execute(select(table).where(table.c.url == storable_name(url))).one_or_none()
        if row is None:
            return None
        children = tuple((child, kind) for child, kind in row.children or ())
        return FetchState(row.url, row.etag, row.last_modified, row.fetched_at, children, row.read_as)

    return persistently(engine, read)


def document(engine: Engine, article_id: int) -> Document | None:
    """The document that gave the article's current text, as it was fetched; None if it was pruned."""
    table = schema.page
    query = select(table).join(schema.article, schema.article.c.page_id == table.c.id)
    with engine.connect() as connection:
        row = connection.execute(query.where(schema.article.c.id == article_id)).mappings().one_or_none()
    return None if row is None else document_of(row)


def document_of(row: Mapping[Any, Any]) -> Document:
    """The document that a row of the page table was made of. Raises OperatorError if it cannot be read."""
    try:
        return Document(
            location=row["location"],
            url=row["url"],
            body=zstandard.ZstdDecompressor().decompress(row["body"], max_output_size=row["size"]),
            media_type=MediaType(row["media_type"]),
            fetched_at=from_microseconds(row["fetched_us"]),
            origin=Origin(row["origin"]),
            encoding=row["encoding"],
            publisher=row["publisher"],
            claims=claims_of(row["claims"]),
            headers=tuple((str(name), str(value)) for name, value in row["headers"] or ()),
        )
    except (
        zstandard.ZstdError,
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        raise schema.damaged_value(
            f"the stored page of {row['location']} cannot be read ({error})"
        ) from error
