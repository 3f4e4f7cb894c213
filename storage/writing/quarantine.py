"""Quarantine: what twice hung or killed its worker is not tried again until rules or code change.

A document of a file, and a stored page, are known by their location and bytes. A page of a crawl is known by
its URL alone, because many pages have different bytes each time; so is a feed, sitemap or section page. Every
writing transaction calls `note`, which counts failures in a row. A site's learned lines are no part of the
version: they change daily and are not what hangs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select

from pipeline.document import Document, Outcome, Reason, Rejection, Stage, has_cost_worker
from pipeline.settings import Settings, attempt_version
from pipeline.urls import site_of
from storage import schema
from storage.base import (
    SourceKey,
    chunks,
    from_microseconds,
    microseconds,
    page_digest,
    storable,
    storable_name,
    stored_page_digest,
)
from storage.database import in_transaction, persistently

# So many failures in a row put a document into quarantine. One may be a busy machine's fault.
MAX_FAILURES = 2

# The row of each digest at one location.
FailureRows = Mapping[bytes, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A document that failed at least MAX_FAILURES times in a row.

    url: of the document, if it is known. reason, detail: of the last failure. fetched_at: of its bytes.
    is_held: not tried again; false if rules or code have changed, so that it is tried when it comes again.
    """

    location: str
    url: str | None
    failures: int
    reason: str
    detail: str
    fetched_at: datetime
    is_held: bool


def note(connection: Connection, outcomes: Sequence[Outcome], settings: Settings) -> list[Outcome]:
    """Count the failures among storable outcomes, and release what succeeded.

    Returns the outcomes, with a rejection of reason QUARANTINED in place of each that has failed too often.
    """
    locations = {outcome.location for outcome in outcomes}
    if not any(map(has_cost_worker, outcomes)) and not _has_any(connection):
        return list(outcomes)
    before = _load(connection, locations)
    noted, after = count_failures(before, outcomes, settings)
    _put(connection, before, after)
    return noted


def count_failures(
    before: Mapping[str, FailureRows], outcomes: Sequence[Outcome], settings: Settings
) -> tuple[list[Outcome], dict[str, dict[bytes, Mapping[str, Any]]]]:
    """As `note`, in memory. before: the rows at the locations of the outcomes; the second result, after."""
    after = {location: dict(rows) for location, rows in before.items()}
    noted: list[Outcome] = []
    for outcome in outcomes:
        if isinstance(outcome, Rejection) and has_cost_worker(outcome):
            rows = after.setdefault(outcome.location, {})
            digest = page_digest(outcome.page) if outcome.page else b""
            rows[digest] = _row(outcome, digest, rows.get(digest), settings)
            version = rows[digest]["version"]
            held = _held(outcome.location, rows, digest, version)
            noted.append(outcome if held is None else _rejected(outcome, held))
            continue
        noted.append(outcome)
        if outcome.page is not None and not _is_withheld(outcome) and outcome.location in after:
            digest, fetched_us = page_digest(outcome.page), microseconds(outcome.page.fetched_at)
            rows = after[outcome.location]
            for other in [d for d, row in rows.items() if d == digest or row["fetched_us"] <= fetched_us]:
                del rows[other]
    return noted, after


def note_failures(engine: Engine, outcomes: Sequence[Outcome], settings: Settings) -> None:
    """Count failures of documents whose stored outcome stays as it is. Raises DatabaseError."""
    if outcomes:
        in_transaction(engine, lambda connection: note(connection, outcomes, settings))


def held_documents(engine: Engine, urls: Mapping[SourceKey, str], settings: Settings) -> set[SourceKey]:
    """Those of the documents that are not to be tried again. urls: the URL of each."""
    rows = _read(engine, {storable_name(key.location) for key in urls})
    return {
        key
        for key, url in urls.items()
        if (at := rows.get(name := storable_name(key.location)))
        and _held(name, at, key.sha256, _version(key.location, url, settings)) is not None
    }


def held_urls(engine: Engine, urls: Iterable[str], settings: Settings) -> set[str]:
    """Those of the URLs that a crawl is not to request again."""
    named = {storable_name(url): url for url in urls}
    rows = _read(engine, named)
    return {
        url
        for name, url in named.items()
        if name in rows and _held(name, rows[name], b"", _version(url, url, settings)) is not None
    }


def held_locations(engine: Engine, settings: Settings) -> dict[str, str]:
    """All locations that are not to be tried again, each with the reason as in `why_held`. One read."""
    return {one.location: _said(asdict(one)) for one in list_quarantine(engine, settings) if one.is_held}


def why_held(engine: Engine, url: str, settings: Settings) -> str | None:
    """Why a source is not to be tried again, such as "2 times in a row: timeout: …"; None for any other."""
    held = _held_at(engine, url, url, settings)
    return None if held is None else _said(held)


def note_source_failure(engine: Engine, url: str, reason: Reason, detail: str, settings: Settings) -> None:
    """Count that a source hung or killed its worker. Raises DatabaseError."""
    failure = Rejection(
        location=url,
        url=url,
        stage=Stage.WORKER,
        reason=reason,
        detail=detail,
        at=datetime.now(UTC),
        rules_version=settings.rules_version,
    )
    note_failures(engine, [storable(failure)], settings)


def note_source_success(engine: Engine, url: str) -> None:
    """Release a source that was read. Raises DatabaseError."""
    name, table = storable_name(url), schema.quarantine
    if _read(engine, [name]):
        in_transaction(
            engine, lambda connection: connection.execute(delete(table).where(table.c.location == name))
        )


def withheld(engine: Engine, document: Document, settings: Settings) -> Rejection | None:
    """The outcome of a crawl's document that is not to be tried again; None for any other."""
    held = _held_at(engine, document.location, document.url, settings)
    if held is None:
        return None
    blank = Rejection(
        location=document.location,
        url=document.url,
        stage=Stage.WORKER,
        reason=Reason.QUARANTINED,
        detail="",
        at=document.fetched_at,
        rules_version=settings.rules_version,
    )
    return _rejected(blank, held)


def list_quarantine(
    engine: Engine, settings: Settings, locations: Iterable[str] | None = None
) -> list[Quarantined]:
    """What is in quarantine, what was fetched last first. locations: only there."""
    names = None if locations is None else set(map(storable_name, locations))
    found = []
    for name, rows in _read(engine, names).items():
        for held in _all_held(name, rows):
            is_held = held["version"] == _version(name, held["url"], settings)
            fetched_at = from_microseconds(held["fetched_us"])
            said = (held["failures"], held["reason"], held["detail"])
            found.append(Quarantined(name, held["url"], *said, fetched_at, is_held))
    return sorted(found, key=lambda one: (one.fetched_at, one.location), reverse=True)


def quarantined_pages(engine: Engine, settings: Settings | None = None) -> frozenset[int]:
    """Ids of the stored pages that are in quarantine. settings: only of those that it still holds."""

    def read() -> frozenset[int]:
        with engine.connect() as connection:
            failed = {
                (name, digest)
                for name, rows in _load(connection, None).items()
                for digest, row in rows.items()
                if _held(name, rows, digest, row["version"]) is not None
                and (settings is None or row["version"] == _version(name, row["url"], settings))
            }
            return _pages_of(connection, failed)

    return persistently(engine, read)


def release_unstored(engine: Engine) -> int:
    """Release what is in quarantine without a stored page, so that it is tried when it comes again."""

    def release(connection: Connection) -> int:
        table, gone = schema.quarantine, 0
        for name, rows in _load(connection, None).items():
            for digest, row in rows.items():
                is_held = _held(name, rows, digest, row["version"]) is not None
                if is_held and not _pages_of(connection, {(name, digest)}):
                    at = (table.c.location == name, table.c.digest == digest)
                    gone += connection.execute(delete(table).where(*at)).rowcount
        return gone

    return in_transaction(engine, release)


def _version(location: str, url: str | None, settings: Settings) -> str:
    # The location of a crawl's document comes first: before a request nothing else is known of a page.
    host = site_of(location) or site_of(url or "")
    return attempt_version(settings.rules_version, settings.site_rules, host)


def _row(
    outcome: Rejection, digest: bytes, before: Mapping[str, Any] | None, settings: Settings
) -> Mapping[str, Any]:
    version = _version(outcome.location, outcome.url, settings)
    is_in_row = before is not None and before["version"] == version
    return {
        "location": outcome.location,
        "digest": digest,
        "fetched_us": microseconds(outcome.at),
        "url": outcome.url,
        "version": version,
        "failures": (before["failures"] if before is not None and is_in_row else 0) + 1,
        "reason": outcome.reason.value,
        "detail": outcome.detail,
    }


def _held(location: str, rows: FailureRows, digest: bytes, version: str) -> Mapping[str, Any] | None:
    """The last failure, with the number of all, if the document is in quarantine for this version."""
    failed = [row for row in rows.values() if row["version"] == version]
    if not _is_url(location):
        failed = [row for row in failed if row["digest"] == digest]
    failures = sum(row["failures"] for row in failed)
    if failures < MAX_FAILURES:
        return None
    last = max(failed, key=lambda row: (row["fetched_us"], row["digest"]))
    return {**last, "failures": failures}


def _held_at(engine: Engine, location: str, url: str, settings: Settings) -> Mapping[str, Any] | None:
    name = storable_name(location)
    rows = _read(engine, [name]).get(name)
    return _held(name, rows, b"", _version(name, url, settings)) if rows else None


def _all_held(location: str, rows: FailureRows) -> list[Mapping[str, Any]]:
    """What is in quarantine at a location, for whichever version: of a URL the latest."""
    held = [_held(location, rows, digest, row["version"]) for digest, row in rows.items()]
    found = {(row["digest"], row["version"]): row for row in held if row is not None}
    latest = sorted(found.values(), key=lambda row: (row["fetched_us"], row["digest"]))
    return latest[-1:] if _is_url(location) else latest


def _rejected(outcome: Rejection, held: Mapping[str, Any]) -> Rejection:
    return replace(outcome, reason=Reason.QUARANTINED, detail=_said(held)[:500])


def _said(held: Mapping[str, Any]) -> str:
    return f"{held['failures']} times in a row: {held['reason']}: {held['detail']}"


def _is_withheld(outcome: Outcome) -> bool:
    return isinstance(outcome, Rejection) and outcome.reason is Reason.QUARANTINED


def _is_url(location: str) -> bool:
    return location.startswith(("http://", "https://"))


def _has_any(connection: Connection) -> bool:
    return connection.scalar(select(schema.quarantine.c.failures).limit(1)) is not None


def _read(engine: Engine, locations: Iterable[str] | None) -> Mapping[str, FailureRows]:
    def read() -> Mapping[str, FailureRows]:
        with engine.connect() as connection:
            return _load(connection, locations) if _has_any(connection) else {}

    return persistently(engine, read)


def _load(connection: Connection, locations: Iterable[str] | None) -> Mapping[str, FailureRows]:
    """The rows at these locations; all rows where they are None."""
    table = schema.quarantine
    found: dict[str, dict[bytes, Mapping[str, Any]]] = {}
    parts: Iterable[Any] = [None] if locations is None else chunks(sorted(locations))
    for part in parts:
        query = select(table) if part is None else select(table).where(table.c.location.in_(part))
        for row in connection.execute(query).mappings():
            found.setdefault(row["location"], {})[row["digest"]] = dict(row)
    return found


def _put(connection: Connection, before: Mapping[str, FailureRows], after: Mapping[str, FailureRows]) -> None:
    table = schema.quarantine
    changed = sorted(name for name, rows in after.items() if rows != before.get(name, {}))
    for part in chunks(changed):
        connection.execute(delete(table).where(table.c.location.in_(part)))
    new = [row for name in changed for row in after[name].values()]
    if new:
        connection.execute(insert(table), new)


def _pages_of(connection: Connection, documents: set[tuple[str, bytes]]) -> frozenset[int]:
    """The stored pages with these locations and digests."""
    page, of = schema.page, schema.document
    given = [column for column in page.c if column is not page.c.body]
    found: set[int] = set()
    for part in chunks(sorted({location for location, _ in documents})):
        texts = select(of.c.article_id).where(of.c.location.in_(part))
        ids: set[int | None] = set()
        for query in (
            select(schema.rejection.c.page_id).where(schema.rejection.c.location.in_(part)),
            select(schema.article.c.page_id).where(schema.article.c.id.in_(texts)),
            select(schema.revision.c.page_id).where(schema.revision.c.article_id.in_(texts)),
        ):
            ids.update(connection.execute(query).scalars())
        for some in chunks(sorted(id for id in ids if id is not None)):
            for row in connection.execute(select(*given).where(page.c.id.in_(some))).mappings():
                if (row["location"], stored_page_digest(row)) in documents:
                    found.add(row["id"])
    return frozenset(found)
