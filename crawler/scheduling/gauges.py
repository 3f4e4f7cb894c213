"""The scheduler's own metrics, beside those of the sites in the database."""

from __future__ import annotations

from collections.abc import Sized
from contextlib import suppress
from datetime import datetime

from crawler.monitor import metrics


class Gauges:
    """Running crawls, and each site's next time and failures in a row."""

    def __init__(self, server: metrics.Server, running: Sized) -> None:
        name = "copydesk_schedule"
        server.gauge(f"{name}_crawls_running", "Crawls under way").set_function(lambda: len(running))
        self._next = server.gauge(f"{name}_next_timestamp_seconds", "When a site is crawled next", ("site",))
        self._failures = server.gauge(f"{name}_failures", "Crawls of a site that failed in a row", ("site",))

    def show(self, site: str, next_time: datetime, failures: int) -> None:
        self._next.labels(site).set(next_time.timestamp())
        self._failures.labels(site).set(failures)

    def remove(self, site: str) -> None:
        for gauge in (self._next, self._failures):
            with suppress(KeyError):  # it was never shown
                gauge.remove(site)
