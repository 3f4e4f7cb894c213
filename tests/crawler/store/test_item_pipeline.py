"""The item pipeline by itself: its items, the stored rows, and errors that end a crawl."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Spider
from scrapy.exceptions import DropItem, NotConfigured
from scrapy.settings import Settings as ScrapySettings
from scrapy.signalmanager import SignalManager
from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.spider import DefaultSpider

from crawler.fetch.politeness import BudgetMiddleware, SiteAccount
from crawler.store import StorePipeline, crawl_state
from crawler.workers import Account, PoolBroken, WorkerPool
from pipeline.document import Claims, Document, MediaType, Origin, Outcome, Reason, Stage
from storage import reader, writer
from storage.database import DatabaseError, Engine, open_database
from storage.upkeep import ForgetTarget, forget_targets
from tests.crawler import misbehaving
from tests.storage.news import SETTINGS, START, article, rejection, store, story
from tests.waiting import PATIENCE

A, B = "https://gazette.example/1", "https://gazette.example/2"


def document(url: str) -> Document:
    return Document(
        location=url,
        url=url,
        body=b"<p>",
        media_type=MediaType.HTML,
        fetched_at=datetime.now(UTC),
        origin=Origin.CRAWL,
        encoding=None,
        publisher=None,
        claims=Claims(),
    )


class Pool:
    """A worker pool in this thread. Documents become the given outcomes, or an error is raised."""

    def __init__(self, outcomes: dict[str, Outcome] | Exception) -> None:
        self.outcomes = outcomes
        self.is_closed = False
        self.submitted: list[tuple[str, Account | None]] = []

    def submit(self, document: Document, account: Account | None = None) -> Future[Outcome]:
        self.submitted.append((document.location, account))
        made: Future[Outcome] = Future()
        if isinstance(self.outcomes, Exception):
            made.set_exception(self.outcomes)
        else:
            made.set_result(self.outcomes[document.location])
        return made

    def __exit__(self, *_: object) -> None:
        self.is_closed = True


class ScrapyEngine:
    """The part of Scrapy's engine that an item pipeline uses."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    async def close_spider_async(self, *, reason: str) -> None:
        self.reasons.append(reason)


class Crawl:
    """A crawl with nothing but this item pipeline."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.url = f"sqlite:///{folder / 'copydesk.db'}"
        self.engine = ScrapyEngine()
        project = ScrapySettings()
        project.setmodule("crawler.settings", priority="project")
        project.update({"COPYDESK_DB": self.url, "COPYDESK_BATCH_SECONDS": 600, **settings}, "cmdline")
        crawler: Any = SimpleNamespace(
            settings=project,
            spidercls=Spider,
            spider=Spider(name="gazette"),
            engine=self.engine,
            get_downloader_middleware=lambda _: None,
            get_item_pipeline=lambda _: self.pipeline,
        )
        crawler.signals = SignalManager(crawler)
        crawler.stats = MemoryStatsCollector(crawler)
        self.crawler = crawler
        self.pipeline: StorePipeline = StorePipeline.from_crawler(crawler)

    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = self.crawler.stats.get_stats()
        return found

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[StorePipeline]:
        await self.pipeline.open_spider()
        try:
            yield self.pipeline
        finally:
            await self.pipeline.close_spider()

    def database(self) -> Engine:
        return open_database(self.url, create=False)

    def give(self, outcomes: dict[str, Outcome] | Exception) -> Pool:
        """Let documents become these outcomes, without worker processes."""
        pool = Pool(outcomes)
        self.pipeline.pool = pool  # type: ignore[assignment]
        return pool


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


async def dropped(pipeline: StorePipeline, item: object) -> str:
    with pytest.raises(DropItem) as error:
        await pipeline.process_item(item)
    return str(error.value)


def test_a_document_becomes_an_article_and_the_item_has_its_columns(tmp_path: Path) -> None:
    crawl = Crawl(tmp_path)
    made = article(A, story(1))

    async def run() -> dict[str, Any]:
        pool = crawl.give({A: made})
        async with crawl.opened() as pipeline:
            columns: dict[str, Any] = await pipeline.process_item(document(A))
        assert pool.is_closed
        return columns

    columns = asyncio.run(run())
    assert (columns["url"], columns["title"], columns["authors"]) == (A, "Title", ["Ada Lind"])
    assert columns["keywords"] == ["ferry", "harbour"]
    assert columns["rights"] == [
        {"name": "robots", "value": "noai", "source": "header", "agent": "gptbot", "reserved": None}
    ]
    database = crawl.database()
    (stored,) = reader.articles(database)
    assert stored.text == made.text
    (run_row,) = reader.runs(database)
    assert (run_row.command, run_row.stored, run_row.rejected) == ("scrapy crawl gazette", 1, 0)
    assert run_row.finished_at is not None
    assert crawl.stats()["copydesk/articles"] == 1


def test_a_rejection_is_stored_and_dropped_with_its_reason(tmp_path: Path) -> None:
    crawl = Crawl(tmp_path)

    async def run() -> str:
        async with crawl.opened() as pipeline:
            return await dropped(pipeline, rejection(A))

    assert asyncio.run(run()) == "no article: only a list of links"
    assert [row.location for row in reader.rejections(crawl.database())] == [A]
    assert crawl.stats()["copydesk/rejected/no article"] == 1


def test_a_document_in_quarantine_goes_to_no_worker_and_stays_as_it_is_stored(tmp_path: Path) -> None:
    crawl = Crawl(tmp_path)
    engine = open_database(crawl.url)
    hung = rejection(A, stage=Stage.WORKER, reason=Reason.TIMEOUT, detail="not done within 30 seconds")
    store(engine, [hung, hung])
    before = reader.rejections(engine)

    async def run() -> tuple[str, Pool]:
        pool = crawl.give({})
        async with crawl.opened() as pipeline:
            assert await pipeline.state.known_urls([A, B]) == {A}, "it is not even requested"
            return await dropped(pipeline, document(A)), pool

    said, pool = asyncio.run(run())
    assert said == "quarantined: 2 times in a row: timeout: not done within 30 seconds"
    assert pool.submitted == []
    assert [row.detail for row in reader.rejections(engine)] == [row.detail for row in before]


def test_worker_time_is_charged_to_the_site_and_what_waits_is_put_off_when_it_is_spent(
    tmp_path: Path,
) -> None:
    crawl = Crawl(tmp_path)
    budgets = BudgetMiddleware(crawl.crawler)
    host = "gazette.example"
    account = budgets.accounts[host] = SiteAccount(1.0)
    crawl.crawler.get_downloader_middleware = lambda kind: budgets if kind is BudgetMiddleware else None

    async def run() -> list[str]:
        async with crawl.opened() as pipeline:
            limits = replace(SETTINGS, timeout_seconds=0.5)
            pool = WorkerPool(limits, 1, process=misbehaving.process)
            pipeline.pool = await asyncio.to_thread(pool.__enter__)
            pages = [replace(document(f"https://{host}/{n}"), body=b"hang") for n in range(8)]
            return list(await asyncio.gather(*(dropped(pipeline, page) for page in pages)))

    said = asyncio.run(run())
    tried = [line for line in said if line.startswith("timeout: ")]
    assert 1 <= len(tried) <= 2, "eight pages of half a second each, and a second of budget"
    assert account.worker_seconds >= 0.5 * len(tried)
    put_off = "put off: the time budget of site gazette.example is spent"
    assert [line for line in said if line not in tried] == [put_off] * (8 - len(tried))
    assert crawl.stats()[f"site/{host}/put_off"] == 8 - len(tried)
    assert len(list(reader.rejections(crawl.database()))) == len(tried), "the next crawl fetches the others"


def test_any_other_item_passes_through_and_is_not_counted(tmp_path: Path) -> None:
    crawl = Crawl(tmp_path)
    item = {"price": 3}

    async def run() -> Any:
        async with crawl.opened() as pipeline:
            return await pipeline.process_item(item)

    assert asyncio.run(run()) is item
    assert crawl.pipeline.counts.seen == 0


def test_a_batch_is_written_when_it_is_full_and_the_rest_when_the_crawl_ends(tmp_path: Path) -> None:
    crawl = Crawl(tmp_path, COPYDESK_BATCH_SIZE=2)

    async def run() -> list[int]:
        async with crawl.opened() as pipeline:
            await dropped(pipeline, rejection(A))
            counts = [pipeline.counts.rejected]
            await dropped(pipeline, rejection(B))
            await until(lambda: pipeline.counts.rejected > 0)
            counts.append(pipeline.counts.rejected)
            await dropped(pipeline, rejection(f"{B}0"))
            counts.append(pipeline.counts.rejected)
        return [*counts, pipeline.counts.rejected]

    assert asyncio.run(run()) == [0, 2, 2, 3]


def test_a_batch_is_written_after_some_seconds(tmp_path: Path) -> None:
    crawl = Crawl(tmp_path, COPYDESK_BATCH_SECONDS=0.01)

    async def run() -> int:
        async with crawl.opened() as pipeline:
            await dropped(pipeline, rejection(A))
            await until(lambda: pipeline.counts.rejected > 0)
            return pipeline.counts.rejected

    assert asyncio.run(run()) == 1


def test_a_forgotten_url_is_neither_stored_nor_passed_on(tmp_path: Path) -> None:
    crawl = Crawl(tmp_path)
    forget_targets(open_database(crawl.url), ForgetTarget((A,)), settings=SETTINGS, now=START)

    async def run() -> str:
        crawl.give({A: article(A, story(1))})
        async with crawl.opened() as pipeline:
            return await dropped(pipeline, document(A))

    assert asyncio.run(run()).startswith("forgotten: ")
    assert list(reader.articles(crawl.database())) == []


def test_a_batch_that_cannot_be_written_ends_the_crawl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    crawl = Crawl(tmp_path, COPYDESK_BATCH_SIZE=1)
    failure = DatabaseError("the disk is full")

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(writer, "write_batch", fail)

    async def run() -> None:
        async with crawl.opened() as pipeline:
            await dropped(pipeline, rejection(A))
            await dropped(pipeline, rejection(B))
            await until(lambda: bool(crawl.engine.reasons))

    with caplog.at_level(logging.ERROR):
        asyncio.run(run())
    assert crawl.engine.reasons == ["storage_error"]
    assert crawl.pipeline.failed is failure
    assert crawl.stats()["copydesk/lost"] == 2
    assert "A batch of 1 document was not stored" in caplog.messages
    assert [message for message in caplog.messages if "The crawl ends: the disk is full" in message]
    assert crawl.pipeline.lesson is None


def test_a_broken_pool_ends_the_crawl_and_processed_documents_are_stored(tmp_path: Path) -> None:
    crawl = Crawl(tmp_path)

    async def run() -> str:
        crawl.give(PoolBroken("no memory"))
        async with crawl.opened() as pipeline:
            await dropped(pipeline, rejection(A))
            reason = await dropped(pipeline, document(B))
            await asyncio.sleep(0)
            return reason

    assert asyncio.run(run()) == "not processed: no memory"
    assert crawl.engine.reasons == ["worker_error"]
    assert [row.location for row in reader.rejections(crawl.database())] == [A]


def test_scrapy_shell_stores_nothing() -> None:
    crawler: Any = SimpleNamespace(spidercls=DefaultSpider)
    with pytest.raises(NotConfigured):
        StorePipeline.from_crawler(crawler)


def test_spiders_get_the_state_from_the_crawler(tmp_path: Path) -> None:
    crawl = Crawl(tmp_path)
    assert crawl_state(crawl.crawler) is crawl.pipeline.state
    without: Any = SimpleNamespace(get_item_pipeline=lambda _: None)
    assert crawl_state(without) is None
