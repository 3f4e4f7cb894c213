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
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem, NotConfigured
from scrapy.utils.spider import DefaultSpider

from crawler.runs import PoolBroken, WorkerPool
from crawler.sites import read_sites, site_rulebook
from crawler.store.site_figures import Figures, has_figures
from pipeline.document import Article, Document, Outcome, Rejection
from pipeline.settings import Settings
from pipeline.sites import made_by_site
from pipeline.urls import canonical_url
from storage import reader, writer
from storage.base import TRANSIENT
from storage.crawls import Beside, Due, Validators, Visit, revisits, site_runs
from storage.database import DatabaseError, open_database
from storage.writing import learning, tombstones

logger = logging.getLogger(__name__)

T = TypeVar("T")

# While the writer is behind by more than so many batches, no further item is taken on.
MAX_BATCHES_BEHIND = 4


@dataclass(slots=True)
class _Source:
    """A feed or sitemap of this crawl, and which of its articles are not in the database yet."""

    served: Validators
    waiting: set[str]
    spoiled: bool


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
        own_rules = site_rulebook(read_sites(settings.get("COPYDESK_SITES")).values())
        self.settings = Settings(site_rules=own_rules)
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="copydesk-writer")
        # Each with its site.
        self.buffer: list[tuple[str, Outcome]] = []
        self.sources: dict[str, _Source] = {}
        # What came to an end in this crawl, by address: whether nothing was learnt of it.
        self.ended: dict[str, bool] = {}
        self.expected: dict[str, Visit] = {}
        self.visits: list[Visit] = []
        self.at_hand: set[asyncio.Future[None]] = set()
        self.writing = asyncio.Lock()
        self.starting = asyncio.Lock()
        self.pool: WorkerPool | None = None
        self.failed: Exception | None = None
        # What was learned of sites when the crawl was over.
        self.lesson: learning.Lesson | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> StorePipeline:
        if issubclass(crawler.spidercls, DefaultSpider):
            raise NotConfigured  # `scrapy shell` and `scrapy fetch` only look: they leave no run behind
        return cls(crawler)

    async def open_spider(self) -> None:
        """Open the database and the workers; an error here ends the crawl before it fetched anything."""
        spider = self.crawler.spider
        self.engine = await self._in_thread(open_database, self.url)
        await self._in_thread(writer.require_one_fingerprint, self.engine, self.settings)
        self.settings = await self._in_thread(learning.with_learned, self.engine, self.settings)
        command = f"scrapy crawl {spider.name if spider else ''}".strip()
        self.run_id = await self._in_thread(writer.start_run, self.engine, command, datetime.now(UTC))
        self.counts = writer.BatchCounts()
        self.figures = self.crawler.get_downloader_middleware(Figures) or Figures(self.crawler)
        self.tally = site_runs.Tally() if has_figures(spider) else None
        self.clock = asyncio.create_task(self._flush_in_time())

    async def process_item(self, item: Any) -> Any:
        """Process one document and put its outcome into the next batch."""
        done = asyncio.get_running_loop().create_future()
        self.at_hand.add(done)
        try:
            return await self._process_item(item)
        finally:
            self.at_hand.discard(done)
            done.set_result(None)

    async def _process_item(self, item: Any) -> Any:
        site = self.figures.site_of(item) if isinstance(item, Document | Rejection) else ""
        if isinstance(item, Document):
            try:
                pool = await self.workers()
                outcome: Outcome = await asyncio.wrap_future(pool.submit(item))
            except PoolBroken as error:
                self.stop(error, "worker_error")
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
        key, is_take_ignored = made_by_site(outcome.rules_version)
        if is_take_ignored:
            self.crawler.stats.inc_value(f"site/{key}/take_ignored")
        return _columns(outcome)

    async def close_spider(self) -> None:
        """Write what is left and close the run; also after Ctrl-C, which Scrapy turns into a close."""
        if self.at_hand:  # `scrapy parse` does not wait for its items
            await asyncio.wait(self.at_hand)
        async with self.writing:  # not amid a batch: its thread would go on, and nobody would count it
            self.clock.cancel()
        with suppress(asyncio.CancelledError):
            await self.clock
        try:
            await self._flush()
            if self.tally is not None:
                counts = self.figures.counts()
                await self._in_thread(site_runs.put_counts, self.engine, self.run_id, self.tally, counts)
            await self._in_thread(writer.finish_run, self.engine, self.run_id, self.counts, datetime.now(UTC))
            if self.failed is None:
                self.lesson = await self._in_thread(partial(learning.learn, soon=True), self.engine)
        except Exception as error:
            if self.failed is None:
                self._fail(error)
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
        return await self._ask(partial(reader.known_urls, fetched_since=since), urls)

    async def forgotten(self, urls: Iterable[str]) -> set[str]:
        """Return those of the URLs that are not to be stored again, or are of a site that is not."""
        return await self._ask(tombstones.withheld_urls, urls)

    async def served(self, url: str, read_as: str) -> Validators:
        """Return what a source was served with when it was last read to its end, by the same rules."""
        state = await self._ask(reader.fetch_state, url)
        if state is None or state.read_as != read_as:
            return Validators()
        return Validators(state.etag, state.last_modified, state.children, state.read_as)

    def watch(self, url: str, served: Validators, locations: Iterable[str]) -> None:
        """Remember what a source was served with as soon as all these articles are in the database.

        Not before: a crawl that dies in between must read the source again. A source of which an
        article could not be fetched for now is read again as well.
        """
        named = set(locations)
        spoiled = any(self.ended.get(location, False) for location in named)
        self.sources[url] = _Source(served, named - self.ended.keys(), spoiled)

    async def due(self, site: str, limit: int) -> list[Due]:
        """Return the articles of a site that are to be asked for again, at most so many."""
        return await self._ask(revisits.due, site, datetime.now(UTC), limit)

    async def drop_revisits(self, ids: Iterable[int]) -> None:
        """Ask for these articles no more."""
        await self._ask(revisits.drop, list(ids))

    def expect(self, visit: Visit) -> None:
        """Remember how an article was served, as soon as what came of it is in the database."""
        self.expected[visit.location] = visit

    def visited(self, visit: Visit) -> None:
        """Remember that an article was asked for, of which nothing is to be stored."""
        self.visits.append(visit)

    async def workers(self) -> WorkerPool:
        """The worker processes, started with the first source that has changed: many crawls have none."""
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
                beside = self._beside(batch)
                if batch or beside is not None:
                    crawled = None
                    if self.tally is not None:
                        sites = [site for site, _ in taken]
                        crawled = site_runs.CrawledBatch(self.tally, sites, self.figures.counts())
                    written = await self._in_thread(
                        writer.write_batch, self.engine, self.run_id, batch, self.settings, crawled, beside
                    )
                    self.counts += written
            except Exception as error:
                # Nothing of the batch was stored, and the next would fail alike: better to stop than to go
                # on asking a site for pages that are thrown away.
                self._count("lost", len(batch))
                logger.error("Of %d documents none was stored", len(batch))
                self.stop(error, "storage_error")

    def _beside(self, batch: list[Outcome]) -> Beside | None:
        """What is written in the transaction of a batch, because it is true only with the batch."""
        states = {**_turned_away(batch), **self._sources_done(batch)}
        visits, self.visits = self.visits, []
        for outcome in batch:
            visit = self.expected.pop(outcome.location, None)
            if visit is not None:
                visits.append(visit if isinstance(outcome, Article) else _without_text(visit, outcome))
        return Beside(datetime.now(UTC), visits, states) if visits or states else None

    def _sources_done(self, batch: list[Outcome]) -> dict[str, Validators]:
        """Take the articles of a batch off the sources; return what the complete ones were served with."""
        ended = {outcome.location: _is_passing(outcome) for outcome in batch}
        self.ended.update(ended)
        done: dict[str, Validators] = {}
        for url, source in list(self.sources.items()):
            source.spoiled |= any(ended[location] for location in source.waiting & ended.keys())
            source.waiting -= ended.keys()
            if not source.waiting:
                del self.sources[url]
                if not source.spoiled:
                    done[url] = source.served
        return done

    def stop(self, error: Exception, reason: str) -> None:
        """End the crawl for a fault that every further document would meet."""
        if self.failed is None:
            self._fail(error)
            task = asyncio.ensure_future(self.crawler.engine.close_spider_async(reason=reason))
            task.add_done_callback(lambda t: t.exception())

    def _fail(self, error: Exception) -> None:
        self.failed = error
        logger.error(
            "The crawl is over: %s. What was stored is safe: mend this, and start the same crawl again",
            error,
        )

    async def _ask(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function of the database; where that fails, so will storing, and the crawl is over."""
        try:
            return await self._in_thread(function, self.engine, *arguments)
        except DatabaseError as error:
            self.stop(error, "storage_error")
            raise

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.thread, function, *arguments)

    def _count(self, what: str, count: int = 1) -> None:
        self.crawler.stats.inc_value(f"copydesk/{what}", count)


def _turned_away(batch: list[Outcome]) -> dict[str, Validators]:
    """The addresses that were turned away for good, so that the next crawls do not ask for them."""
    return {
        canonical_url(outcome.location): Validators()
        for outcome in batch
        if isinstance(outcome, Rejection) and not _is_passing(outcome)
    }


def _is_passing(outcome: Outcome) -> bool:
    """Whether nothing was learnt of the page, which may well be had another time."""
    return isinstance(outcome, Rejection) and outcome.reason in TRANSIENT


def _without_text(visit: Visit, outcome: Outcome) -> Visit:
    """What was turned away is asked for in full the next time."""
    return replace(visit, etag=None, last_modified=None, has_failed=_is_passing(outcome))


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
        "published_offset": article.published_offset,
    }
