"""A site and entries of its sources, for tests that fetch nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crawler.discovery import SourceEntry
from crawler.sites.site import Site

NOW = datetime.now(UTC)
HOME = "https://gazette.example/"
STORIES = f"{HOME}story/"
SITE = Site(key="gazette", name="The Gazette", homepage=HOME)


def entry(number: int, days: float | None = None) -> SourceEntry:
    """The entry of a story that is so many days old; without a date by default."""
    return SourceEntry(f"{STORIES}{number}", None if days is None else NOW - timedelta(days=days))
