"""Takes what spiders yield through the pipeline into the database, without blocking the reactor.

One component does all of it (submit, collect, write), because Scrapy opens and closes item pipelines
at the same time: two of them could not count on each other. Documents are processed in worker processes,
and everything that touches the database runs in one thread of its own, so that there is one writer
and the reactor never waits for a disk.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem
from scrapy.http import Headers

from crawler.figures import Figures, has_figures
from crawler.workers import PoolBroken, WorkerPool
from pipeline.document import Article, Document, Outcome, Rejection
from pipeline.settings import Settings
from pipeline.urls import canonical_url
from storage import reader, site_runs, tombstones, writer
from storage.database import DatabaseError, open_database
from storage.keys import TRANSIENT

logger = logging.getLogger(__name__)

T = TypeVar("T")

# URL -> (ETag, Last-Modified)
FetchStates = dict[str, tuple[str | None, str | None]]

# While the writer is behind by more than so many batches, no further item is taken on.
MAX_BATCHES_BEHIND = 4


@dataclass(slots=True)
class _Source:
    """A feed or sitemap of this crawl, and which of its articles are not in the database yet."""

    etag: str | None
    last_modified: str | None
    waiting: set[str]
    spoiled: bool = False


class StorePipeline:
    """Scrapy item pipeline: Document or Rejection in, a row of the database out.

    Any spider may feed it: what is neither a Document nor a Rejection passes through untouched. A
    Document comes out as a dict of its article's columns, which is what feed exports (-o) write; a
    rejection is stored and ends as DropItem with its reason.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        settings = crawler.settings
        self.url: str = settings["COPYDESK_DB"]
        self.worker_count = settings.getint("COPYDESK_WORKERS") or os.cpu_count() or 1
        self.batch_size = max(1, settings.getint("COPYDESK_BATCH_SIZE"))
        self.batch_seconds = settings.getfloat("COPYDESK_BATCH_SECONDS")
        self.ask_again = timedelta(hours=settings.getfloat("COPYDESK_REJECTED_HOURS"))
        self.settings = Settings()
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="copydesk-writer")
        # Each with its site.
        self.buffer: list[tuple[str, Outcome]] = []
        self.sources: dict[str, _Source] = {}
        self.writing = asyncio.Lock()
        self.starting = asyncio.Lock()
        self.pool: WorkerPool | None = None
        self.failed: Exception | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> StorePipeline:
        return cls(crawler)

    async def open_spider(self) -> None:
        """Open the database and the workers; an error here ends the crawl before it fetched anything."""
        spider = self.crawler.spider
        self.engine = await self._in_thread(open_database, self.url)
        await self._in_thread(writer.require_one_fingerprint, self.engine, self.settings)
        command = f"scrapy crawl {spider.name if spider else ''}".strip()
        self.run_id = await self._in_thread(writer.start_run, self.engine, command, datetime.now(UTC))
        self.counts = writer.BatchCounts()
        self.figures = self.crawler.get_downloader_middleware(Figures) or Figures(self.crawler)
        self.tally = site_runs.Tally() if has_figures(spider) else None
        self.clock = asyncio.create_task(self._flush_in_time())

    async def process_item(self, item: Any) -> Any:
        """Process one document and put its outcome into the next batch."""
        site = self.figures.site_of(item) if isinstance(item, Document | Rejection) else ""
        if isinstance(item, Document):
            try:
                pool = await self._workers()
                outcome: Outcome = await asyncio.wrap_future(pool.submit(item))
            except PoolBroken as error:
                self._stop(error, "worker_error")
                raise DropItem(f"not processed: {error}") from error
        elif isinstance(item, Rejection):
            outcome = item
        else:
            return item
        # Storing asks again, and what else is made of an item must not have it either.
        with suppress(DatabaseError):
            (outcome,) = await asyncio.to_thread(tombstones.withheld, self.engine, [outcome])
        self.buffer.append((site, outcome))
        if len(self.buffer) >= MAX_BATCHES_BEHIND * self.batch_size:
            await self._flush()
        elif len(self.buffer) == self.batch_size:
            self._flush_soon()
        if isinstance(outcome, Rejection):
            self._count(f"rejected/{outcome.reason.value}")
            raise DropItem(f"{outcome.reason.value}: {outcome.detail}")
        self._count("articles")
        return _columns(outcome)

    async def close_spider(self) -> None:
        """Write what is left and close the run; also after Ctrl-C, which Scrapy turns into a close."""
        self.clock.cancel()
        with suppress(asyncio.CancelledError):
            await self.clock
        try:
            await self._flush()
            if self.tally is not None:
                counts = self.figures.counts()
                await self._in_thread(site_runs.put_counts, self.engine, self.run_id, self.tally, counts)
            await self._in_thread(writer.finish_run, self.engine, self.run_id, self.counts, datetime.now(UTC))
        finally:
            if self.pool is not None:
                await asyncio.to_thread(self.pool.__exit__, None, None, None)
            await self._in_thread(self.engine.dispose)
            self.thread.shutdown(wait=False)

    async def known(self, urls: Sequence[str]) -> set[str]:
        """Return those of the URLs that need no request: stored, or turned away not long ago."""
        if not urls:
            return set()
        since = datetime.now(UTC) - self.ask_again
        return await self._in_thread(partial(reader.known_urls, self.engine, urls, fetched_since=since))

    async def forgotten(self, urls: Iterable[str]) -> set[str]:
        """Return those of the URLs that are not to be stored again, or are of a site that is not."""
        return await asyncio.to_thread(tombstones.withheld_urls, self.engine, urls)

    async def validators(self, url: str) -> dict[str, str]:
        """Return the request headers that ask a source for news since it was last read to its end."""
        state = await self._in_thread(reader.fetch_state, self.engine, url)
        if state is None:
            return {}
        headers = {"If-None-Match": state.etag, "If-Modified-Since": state.last_modified}
        return {name: value for name, value in headers.items() if value}

    def watch(self, url: str, headers: Headers, locations: Iterable[str]) -> None:
        """Remember a source's validators as soon as all these articles of it are in the database.

        Not before: a crawl that dies in between must read the source again. A source of which an
        article could not be fetched for now is read again as well.
        """
        etag, last_modified = headers.get("ETag"), headers.get("Last-Modified")
        self.sources[url] = _Source(
            etag=etag.decode("latin-1") if etag else None,
            last_modified=last_modified.decode("latin-1") if last_modified else None,
            waiting=set(locations),
        )

    async def _workers(self) -> WorkerPool:
        """The worker processes, started with the first document: most crawls of a quiet site have none."""
        async with self.starting:
            if self.pool is None:
                pool = WorkerPool(self.settings, self.worker_count)
                self.pool = await asyncio.to_thread(pool.__enter__)
            return self.pool

    async def _flush_in_time(self) -> None:
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
                if batch:
                    crawled = None
                    if self.tally is not None:
                        sites = [site for site, _ in taken]
                        crawled = site_runs.CrawledBatch(self.tally, sites, self.figures.counts())
                    written = await self._in_thread(
                        writer.write_batch, self.engine, self.run_id, batch, self.settings, crawled
                    )
                    self.counts += written
                states = {**_asked(batch), **self._sources_done(batch)}
                if states:
                    now = datetime.now(UTC)
                    await self._in_thread(writer.put_fetch_states, self.engine, states, now)
            except Exception as error:
                # Nothing of the batch was stored, and the next would fail alike: better to stop than to go
                # on asking a site for pages that are thrown away.
                self._count("lost", len(batch))
                logger.error("Of %d documents none was stored: %s", len(batch), error)
                self._stop(error, "storage_error")

    def _sources_done(self, batch: list[Outcome]) -> FetchStates:
        """Take the articles just written off the sources; return the validators of the complete ones."""
        ended = {outcome.location: outcome for outcome in batch}
        done: FetchStates = {}
        for url, source in list(self.sources.items()):
            for location in source.waiting & ended.keys():
                outcome = ended[location]
                source.spoiled |= isinstance(outcome, Rejection) and outcome.reason in TRANSIENT
            source.waiting -= ended.keys()
            if not source.waiting:
                del self.sources[url]
                if not source.spoiled:
                    done[url] = (source.etag, source.last_modified)
        return done

    def _stop(self, error: Exception, reason: str) -> None:
        """End the crawl for a fault that every further document would meet."""
        if self.failed is None:
            self.failed = error
            task = asyncio.ensure_future(self.crawler.engine.close_spider_async(reason=reason))
            task.add_done_callback(lambda t: t.exception())

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.thread, function, *arguments)

    def _count(self, what: str, count: int = 1) -> None:
        self.crawler.stats.inc_value(f"copydesk/{what}", count)


def _asked(batch: list[Outcome]) -> FetchStates:
    """The addresses that were turned away for good, so that the next crawls do not ask for them."""
    return {
        canonical_url(outcome.location): (None, None)
        for outcome in batch
        if isinstance(outcome, Rejection) and outcome.reason not in TRANSIENT
    }


def _columns(article: Article) -> dict[str, Any]:
    """An article as feed exports write it: the columns of the `articles` view that are known here."""
    return {
        "url": article.url,
        "location": article.location,
        "publisher": article.publisher,
        "site": article.site,
        "title": article.title,
        "text": article.text,
        "authors": list(article.authors),
        "byline": article.byline,
        "dateline": article.dateline,
        "agency": article.agency,
        "published_at": article.published_at.isoformat() if article.published_at else None,
        "language": article.language,
        "word_count": article.word_count,
        "access": article.access.value,
    }
