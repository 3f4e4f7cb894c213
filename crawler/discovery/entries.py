"""Entries of feeds, sitemaps and section pages: an address, and what the source says about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urljoin

from pipeline.document import Claims

_ENTITY = re.compile(rb"<!\s*ENTITY", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One address that a source names.

    at: aware, UTC: when the entry says that it was last changed or published, if it does.
    claims: what the entry says about the article, besides its address.
    """

    url: str
    at: datetime | None = None
    claims: Claims = field(default_factory=Claims)


def absolute(base: str, link: str) -> str:
    """Return the link relative to the base; the link itself if it is not an address."""
    try:
        return urljoin(base, link.strip())
    except ValueError:
        return link


def w3c_date(text: str) -> datetime | None:
    """Parse a W3C date or time (2026-03-01, 2026-03-01T10:00Z) into UTC; None for anything else."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def refuse_entities(body: bytes) -> None:
    """Raise ValueError for XML that declares entities: entity bombs do, and no feed or sitemap needs to."""
    # UTF-16 and UTF-32 spell the declaration with NUL bytes in between.
    if _ENTITY.search(body) or _ENTITY.search(body[:100_000].replace(b"\0", b"")):
        raise ValueError("declares XML entities, which no feed or sitemap needs")
