"""Limits of a check or a search of one site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """stale_after: age of a source's newest entry from which it is stale. pages: most articles to fetch.
    seconds: most that a site takes.
    """

    stale_after: timedelta = timedelta(days=14)
    pages: int = 2
    seconds: float = 120.0
