"""What grouping needs to know of a stored article."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ArticleCopy:
    """A stored article as a possible copy of others.

    id: of the article; anything unique, as no decision depends on it.
    published_at, fetched_at: aware, UTC.
    agency: as credited in the text; None if no agency is.
    """

    id: int
    url: str
    title: str
    text: str
    fetched_at: datetime
    published_at: datetime | None = None
    language: str | None = None
    agency: str | None = None
    site: str = ""
