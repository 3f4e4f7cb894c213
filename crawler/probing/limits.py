"""Limits of a check or a search of one site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for one site.

    stale_after: a source whose newest entry is older is stale. pages: most articles to fetch. seconds: most
    time for the site.
    """

    stale_after: timedelta = timedelta(days=14)
    pages: int = 2
    seconds: float = 120.0
