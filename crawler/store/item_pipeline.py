"""Takes what spiders yield through the pipeline and into the database, without blocking the reactor.

One component submits, collects and writes, because Scrapy opens and closes item pipelines at the same time:
two of them could not rely on each other. Documents are processed in worker processes, and batches are written
in the thread of `CrawlDatabase`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shlex
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem, NotConfigured
from scrapy.utils.spider import DefaultSpider

from crawler.fetch import account_of
from crawler.sites import read_sites, site_rulebook
from crawler.store.crawl_state import CrawlState
from crawler.store.database import CrawlDatabase
from crawler.store.site_statistics import SiteStatistics, has_site_statistics
from crawler.workers import BudgetSpent, PoolBroken, WorkerPool
from pipeline.counts import counted
from pipeline.document import Article, Document, Outcome, Rejection, as_objects
from pipeline.settings import Settings
from pipeline.sites import is_without_trafilatura, site_of_version
from storage import writer
from storage.crawls import site_runs
from storage.database import DatabaseError
from storage.schema import ITEM_COLUMNS
from storage.writing import learning, quarantine, tombstones

logger = logging.getLogger(__name__)

# If more batches than this wait to be written, process_item waits as well.
MAX_WAITING_BATCHES = 4


class StorePipeline:
    """Scrapy item pipeline: Document or Rejection in, a row of the database out.

    Any spider may use it: an item that is neither a Document nor a Rejection passes through unchanged. A
    Document comes out as a dict of its article's columns, which feed exports (-o) write; a rejection is
    stored and ends as DropItem with its reason. `state` answers the spiders' questions about the database.

    Settings: COPYDESK_DB, COPYDESK_SITES, COPYDESK_WORKERS, COPYDESK_BATCH_SIZE, COPYDESK_BATCH_SECONDS,
    COPYDESK_REJECTED_HOURS.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        settings = crawler.settings
        self.database = CrawlDatabase(settings["COPYDESK_DB"])
        site_rules = site_rulebook(read_sites(settings.get("COPYDESK_SITES")).values())
        self.settings = Settings(site_rules=site_rules)
        self.state = CrawlState(
            self.database,
            self.settings,
            timedelta(hours=settings.getfloat("COPYDESK_REJECTED_HOURS")),
            on_error=partial(self.stop, reason="storage_error"),
        )
        self.worker_count = settings.getint("COPYDESK_WORKERS") or os.cpu_count() or 1
        self.batch_size = max(1, settings.getint("COPYDESK_BATCH_SIZE"))
        self.batch_seconds = settings.getfloat("COPYDESK_BATCH_SECONDS")
        # Outcomes that are not written yet, each with its site.
        self.buffer: list[tuple[str, Outcome]] = []
        self.items_in_process: set[asyncio.Future[None]] = set()
        self.writing = asyncio.Lock()
        self.starting = asyncio.Lock()
        self.pool: WorkerPool | None = None
        # Its row in `runs`, once there is one.
        self.run_id: int | None = None
        # The error that ended the crawl.
        self.failed: Exception | None = None
        # What was learned about sites after the crawl.
        self.lesson: learning.Lesson | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> StorePipeline:
        if issubclass(crawler.spidercls, DefaultSpider):
            raise NotConfigured  # `scrapy shell` and `scrapy fetch` store nothing
        return cls(crawler)

    async def open_spider(self) -> None:
        """Open the database and start a run; an error here ends the crawl before anything is fetched."""
        spider = self.crawler.spider
        await self.database.open()
        await self.database.call(writer.require_one_fingerprint, self.settings)
        self.settings = await self.database.call(learning.with_learned, self.settings)
        job = f"scrapy crawl {spider.name if spider else ''}".strip()
        command = self.crawler.settings.get("COPYDESK_COMMAND") or _command() or job
        self.run_id = await self.database.call(partial(writer.start_run, job=job), command, datetime.now(UTC))
        self.counts = writer.BatchCounts()
        self.statistics = self.crawler.get_downloader_middleware(SiteStatistics) or SiteStatistics(
            self.crawler
        )
        self.tally = site_runs.Tally() if has_site_statistics(spider) else None
        self.clock = asyncio.create_task(self._flush_regularly())

    async def process_item(self, item: Any) -> Any:
        """Process one document and put its outcome into the next batch."""
        done = asyncio.get_running_loop().create_future()
        self.items_in_process.add(done)
        try:
            return await self._process_item(item)
        finally:
            self.items_in_process.discard(done)
            done.set_result(None)

    async def _process_item(self, item: Any) -> Any:
        if not isinstance(item, Document | Rejection):
            return item
        site = self.statistics.site_of(item)
        outcome = await self._outcome(item, site)
        # Storing checks for tombstones again. It is checked here so that feed exports do not get the item.
        with suppress(DatabaseError):
            (outcome,) = await asyncio.to_thread(tombstones.withheld, self.database.engine, [outcome])
        self.buffer.append((site, outcome))
        if len(self.buffer) >= MAX_WAITING_BATCHES * self.batch_size:
            await self._flush()
        elif len(self.buffer) == self.batch_size:
            self._flush_soon()
        if isinstance(outcome, Rejection):
            self._count(f"rejected/{outcome.reason.value}")
            raise DropItem(f"{outcome.reason.value}: {outcome.detail}")
        self._count("articles")
        if is_without_trafilatura(outcome.rules_version):
            self._count("without_trafilatura")
        key, is_take_ignored = site_of_version(outcome.rules_version)
        if is_take_ignored:
            self.crawler.stats.inc_value(f"site/{key}/take_ignored")
        return _columns(outcome)

    async def _outcome(self, item: Document | Rejection, site: str) -> Outcome:
        if isinstance(item, Rejection):
            return item
        with suppress(DatabaseError):
            held = await asyncio.to_thread(quarantine.withheld, self.database.engine, item, self.settings)
            if held is not None:
                return held
        try:
            pool = await self.workers()
            return await asyncio.wrap_future(pool.submit(item, account_of(self.crawler, site)))
        except BudgetSpent as error:  # the next crawl fetches it again
            self.crawler.stats.inc_value(f"site/{site}/put_off")
            raise DropItem(f"put off: the time budget of site {site} is spent") from error
        except PoolBroken as error:
            self.stop(error, "worker_error")
            raise DropItem(f"not processed: {error}") from error

    async def close_spider(self) -> None:
        """Write what is left and end the run; also after Ctrl-C, which Scrapy turns into a close."""
        if self.items_in_process:  # `scrapy parse` does not wait for its items
            await asyncio.wait(self.items_in_process)
        async with self.writing:  # a batch that is being written must also be counted
            self.clock.cancel()
        with suppress(asyncio.CancelledError):
            await self.clock
        try:
            await self._flush()
            if self.tally is not None:
                counts = self.statistics.counts()
                await self.database.call(site_runs.put_counts, self.run_id, self.tally, counts)
            await self.database.call(writer.finish_run, self.run_id, self.counts, datetime.now(UTC))
            if self.failed is None:
                self.lesson = await self.database.call(partial(learning.learn, soon=True))
        except Exception as error:
            if self.failed is None:
                self._fail(error)
        finally:
            if self.pool is not None:
                await asyncio.to_thread(self.pool.__exit__, None, None, None)
            await self.database.close()

    def stop(self, error: Exception, reason: str) -> None:
        """End the crawl because of an error that every further document would meet."""
        if self.failed is None:
            self._fail(error)
            task = asyncio.ensure_future(self.crawler.engine.close_spider_async(reason=reason))
            task.add_done_callback(lambda t: t.exception())

    def _fail(self, error: Exception) -> None:
        self.failed = error
        logger.error(
            "The crawl ends: %s. What was stored is safe; fix the cause, and start the same crawl again",
            error,
        )

    async def workers(self) -> WorkerPool:
        """The worker processes. They start with the first source that has changed: many crawls have none."""
        async with self.starting:
            if self.pool is None:
                pool = WorkerPool(self.settings, self.worker_count)
                self.pool = await asyncio.to_thread(pool.__enter__)
            return self.pool

    async def _flush_regularly(self) -> None:
        while True:
            await asyncio.sleep(self.batch_seconds)
            await self._flush()

    def _flush_soon(self) -> None:
        task = asyncio.ensure_future(self._flush())
        task.add_done_callback(lambda t: t.exception())

    async def _flush(self) -> None:
        """Write the buffer as one batch; one flush at a time, in the order of arrival."""
        async with self.writing:
            taken, self.buffer = self.buffer, []
            batch = [outcome for _, outcome in taken]
            if self.failed is not None and not isinstance(self.failed, PoolBroken):
                self._count("lost", len(batch))
                return
            try:
                beside = self.state.take_for(batch)
                if batch or beside is not None:
                    crawled = None
                    if self.tally is not None:
                        sites = [site for site, _ in taken]
                        crawled = site_runs.CrawledBatch(self.tally, sites, self.statistics.counts())
                    self.counts += await self.database.call(
                        writer.write_batch, self.run_id, batch, self.settings, crawled, beside
                    )
            except Exception as error:
                # Nothing of the batch was stored, and the next would fail as well. So the crawl ends, instead
                # of fetching pages that are thrown away.
                self._count("lost", len(batch))
                logger.error("A batch of %s was not stored", counted(len(batch), "document"))
                self.stop(error, "storage_error")

    def _count(self, what: str, count: int = 1) -> None:
        self.crawler.stats.inc_value(f"copydesk/{what}", count)


def crawl_state(crawler: Crawler) -> CrawlState | None:
    """The state of a crawl that stores its articles; None for a crawl without StorePipeline."""
    pipeline = crawler.get_item_pipeline(StorePipeline)
    return pipeline.state if pipeline is not None else None


def _command() -> str | None:
    """The command line, if it is of `scrapy`; other programs start a crawl beside what else they do.

    Scrapy takes the name of its command out of sys.argv.
    """
    names = [Path(word).name for word in sys.orig_argv]
    return (
        shlex.join(["scrapy", *sys.orig_argv[names.index("scrapy") + 1 :]]) if "scrapy" in names[:3] else None
    )


def _columns(article: Article) -> dict[str, Any]:
    """An article as feed exports write it: the columns of the `articles` view that are known here."""
    values = {name: getattr(article, name) for name in ITEM_COLUMNS}
    published_at = article.published_at.isoformat() if article.published_at else None
    return {
        **values,
        "authors": list(article.authors),
        "keywords": list(article.keywords) if article.keywords else None,
        "rights": as_objects(article.rights) if article.rights else None,
        "published_at": published_at,
        "access": article.access.value,
    }
