"""Queries of spiders to the database, and their reports to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from crawler.store.crawl_state import CrawlState
from crawler.store.database import CrawlDatabase
from pipeline.document import Outcome, Reason, Rejection
from storage import reader, writer
from storage.crawls import Validators, Visit, revisits
from storage.database import DatabaseError, Engine, open_database
from storage.upkeep import ForgetTarget, forget_targets
from tests.storage.news import SETTINGS, START, article, rejection, store, story

T = TypeVar("T")

A, B, C = (f"https://gazette.example/{number}" for number in (1, 2, 3))
FEED = "https://gazette.example/rss"
SERVED = Validators('"1"', "Sun, 01 Mar 2026 10:00:00 GMT", ((f"{FEED}/more", "feed"),), "rules")
HOURS = (1.0, 3.0)


def unreachable(location: str) -> Rejection:
    return rejection(location, reason=Reason.UNREACHABLE, detail="HTTP 503", page=None)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'copydesk.db'}"


@pytest.fixture
def engine(url: str) -> Engine:
    return open_database(url)


def unexpected(error: DatabaseError) -> None:
    pytest.fail(str(error))


def with_state(url: str, use: Callable[[CrawlState], Awaitable[T]]) -> T:
    """The result of `use` on the state of a crawl, which must not report an error."""

    async def run() -> T:
        database = CrawlDatabase(url)
        await database.open()
        try:
            return await use(CrawlState(database, SETTINGS, timedelta(hours=24), on_error=unexpected))
        finally:
            await database.close()

    return asyncio.run(run())


def write(engine: Engine, state: CrawlState, *outcomes: Outcome) -> None:
    """Write a batch as the item pipeline does."""
    run = writer.start_run(engine, "scrapy crawl news", START)
    writer.write_batch(engine, run, outcomes, SETTINGS, beside=state.take_for(outcomes))


def test_stored_and_lately_rejected_urls_are_known(url: str, engine: Engine) -> None:
    store(engine, [article(A, story(1))])
    now = datetime.now(UTC)
    writer.put_fetch_states(engine, {B: Validators()}, now - timedelta(hours=23))
    writer.put_fetch_states(engine, {C: Validators()}, now - timedelta(hours=25))

    async def use(state: CrawlState) -> None:
        assert await state.known_urls([A, B, C]) == {A, B}
        assert await state.known_urls([]) == set()

    with_state(url, use)


def test_urls_with_a_tombstone_are_forgotten(url: str, engine: Engine) -> None:
    store(engine, [article(A, story(1))])
    forget_targets(engine, ForgetTarget((A,)), settings=SETTINGS, now=START)

    async def use(state: CrawlState) -> set[str]:
        return await state.forgotten_urls([A, B])

    assert with_state(url, use) == {A}


def test_a_source_is_done_when_all_of_its_articles_are_stored(url: str, engine: Engine) -> None:
    async def use(state: CrawlState) -> None:
        state.source_read(FEED, SERVED, [A, B])
        write(engine, state, article(A, story(1)))
        assert await state.source_validators(FEED, "rules") == Validators()
        write(engine, state, rejection(B))
        assert await state.source_validators(FEED, "rules") == SERVED
        assert await state.source_validators(FEED, "other rules") == Validators()

    with_state(url, use)


def test_a_source_whose_articles_are_stored_already_is_done_with_the_next_batch(
    url: str, engine: Engine
) -> None:
    async def use(state: CrawlState) -> Validators:
        write(engine, state, article(A, story(1)))
        state.source_read(FEED, SERVED, [A])
        write(engine, state)
        return await state.source_validators(FEED, "rules")

    assert with_state(url, use) == SERVED


@pytest.mark.parametrize("is_read_first", [True, False])
def test_a_source_with_an_article_that_failed_temporarily_is_read_again(
    url: str, engine: Engine, is_read_first: bool
) -> None:
    async def use(state: CrawlState) -> Validators:
        if is_read_first:
            state.source_read(FEED, SERVED, [A])
        write(engine, state, unreachable(A))
        if not is_read_first:
            state.source_read(FEED, SERVED, [A])
        write(engine, state)
        return await state.source_validators(FEED, "rules")

    assert with_state(url, use) == Validators()


def test_rejected_pages_are_known_and_transient_failures_are_not(url: str, engine: Engine) -> None:
    async def use(state: CrawlState) -> set[str]:
        batch = [rejection(A), unreachable(B)]
        assert set(state.take_for(batch).states) == {A}  # type: ignore[union-attr]
        write(engine, state, *batch)
        return await state.known_urls([A, B])

    assert with_state(url, use) == {A}


def test_a_visit_is_stored_with_its_article_and_makes_it_due(url: str, engine: Engine) -> None:
    async def use(state: CrawlState) -> None:
        state.visit_with_outcome(Visit(A, "gazette", START, HOURS, '"1"'))
        assert state.take_for([]) is None
        write(engine, state, article(A, story(1)))
        (due,) = await state.due_revisits("gazette", 10)
        assert (due.location, due.etag) == (A, '"1"')
        assert await state.due_revisits("gazette", 0) == []
        assert await state.due_revisits("herald", 10) == []
        await state.cancel_revisits([due.article_id])
        assert await state.due_revisits("gazette", 10) == []

    with_state(url, use)


def test_a_visit_without_an_outcome_is_stored_with_the_next_batch(url: str, engine: Engine) -> None:
    async def use(state: CrawlState) -> None:
        state.visit_with_outcome(Visit(A, "gazette", START, HOURS, '"1"'))
        write(engine, state, article(A, story(1)))
        state.visit_without_outcome(Visit(A, "gazette", datetime.now(UTC), HOURS, '"2"'))
        write(engine, state)
        assert await state.due_revisits("gazette", 10) == []

    with_state(url, use)
    assert reader.article_by_url(engine, A) is not None


def test_a_visit_whose_page_is_rejected_keeps_no_validators(url: str) -> None:
    async def use(state: CrawlState) -> None:
        state.visit_with_outcome(Visit(A, "gazette", START, HOURS, '"1"'))
        state.visit_with_outcome(Visit(B, "gazette", START, HOURS, '"1"'))
        beside = state.take_for([rejection(A), unreachable(B)])
        assert beside is not None
        assert [(visit.etag, visit.has_failed) for visit in beside.visits] == [(None, False), (None, True)]

    with_state(url, use)


def test_an_error_of_the_database_is_reported_and_raised(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise DatabaseError("the disk is full")

    reported: list[Exception] = []

    async def run() -> None:
        database = CrawlDatabase(url)
        await database.open()
        with pytest.raises(DatabaseError, match="the disk is full"):
            await CrawlState(database, SETTINGS, timedelta(), reported.append).due_revisits("gazette", 1)
        await database.close()

    monkeypatch.setattr(revisits, "due", fail)
    asyncio.run(run())
    assert list(map(str, reported)) == ["the disk is full"]
