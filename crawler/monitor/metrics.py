"""Metrics for Prometheus, where a setting names a port: of a running crawl, and of a database.

    copydesk_crawl...   Scrapy's counters of one crawl, from the extension `Metrics` in its process
    copydesk_site_...   the last run of each site, and when it last had a new article, from the database;
                        a long-running process such as the scheduler serves them (`serve`)
    copydesk_deliveries deliveries of watchlists that wait or were given up, served with these

Crawls are short, and several may run at once, so alerts of a monitor should depend on the metrics of the
database. Times are absolute; a monitor subtracts them from its own clock. Needs the extra `metrics`.
Importing this module imports no Scrapy.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from crawler.monitor.health import HISTORY
from pipeline.errors import OperatorError
from storage import reader
from storage.crawls import SiteState, site_runs
from storage.database import open_database
from storage.watching import undelivered

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Gauge
    from prometheus_client.core import Metric
    from scrapy.crawler import Crawler

    from storage.database import Engine

T = TypeVar("T")

logger = logging.getLogger(__name__)

HOST_SETTING, PORT_SETTING = "COPYDESK_METRICS_HOST", "COPYDESK_METRICS_PORT"

# What was read from the database is served for so many seconds, so that scrapes cost little.
FRESH = 30.0

# Counts of a site's last run that become metrics unchanged.
_FIGURES = (
    "discovered",
    "fetched",
    "not_modified",
    "revisited",
    "gone",
    "stored",
    "revised",
    "rejected",
    "without_date",
    "without_author",
    "words",
    "bytes",
    "seconds",
    "sources",
    "sources_failed",
    "put_off",
)


class Server:
    """Serves metrics in a thread of its own until `close`. port: the one that it listens on."""

    def __init__(self, registry: CollectorRegistry, host: str, port: int) -> None:
        from prometheus_client import start_http_server

        self.registry = registry
        try:
            self._server, self._thread = start_http_server(port, host, registry)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise OperatorError(
                f"metrics cannot be served at {host}:{port} ({why}); set {PORT_SETTING} to another, or to 0"
            ) from error
        self.port = int(self._server.server_port)

    def gauge(self, name: str, what: str, labels: Iterable[str] = ()) -> Gauge:
        """Add a gauge."""
        from prometheus_client import Gauge

        return Gauge(name, what, labels, registry=self.registry)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve(database: Engine | str, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Serve the metrics of the sites and of the outbox in a database; port 0 takes a free one.

    database: an engine, or the URL of a database. Raises OperatorError if the extra is not installed, the
    port is taken, or the database is unusable.
    """
    registry = _registry()
    engine = open_database(database) if isinstance(database, str) else database
    registry.register(_Sites(engine))
    registry.register(_Outbox(engine))
    return Server(registry, host, port)


class Exposition:
    """The metrics of a database as text, for a server that has an address of its own."""

    def __init__(self, engine: Engine) -> None:
        """Raises OperatorError if the extra is not installed."""
        self._registry = _registry()
        self._registry.register(_Sites(engine))
        self._registry.register(_Outbox(engine))
        self._registry.register(_Totals(engine))

    def text(self) -> tuple[bytes, str]:
        """The metrics, and their media type."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return generate_latest(self._registry), CONTENT_TYPE_LATEST


def address_from(settings: Mapping[str, Any]) -> tuple[str, int] | None:
    """Return the host and port of the settings; None for no metrics. Raises OperatorError."""
    setting = settings.get(PORT_SETTING) or 0
    try:
        port = int(setting)
    except ValueError:
        port = -1
    if not 0 <= port < 65536:
        raise OperatorError(f"{PORT_SETTING}: {setting!r} is no port; write a number up to 65535, 0 for none")
    return (settings.get(HOST_SETTING) or "127.0.0.1", port) if port else None


class Metrics:
    """Extension that serves the counters of a running crawl.

    Settings: COPYDESK_METRICS_PORT (0: off), COPYDESK_METRICS_HOST.
    """

    def __init__(self, crawler: Crawler, registry: CollectorRegistry, host: str, port: int) -> None:
        from scrapy import signals

        self.server: Server | None = None
        self.crawler = crawler
        registry.register(_Crawl(crawler))
        try:
            self.server = Server(registry, host, port)
            logger.info("Metrics are served at http://%s:%d/metrics", host, port)
        except OperatorError as error:
            # Most likely the crawl before has not ended yet, which is no reason not to crawl.
            logger.error("%s", error)
        crawler.signals.connect(self._engine_stopped, signal=signals.engine_stopped)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Metrics:
        from scrapy.exceptions import NotConfigured

        address = address_from(crawler.settings)
        if address is None:
            raise NotConfigured
        return cls(crawler, _registry(), *address)

    def _engine_stopped(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None


class _Crawl:
    """Collects Scrapy's counters of one crawl when they are scraped."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        # Copied at once, because the reactor's thread changes them.
        stats = dict(self.crawler.stats.get_stats())
        sites = GaugeMetricFamily(
            "copydesk_crawl_site", "Counts of this crawl by site", labels=["site", "what"]
        )
        counts = GaugeMetricFamily("copydesk_crawl", "Scrapy's counters of this crawl", labels=["what"])
        for key, value in sorted(stats.items()):
            if isinstance(value, int | float):
                if key.startswith("site/"):
                    name, _, what = key.removeprefix("site/").rpartition("/")
                    sites.add_metric([name, what], value)
                else:
                    counts.add_metric([key], value)
            elif key == "start_time":
                started = GaugeMetricFamily("copydesk_crawl_start_timestamp_seconds", "When this crawl began")
                started.add_metric([], value.timestamp())
                yield started
        yield counts
        yield sites


class _Sites:
    """Collects the last runs of the sites that were crawled within HISTORY from the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._read_at = -math.inf
        self._sites: list[SiteState] | None = None

    def describe(self) -> Iterable[Metric]:
        return ()  # so that registering does not read the database

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        def gauge(name: str, what: str, *labels: str) -> Any:
            return GaugeMetricFamily(f"copydesk_{name}", what, labels=labels)

        sites = self._read()
        up = gauge("database_up", "1 where the database could be read, else 0")
        up.add_metric([], int(sites is not None))
        last_run = gauge("site_last_run_timestamp_seconds", "Start of the last crawl of the site", "site")
        last_success = gauge(
            "site_last_success_timestamp_seconds",
            "Start of the last crawl that finished, and could read a source or stored something",
            "site",
        )
        last_article = gauge(
            "site_last_article_timestamp_seconds", "Start of the last crawl that stored a new article", "site"
        )
        figures = gauge("site_last_run", "Figures of the last crawl of the site", "site", "figure")
        alerts = gauge("site_alert", "1 for each figure that is unusual for the site", "site", "figure")
        for state in sites or ():
            name = state.last.site
            last_run.add_metric([name], state.last.started_at.timestamp())
            if state.succeeded_at is not None:
                last_success.add_metric([name], state.succeeded_at.timestamp())
            if state.stored_at is not None:
                last_article.add_metric([name], state.stored_at.timestamp())
            for figure in _FIGURES:
                if (value := getattr(state.last, figure)) is not None:
                    figures.add_metric([name, figure], value)
            for alert in state.alerts:
                alerts.add_metric([name, str(alert["figure"])], 1)
        return up, last_run, last_success, last_article, figures, alerts

    def _read(self) -> list[SiteState] | None:
        with self._lock:
            if time.monotonic() - self._read_at >= FRESH:
                since = datetime.now(UTC) - HISTORY
                self._sites = _or_none(lambda: site_runs.states(self._engine, since=since))
                self._read_at = time.monotonic()
            return self._sites


class _Outbox:
    """Collects how many deliveries wait and how many were given up: what an index counts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        counts = _or_none(lambda: undelivered(self._engine))
        if counts is None:
            return
        deliveries = GaugeMetricFamily(
            "copydesk_deliveries", "Deliveries of watchlists that wait, or were given up", labels=["state"]
        )
        for state, count in counts.items():
            deliveries.add_metric([state], count)
        yield deliveries


class _Totals:
    """Collects how far a database has come, and its last run: a few rows."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        found = _or_none(lambda: (reader.progress(self._engine), reader.runs(self._engine, limit=1)))
        if found is None:
            return
        reached, runs = found
        for name, what, value in (
            ("articles", "Articles ever stored", reached.articles),
            ("pages", "Pages ever stored", reached.pages),
            ("changes", "Changes of articles ever made", reached.changes),
        ):
            yield CounterMetricFamily(f"copydesk_{name}", what, value=value)
        for run in runs:
            yield GaugeMetricFamily(
                "copydesk_last_run_start_timestamp_seconds",
                "Start of the last run of a command",
                value=run.started_at.timestamp(),
            )
            if run.finished_at is not None:
                yield GaugeMetricFamily(
                    "copydesk_last_run_end_timestamp_seconds",
                    "End of the last run, once it has ended",
                    value=run.finished_at.timestamp(),
                )
            documents = GaugeMetricFamily(
                "copydesk_last_run_documents", "Documents of the last run by their end", labels=["end"]
            )
            for end in ("stored", "revised", "updated", "unchanged", "rejected"):
                documents.add_metric([end], getattr(run, end))
            yield documents


def _or_none(read: Callable[[], T]) -> T | None:
    """What is read from the database; None if that fails, as it may at one of many scrapes."""
    try:
        return read()
    except Exception as error:
        logger.warning("Metrics cannot be read from the database: %s", error)
        return None


def _registry() -> CollectorRegistry:
    try:
        from prometheus_client import CollectorRegistry
    except ImportError as error:
        raise OperatorError(
            f"{PORT_SETTING} asks for metrics, which need an extra: pip install 'copydesk[metrics]'"
        ) from error
    return CollectorRegistry()
