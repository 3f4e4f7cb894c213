"""The options of `copydesk schedule` as a record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Which sites are crawled, and how.

    sites_file: as for `read_sites`. names: the sites to crawl; () for all that have a schedule.
    concurrent: most crawls at a time. jitter: most seconds that a crawl starts after its time; for an
    interval at most a tenth of it.
    overrun: seconds that a crawl may take beyond its site's time budget, to start and to store what it
    fetched; then it is terminated, and killed `patience` seconds later.
    watch: seconds between two checks of the sites file and of the clock. notify: seconds between two looks
    for notifications that are due.
    """

    database_url: str
    sites_file: str | None = None
    names: tuple[str, ...] = ()
    concurrent: int = 4
    jitter: float = 60.0
    overrun: float = 600.0
    patience: float = 120.0
    watch: float = 2.0
    notify: float = 30.0
