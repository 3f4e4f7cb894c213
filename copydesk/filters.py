"""The filter of articles that a person or a program asks for, by names and times as they write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from copydesk.times import parse_since, parse_until

if TYPE_CHECKING:
    from storage.database import Engine
    from storage.reader import ArticleFilter

# A datetime, in UTC if it has no zone, or words as in `copydesk.times`.
Time = datetime | str


def article_filter(
    engine: Engine,
    *,
    site: str | None = None,
    agency: str | None = None,
    language: str | None = None,
    since: Time | None = None,
    until: Time | None = None,
    changed_since: Time | None = None,
) -> ArticleFilter:
    """The filter that is meant; OperatorError for an unknown site, and for what is no time.

    site: a host in any spelling, or a key of the sites file.
    """
    from copydesk.named_sites import hosts_named
    from storage.reader import ArticleFilter

    return ArticleFilter(
        sites=() if site is None else hosts_named(engine, site),
        agency=agency,
        language=None if language is None else language.lower(),
        since=_first(since),
        until=parse_until(until) if isinstance(until, str) else aware(until),
        changed_since=_first(changed_since),
    )


def filter_meant(
    site: str | None, agency: str | None, language: str | None, since: str | None, until: str | None
) -> ArticleFilter:
    """The filter that addresses and feeds ask for; None and an empty text filter nothing.

    A site may be unknown: nothing is found then. OperatorError for what is no site, and for what is no time.
    """
    from copydesk.named_sites import hosts_meant
    from storage.reader import ArticleFilter

    return ArticleFilter(
        sites=hosts_meant(site) if site else (),
        agency=agency or None,
        language=language.lower() if language else None,
        since=parse_since(since) if since else None,
        until=parse_until(until) if until else None,
    )


def _first(time: Time | None) -> datetime | None:
    return parse_since(time) if isinstance(time, str) else aware(time)


def aware(time: datetime | None) -> datetime | None:
    """The time, in UTC if it says no zone."""
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
