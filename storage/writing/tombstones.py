"""Tombstones: what `copydesk forget` deleted is not stored again.

A tombstone names a URL or a site, and holds nothing of its articles. Every writing transaction calls
`withhold`. So wherever a document comes from (a file, a crawl, different rules over a stored page), it ends
as a rejection with a reason of its own, without its bytes. A URL is compared by `addresses.address_key`: its
spellings, its twins and the caches that show it are one. An article is looked up by its own URL and by the
one it was fetched from, so a page that states a forgotten URL as its canonical link is kept out too. A site
includes what is under it: `example.com` also means `news.example.com`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Engine, select

from pipeline.addresses import sites_above, sites_of
from pipeline.document import Article, Outcome, Reason, Rejection, Stage
from pipeline.errors import OperatorError
from pipeline.urls import site_of
from storage import schema
from storage.base import chunks, tombstone_key
from storage.database import persistently
from storage.schema import utc_text

URL, SITE = "url", "site"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """kind: `url` or `site`. value: the canonical URL, or the site. aliases: other URLs of the same."""

    kind: str
    value: str
    at: datetime
    reason: str | None
    aliases: tuple[str, ...] = ()


def list_tombstones(engine: Engine) -> list[Tombstone]:
    """Every tombstone, the latest first."""
    table = schema.tombstone
    with engine.connect() as connection:
        rows = connection.execute(
            select(table).order_by(table.c.at.desc(), table.c.kind, table.c.value)
        ).all()
    aliases: dict[bytes, list[str]] = {}
    for row in rows:
        if row.alias_of is not None:
            aliases.setdefault(row.alias_of, []).append(row.value)
    return [
        Tombstone(row.kind, row.value, row.at, row.reason, tuple(aliases.get(row.key, ())))
        for row in rows
        if row.alias_of is None
    ]


def withheld_urls(engine: Engine, urls: Iterable[str]) -> set[str]:
    """Those of the URLs that are not to be stored again, and so need not be fetched."""
    wanted = list(set(urls))

    def read() -> list[Tombstone | None]:
        with engine.connect() as connection:
            return withheld_by(connection, wanted)

    found = persistently(engine, read)
    return {url for url, stone in zip(wanted, found, strict=True) if stone}


def withheld_by(connection: Connection, urls: Sequence[str]) -> list[Tombstone | None]:
    """For each of the URLs, the tombstone that keeps it out."""
    return stones_at(connection, [([url], "") for url in urls])


def withheld(engine: Engine, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """As `withhold`, for other uses of outcomes than storing them. Raises DatabaseError."""

    def read() -> list[Outcome]:
        with engine.connect() as connection:
            return withhold(connection, outcomes)

    return persistently(engine, read)


def withhold(connection: Connection, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes, with a rejection in place of each that was forgotten.

    It keeps the page, of which `ledger` takes the digest and nothing else, so that the document is known.
    """
    found = stones_at(connection, [_addresses(outcome) for outcome in outcomes])
    return [
        outcome if stone is None else _rejected(outcome, stone)
        for outcome, stone in zip(outcomes, found, strict=True)
    ]


def parse_site(text: str) -> str:
    """A site as it was typed, a host or a URL, as the `site` column has it. Raises OperatorError."""
    typed = text.strip()
    site = site_of(typed if "://" in typed else f"https://{typed}")
    if not site or any(c.isspace() for c in site):
        raise OperatorError(f"{text!r} is no site: write its host, e.g. example.com")
    return site


def stones_at(
    connection: Connection, addresses: Sequence[tuple[Sequence[str], str]]
) -> list[Tombstone | None]:
    """For each (URLs, site), the tombstone of one of the URLs, of their sites, or of the site."""
    nothing: list[Tombstone | None] = [None] * len(addresses)
    table = schema.tombstone
    if connection.scalar(select(table.c.kind).limit(1)) is None:
        return nothing
    keys = [_keys(urls, site) for urls, site in addresses]
    stones: dict[bytes, Tombstone] = {}
    for part in chunks({key for of_one in keys for key in of_one}):
        for row in connection.execute(select(table).where(table.c.key.in_(part))):
            stones[row.key] = Tombstone(row.kind, row.value, row.at, row.reason)
    return [next((stones[key] for key in of_one if key in stones), None) for of_one in keys]


def _addresses(outcome: Outcome) -> tuple[list[str], str]:
    # Not by the location: what was asked for may have led elsewhere, tomorrow to another article.
    named = (outcome.url, outcome.page.url if outcome.page else None)
    site = outcome.site if isinstance(outcome, Article) else ""
    return [url for url in dict.fromkeys(named) if url], site


def _keys(urls: Sequence[str], site: str) -> list[bytes]:
    sites = dict.fromkeys([*(site for url in urls for site in sites_of(url)), *sites_above(site)])
    return [*(tombstone_key(URL, url) for url in urls), *(tombstone_key(SITE, site) for site in sites)]


def _rejected(outcome: Outcome, stone: Tombstone) -> Rejection:
    detail = f"{stone.kind} {stone.value} was forgotten on {utc_text(stone.at)}"
    if isinstance(outcome, Rejection):
        return replace(outcome, stage=Stage.STORE, reason=Reason.FORGOTTEN, detail=detail)
    assert isinstance(outcome, Article)
    return Rejection(
        location=outcome.location,
        url=outcome.url,
        stage=Stage.STORE,
        reason=Reason.FORGOTTEN,
        detail=detail[:2000],
        at=outcome.page.fetched_at,
        rules_version=outcome.rules_version,
        page=outcome.page,
    )
