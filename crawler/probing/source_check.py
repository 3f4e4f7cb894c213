"""Checks a source by its entries: whether it is fresh, and names articles of the site."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from crawler.discovery import SourceEntry, SourceKind
from crawler.sites import Site, is_article_url
from pipeline.counts import counted
from pipeline.urls import canonical_url

# An entry with a date later than this from now has a wrong date.
_AHEAD = timedelta(days=1)


class SourceState(StrEnum):
    """The state of a source. `is_usable`: a crawl gets articles from it."""

    OK = "ok"
    STALE = "stale"  # its newest entry is old
    EMPTY = "empty"  # it can be read, but names no article of the site
    FAILED = "failed"  # it cannot be fetched, or not be read

    @property
    def is_usable(self) -> bool:
        return self in (SourceState.OK, SourceState.STALE)


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """The result for one feed, sitemap or section page.

    entries: their number; articles: the number of those that are articles of the site by their URLs.
    newest: aware, UTC; None if no entry has a date. detail: one line that says what is wrong; "" for nothing.
    """

    url: str
    kind: SourceKind
    state: SourceState
    detail: str = ""
    entries: int = 0
    articles: int = 0
    newest: datetime | None = None


def check_entries(
    url: str, kind: SourceKind, site: Site, entries: Sequence[SourceEntry], stale_after: timedelta
) -> tuple[SourceCheck, Sequence[SourceEntry]]:
    """Return the result for a source with these entries, and its articles, the newest first."""
    articles = articles_of(entries, site)
    newest = newest_of(entries)
    found = SourceCheck(url, kind, SourceState.OK, "", len(entries), len(articles), newest)
    if not entries:
        return replace(found, state=SourceState.EMPTY, detail="names nothing"), ()
    if not articles:
        among = counted(len(entries), "entry", "entries")
        detail = f"no article of the site among {among}, e.g. {entries[0].url}"
        return replace(found, state=SourceState.EMPTY, detail=detail), ()
    if newest is not None and datetime.now(UTC) - newest > stale_after:
        detail = f"its newest entry is of {newest:%Y-%m-%d}"
        return replace(found, state=SourceState.STALE, detail=detail), articles
    return found, articles


def articles_of(entries: Iterable[SourceEntry], site: Site) -> list[SourceEntry]:
    """The entries that are articles by their URLs, each once; the newest first, undated ones last."""
    own = {canonical_url(entry.url): entry for entry in reversed(list(entries))}
    found = [entry for url, entry in reversed(own.items()) if is_article_url(url, site)]
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda entry: _dated(entry) or oldest, reverse=True)


def newest_of(entries: Iterable[SourceEntry]) -> datetime | None:
    """When the newest of the entries was published or changed; None if no entry has a date."""
    return max((at for entry in entries if (at := _dated(entry)) is not None), default=None)


def _dated(entry: SourceEntry) -> datetime | None:
    return entry.at if entry.at is not None and entry.at <= datetime.now(UTC) + _AHEAD else None
