"""Crawls with a JOBDIR, and crawls that are killed at any point and started again."""

from __future__ import annotations

import asyncio
import gzip
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from sqlalchemy import Engine, select

from crawler.fetch.errors import RequestNotNeeded
from crawler.fetch.request_meta import SESSION
from crawler.fetch.resume import ResumableScheduler, ResumeMiddleware
from storage import schema
from storage.database import open_database
from tests import forked
from tests.crawler.crawling import ROOT
from tests.crawler.fetch.crawlers import idle_crawler
from tests.crawler.test_incremental import Gazette
from tests.crawler.web import Page, Web, article, rss, serve, sitemap
from tests.storage.news import contents
from tests.waiting import PATIENCE, wait_until

STORIES = 24
# Small batches, so that a crawl can be killed between two of them.
BATCHES = {"COPYDESK_BATCH_SIZE": "2", "COPYDESK_BATCH_SECONDS": "0.2"}


@pytest.fixture
def web() -> Iterator[Web]:
    with serve() as made:
        yield made


def _fill(web: Web) -> None:
    """A feed, an index of two sitemaps, and stories that take their time."""
    b = web.base
    for number in range(STORIES):
        web.pages[f"/story/{number}"] = Page(article(number), delay=0.15, etag=f'"{number}"')
    web.pages["/rss.xml"] = Page(rss([f"{b}/story/{n}" for n in range(9)]), "application/rss+xml", etag='"f"')
    index = sitemap({f"{b}/one.xml": "", f"{b}/two.xml.gz": ""}, index=True)
    web.pages["/index.xml"] = Page(index, "application/xml", etag='"i"')
    one = sitemap({f"{b}/story/{n}": "" for n in range(8, 17)})
    web.pages["/one.xml"] = Page(one, "application/xml", etag='"1"', delay=0.5)
    two = sitemap({f"{b}/story/{n}": "" for n in range(16, STORIES)})
    web.pages["/two.xml.gz"] = Page(gzip.compress(two), "application/gzip", etag='"2"', delay=1.0)


def _change(web: Web) -> None:
    """Three texts are different, two stories are gone, and the second sitemap of the index names a new
    one.
    """
    for number in (2, 10, 20):
        page = Page(article(number, extra="<p>The mayor has resigned since.</p>"), delay=0.15, etag='"x"')
        web.pages[f"/story/{number}"] = page
    for number in (5, 15):
        web.pages[f"/story/{number}"] = Page(b"gone", status=410, delay=0.15)
    web.pages["/story/new"] = Page(article(99), delay=0.15)
    two = sitemap({f"{web.base}/story/new": ""})
    web.pages["/two.xml.gz"] = Page(gzip.compress(two), "application/gzip", etag='"2b"', delay=1.0)


def _desk(folder: Path, web: Web) -> Gazette:
    folder.mkdir()
    desk = Gazette(folder, web)
    desk.write_site(
        sitemaps=[f"{web.base}/index.xml"], politeness={"concurrent_requests": 2}, revisit_hours=[1, 3]
    )
    return desk


def _interrupt(
    desk: Gazette, answered: int, committed: Callable[[], bool], number: int, *arguments: str
) -> None:
    """Start a crawl that gets answers for so many stories.

    Send it a signal when enough of them is committed.
    """
    go_on = threading.Event()

    def gate(path: str) -> None:
        if path.startswith("/story/") and _asked(desk.web) > answered:
            go_on.wait(PATIENCE)

    desk.web.forget()
    desk.web.gate = gate
    process = forked.Started(
        desk.command("-asite=gazette", *arguments, **BATCHES),
        cwd=ROOT,
        env=desk.environment(),
    )

    def is_far_enough() -> bool:
        assert process.poll() is None, "it was over before"
        return _asked(desk.web) > answered and committed()

    try:
        wait_until(is_far_enough)
        process.send_signal(number)
        if number == signal.SIGINT:  # requests in progress are waited for
            wait_until(lambda: "Received SIGINT" in process.said())
            go_on.set()
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()
        go_on.set()
        desk.web.gate = lambda _: None


def _is_more(count: Callable[[Gazette], set[str]], desk: Gazette, least: int) -> bool:
    """Whether so many of the pages that this crawl requested are committed."""
    return len(count(desk) & set(desk.web.count())) >= least


def _asked(web: Web) -> int:
    return sum(path.startswith("/story/") for path, _ in web.log)


def _paths(desk: Gazette, addresses: Any) -> set[str]:
    return {address.removeprefix(desk.web.base) for (address,) in addresses}


def _state(desk: Gazette) -> dict[str, Any]:
    """Everything that must not depend on how often a crawl was killed. Times are left out."""
    engine = open_database(desk.url, create=False)
    found = contents(engine)
    times = {"first_seen_at", "updated_at", "gone_at"}
    articles = {
        url: {**{k: v for k, v in row.items() if k not in times}, "is_gone": row["gone_at"] is not None}
        for url, row in found["articles"].items()
    }
    state = {
        **found,
        "articles": articles,
        "rejections": [row[:-1] for row in found["rejections"]],
        "revisions": _rows(engine, schema.revision, "title", "text"),
        "fetch states": _rows(engine, schema.fetch_state, "url", "etag", "children", "read_as"),
        "visits": _rows(engine, schema.revisit, "site", "location", "etag", "failures"),
        "hours": desk.sql(
            "SELECT revisit.location, round(24 * (julianday(due_at) - julianday(first_seen_at)), 3)"
            " FROM revisit JOIN article ON id = article_id ORDER BY revisit.location"
        ),
    }
    engine.dispose()
    return state


def _rows(engine: Engine, table: Any, *names: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return sorted(map(tuple, connection.execute(select(*(table.c[name] for name in names)))), key=repr)


def test_a_killed_crawl_ends_like_an_uninterrupted_one(tmp_path: Path, web: Web) -> None:
    _fill(web)
    whole, killed = _desk(tmp_path / "whole", web), _desk(tmp_path / "killed", web)
    whole.crawl()
    assert len(whole.stored()) == STORIES
    jobdir = f"-sJOBDIR={killed.folder / 'job'}"
    # Killed at the beginning, in the middle, after an orderly stop (which keeps the queue), and after it was
    # resumed.
    steps = ((0, 0, signal.SIGKILL), (6, 3, signal.SIGKILL), (4, 1, signal.SIGINT), (4, 2, signal.SIGKILL))
    for answered, more, number in steps:
        stored = _stored(killed)
        _interrupt(killed, answered, partial(_is_more, _stored, killed, more), number, jobdir)
        assert not stored & set(web.count())
        assert max(web.count().values()) == 1
    stored = _stored(killed)
    assert 6 <= len(stored) < STORIES
    killed.crawl(jobdir)
    assert not stored & set(web.count())
    assert max(web.count().values()) == 1
    assert _state(killed) == _state(whole)

    _change(web)
    for desk in (whole, killed):
        desk.let_time_pass()
    whole.crawl()
    for answered, more in ((2, 1), (7, 3)):
        visited = _visited(killed)
        _interrupt(killed, answered, partial(_is_more, _visited, killed, more), signal.SIGKILL)
        assert not visited & set(web.count())
    visited = _visited(killed)
    assert 4 <= len(visited) < STORIES
    killed.crawl()
    assert not visited & set(web.count())
    assert _state(killed) == _state(whole)
    articles = killed.stored()
    assert len(articles) == STORIES + 1
    assert {path for path, row in articles.items() if row.revision == 2} == {
        "/story/2",
        "/story/10",
        "/story/20",
    }
    assert {path for path, row in articles.items() if row.gone_at is not None} == {"/story/5", "/story/15"}


def _stored(desk: Gazette) -> set[str]:
    """The URLs with a committed article."""
    if not (desk.folder / "copydesk.db").exists():
        return set()
    has_tables = desk.sql("SELECT 1 FROM sqlite_master WHERE name = 'document'")
    return _paths(desk, desk.sql("SELECT location FROM document")) if has_tables else set()


def _visited(desk: Gazette) -> set[str]:
    """The URLs that were requested again or are new, and are committed."""
    return _paths(desk, desk.sql("SELECT location FROM revisit WHERE due_at > '2026-01-02'"))


def _scheduler(folder: Path) -> tuple[ResumableScheduler, Crawler]:
    crawler = idle_crawler(JOBDIR=str(folder), SCHEDULER_PRIORITY_QUEUE="scrapy.pqueues.ScrapyPriorityQueue")
    scheduler = ResumableScheduler.from_crawler(crawler)
    assert crawler.spider is not None
    scheduler.open(crawler.spider)
    return scheduler, crawler


def test_after_an_orderly_stop_the_queue_is_kept(tmp_path: Path) -> None:
    first, _ = _scheduler(tmp_path)
    assert first.enqueue_request(Request("https://gazette.example/1"))
    first.close("shutdown")
    second, _ = _scheduler(tmp_path)
    assert not second.enqueue_request(Request("https://gazette.example/1"))  # a duplicate
    found = second.next_request()
    assert found is not None
    assert found.url == "https://gazette.example/1"
    second.close("finished")


def test_after_a_kill_the_queue_is_dropped_and_its_requests_can_be_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    killed, _ = _scheduler(tmp_path)
    assert killed.enqueue_request(Request("https://gazette.example/1"))
    killed.df.close("killed")  # writes the file of requests that were seen, as a longer crawl does
    second, _ = _scheduler(tmp_path)
    assert "is of a crawl that was killed" in caplog.text
    assert len(second) == 0
    assert second.enqueue_request(Request("https://gazette.example/1"))
    second.close("finished")


class _Wanting:
    """The part of a spider that the middleware uses.

    It still wants some URLs that an earlier process requested.
    """

    session = "now"

    def __init__(self, *wanted: str) -> None:
        self.wanted = wanted

    async def is_wanted(self, request: Request) -> bool:
        return request.url in self.wanted


def _resume(folder: Path, *wanted: str) -> ResumeMiddleware:
    crawler: Any = idle_crawler(JOBDIR=str(folder))
    crawler.spider = _Wanting(*wanted)
    return ResumeMiddleware.from_crawler(crawler)


def _request(url: str, session: str, **meta: int) -> Request:
    return Request(url, meta={SESSION: session, **meta})


def test_requests_of_an_earlier_process_are_made_only_if_they_are_still_wanted(tmp_path: Path) -> None:
    new, stored = "https://gazette.example/new", "https://gazette.example/stored"
    middleware = _resume(tmp_path, new)
    asyncio.run(middleware.process_request(_request(new, "before")))
    with pytest.raises(RequestNotNeeded, match="already stored"):
        asyncio.run(middleware.process_request(_request(stored, "before")))
    # This process has checked its own requests itself.
    asyncio.run(middleware.process_request(_request("https://gazette.example/other", "now")))


def test_no_request_is_made_twice_except_retries_and_redirects(tmp_path: Path) -> None:
    url = "https://gazette.example/1"
    middleware = _resume(tmp_path)
    asyncio.run(middleware.process_request(_request(url, "now")))
    for meta in ({"retry_times": 1}, {"redirect_times": 1}):
        asyncio.run(middleware.process_request(_request(url, "now", **meta)))
    with pytest.raises(RequestNotNeeded, match="already requested"):
        asyncio.run(middleware.process_request(_request(url, "now")))


def test_requests_of_spiders_that_are_not_copydesks_are_not_checked(tmp_path: Path) -> None:
    middleware = _resume(tmp_path)
    for _ in range(2):
        asyncio.run(middleware.process_request(Request("https://gazette.example/1")))
    assert middleware.requested == set()


def test_without_a_jobdir_the_middleware_is_off() -> None:
    with pytest.raises(NotConfigured):
        ResumeMiddleware.from_crawler(idle_crawler())
