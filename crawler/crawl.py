"""Runs a crawl from a program, as `copydesk crawl` does. By hand it is `scrapy crawl news`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Early: for each class that is deprecated there, Scrapy looks at all modules for each frame of the stack, and
# there are few of both now.
import scrapy.core.downloader.contextfactory  # noqa: F401
from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings

from crawler.alerts import Alerts
from crawler.fetch import require_contact
from crawler.monitor import SiteAlerts
from crawler.sites import choose_sites, read_sites
from crawler.spiders.news import NewsSpider
from crawler.store import StorePipeline, no_source_was_read
from pipeline.settings import Settings as PipelineSettings
from storage.database import open_database
from storage.writer import BatchCounts, require_one_fingerprint
from storage.writing import Lesson

# They log settings and middlewares, which only help while a spider is written.
_VERBOSE_LOGGERS = ("scrapy.addons", "scrapy.crawler", "scrapy.middleware")

# Seconds between two reports of progress.
_REPORT_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class CrawlProgress:
    """How far a crawl has come.

    sites: counts by site as in CrawlResult, of every site that is crawled. articles, rejected: documents that
    were processed; they are stored with the next batch.
    """

    sites: Mapping[str, Mapping[str, int]]
    articles: int
    rejected: int


@dataclass(frozen=True, slots=True)
class CrawlResult:
    """How a crawl ended.

    run_id: its row in `runs`. counts: what it did to the database.
    finish_reason: Scrapy's word: "finished", "shutdown" (Ctrl-C, SIGTERM), "storage_error", ...
    sites: counts by site: discovered, known, fetched, failed, ...
    no_source_was_read: every feed, sitemap and section page of every site failed.
    alerts: sites that are unusual compared with their own history, and those that are as usual again.
    lesson: what was learned about sites at the end.
    """

    run_id: int
    counts: BatchCounts
    finish_reason: str
    sites: Mapping[str, Mapping[str, int]]
    no_source_was_read: bool
    alerts: tuple[SiteAlerts, ...]
    lesson: Lesson | None


def crawl(
    database_url: str,
    names: Sequence[str] = (),
    *,
    sites_file: str | None = None,
    refetch: bool = False,
    workers: int = 0,
    settings: Mapping[str, Any] | None = None,
    progress: Callable[[CrawlProgress], None] | None = None,
    command: str | None = None,
) -> CrawlResult:
    """Crawl the sites of those names (all for none) into the database; returns when done or stopped.

    Ctrl-C and SIGTERM end it in order: nothing more is fetched, and what was fetched is stored.
    A Twisted reactor runs only once in a process, so a second call raises RuntimeError. Raises
    KeyboardInterrupt at a second Ctrl-C, and at one that comes before the crawl has begun.

    progress: called twice a second, in the reactor's thread. command: what `runs` shows as the command.
    settings: Scrapy settings that override crawler.settings, e.g. {"LOG_LEVEL": "WARNING"}.
    Raises OperatorError for mistakes in the sites file, unknown names and an unusable database, before
    anything is fetched.
    """
    project = Settings()
    project.setmodule("crawler.settings", priority="project")
    project.update(
        {
            "COPYDESK_DB": database_url,
            "COPYDESK_REFETCH": refetch,
            **({"COPYDESK_SITES": sites_file} if sites_file else {}),
            **({"COPYDESK_WORKERS": workers} if workers else {}),
            **({"COPYDESK_COMMAND": command} if command else {}),
            "STATS_DUMP": False,
            "LOG_VERSIONS": [],
            **(settings or {}),
        },
        priority="cmdline",
    )
    chosen = choose_sites(read_sites(project.get("COPYDESK_SITES")), names)
    require_contact(project, chosen)
    engine = open_database(database_url)
    try:
        require_one_fingerprint(engine, PipelineSettings())
    finally:
        engine.dispose()
    process = AsyncCrawlerProcess(project)
    for name in _VERBOSE_LOGGERS:  # after Scrapy has set up logging, which forgets it
        logging.getLogger(name).setLevel(logging.WARNING)
    crawler = process.create_crawler(NewsSpider)
    if progress is not None:
        _report_to(progress, crawler, [site.key for site in chosen])
    task = process.crawl(crawler, site=",".join(site.key for site in chosen))
    process.start()
    return _result(task, crawler)


def _result(task: asyncio.Task[None], crawler: Any) -> CrawlResult:
    if not task.done():
        raise KeyboardInterrupt  # a second Ctrl-C: stopped without waiting for anything
    task.result()
    store = crawler.get_item_pipeline(StorePipeline) if crawler.engine is not None else None
    if store is not None and store.failed is not None:
        raise store.failed
    if store is None or store.run_id is None:
        raise KeyboardInterrupt  # Ctrl-C before the crawl had begun
    alerts = crawler.get_extension(Alerts)
    return CrawlResult(
        run_id=store.run_id,
        counts=store.counts,
        finish_reason=str(crawler.stats.get_value("finish_reason")),
        sites=_by_site(crawler.stats.get_stats()),
        no_source_was_read=no_source_was_read(crawler.stats.get_stats()),
        alerts=alerts.found if alerts is not None else (),
        lesson=store.lesson,
    )


def _by_site(stats: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """The counts of each site in a crawl's statistics."""
    sites: dict[str, dict[str, int]] = {}
    for key, value in stats.items():
        parts = key.split("/")
        if parts[0] == "site":
            sites.setdefault(parts[1], {})[parts[2]] = value
    return sites


def _report_to(progress: Callable[[CrawlProgress], None], crawler: Any, keys: Sequence[str]) -> None:
    """Let the crawl report its progress from its start to its end."""
    tasks: list[asyncio.Task[None]] = []

    def report() -> None:
        stats = crawler.stats.get_stats()
        rejected = sum(n for key, n in stats.items() if key.startswith("copydesk/rejected/"))
        articles = stats.get("copydesk/articles", 0)
        progress(CrawlProgress({**{key: {} for key in keys}, **_by_site(stats)}, articles, rejected))

    async def report_regularly() -> None:
        while True:
            report()
            await asyncio.sleep(_REPORT_EVERY)

    def opened() -> None:
        tasks.append(asyncio.ensure_future(report_regularly()))

    def closed() -> None:
        for task in tasks:
            task.cancel()
        report()

    crawler.signals.connect(opened, signal=signals.spider_opened, weak=False)
    crawler.signals.connect(closed, signal=signals.spider_closed, weak=False)
