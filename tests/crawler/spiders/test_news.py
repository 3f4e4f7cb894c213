"""The news spider without a network: what it requests, and what it reports of what came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from crawler.fetch import ARTICLE, PutOff, RequestNotNeeded
from crawler.sites import MAX_URL_LENGTH, Site
from crawler.spiders.news import MAX_SITEMAP_DEPTH, NewsSpider, _SiteCrawl
from crawler.workers import Account, BudgetSpent, PoolBroken, TaskFailed
from pipeline.document import Claims, Document, Reason, Rejection
from storage.crawls import DueRevisit, Validators, Visit
from tests.crawler.fetch.crawlers import idle_crawler
from tests.crawler.web import article, rss, sitemap

HOME = "https://gazette.example/"
FEED, ATOM, INDEX = f"{HOME}rss.xml", f"{HOME}atom.xml", f"{HOME}index.xml"
ONE, TWO, THREE = (f"{HOME}story/{number}" for number in (1, 2, 3))
SITE = Site(key="gazette", name="The Gazette", homepage=HOME, feeds=(FEED, ATOM), revisit_hours=(1.0,))
SERVED = {"ETag": '"1"'}


class State:
    """Has the interface of `crawler.store.CrawlState`: what the database knows, and what it is told."""

    def __init__(self, known: Iterable[str] = (), forgotten: Iterable[str] = ()) -> None:
        self.known, self.forgotten = set(known), set(forgotten)
        self.due: list[DueRevisit] = []
        self.validators: dict[str, Validators] = {}
        self.cancelled: set[int] = set()
        self.read: dict[str, tuple[Validators, set[str]]] = {}
        self.held: dict[str, str] = {}
        self.sources: list[tuple[str, Reason | None]] = []  # which cost their worker, or nothing
        self.visits: list[tuple[Visit, bool]] = []

    async def known_urls(self, urls: Sequence[str]) -> set[str]:
        return self.known & set(urls)

    async def forgotten_urls(self, urls: Iterable[str]) -> set[str]:
        return self.forgotten & set(urls)

    async def source_validators(self, url: str, read_as: str) -> Validators:
        return self.validators.get(url, Validators())

    async def why_held(self, url: str) -> str | None:
        return self.held.get(url)

    async def source_cost_worker(self, url: str, reason: Reason, detail: str) -> None:
        self.sources.append((url, reason))

    async def source_cost_nothing(self, url: str) -> None:
        self.sources.append((url, None))

    def source_read(self, url: str, served: Validators, locations: Iterable[str]) -> None:
        self.read[url] = (served, set(locations))

    async def due_revisits(self, site: str, limit: int) -> list[DueRevisit]:
        return self.due[:limit]

    async def cancel_revisits(self, article_ids: Iterable[int]) -> None:
        self.cancelled |= set(article_ids)

    def visit_with_outcome(self, visit: Visit) -> None:
        self.visits.append((visit, True))

    def visit_without_outcome(self, visit: Visit) -> None:
        self.visits.append((visit, False))


class Pipeline:
    """Has the interface of `StorePipeline` that spiders use. The pool is this process; it may be broken."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.error: Exception | None = None
        self.stopped: list[str] = []

    async def workers(self) -> Pipeline:
        return self

    def run(
        self, function: Callable[..., Any], *arguments: Any, account: Account | None = None
    ) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            if self.error is not None:
                raise self.error
            done.set_result(function(*arguments))
        except Exception as error:
            done.set_exception(error)
        return done

    def stop(self, error: Exception, reason: str) -> None:
        self.stopped.append(reason)


class Crawl:
    """A crawl of SITE, or of one like it, up to the requests that the spider makes."""

    def __init__(self, state: State | None = None, refetch: bool = False, **changes: Any) -> None:
        self.state = state or State()
        self.pipeline = Pipeline(self.state)
        crawler: Any = idle_crawler(COPYDESK_FEED_MAXSIZE=100_000, COPYDESK_SITEMAP_MAXSIZE=100_000)
        crawler.get_item_pipeline = lambda _: self.pipeline
        self.spider = NewsSpider(refetch="1" if refetch else "")
        self.spider._set_crawler(crawler)
        self.site = SITE.model_copy(update=changes)
        self.spider.crawls = {"gazette": _SiteCrawl(self.site)}

    def start(self) -> list[Request]:
        return _all(self.spider.start())

    def read(self, request: Request, body: bytes = b"", status: int = 200, **headers: str) -> list[Any]:
        """Give the spider an answer to the request for a source."""
        response = Response(request.url, status, headers or SERVED, body, request=request)
        return _all(self.spider.parse_source(response, **request.cb_kwargs))

    def fail(self, request: Request, error: Exception) -> list[Any]:
        failure: Any = Failure(error)  # type: ignore[no-untyped-call]
        failure.request = request
        assert request.errback is not None
        found = request.errback(failure)
        return _all(found) if isinstance(found, AsyncIterator) else list(found)

    def counts(self) -> dict[str, int]:
        stats = self.spider.crawler.stats
        assert stats is not None
        return {
            key.removeprefix("site/gazette/"): value
            for key, value in stats.get_stats().items()
            if key.startswith("site/gazette/")
        }


def _all(found: AsyncIterator[Any]) -> list[Any]:
    async def collect() -> list[Any]:
        return [one async for one in found]

    return asyncio.run(collect())


def _urls(requests: Iterable[Request]) -> list[str]:
    return [request.url for request in requests]


def _due(number: int, url: str, **validators: str) -> DueRevisit:
    etag, last_modified = validators.get("etag"), validators.get("last_modified")
    return DueRevisit(number, url, url, etag, last_modified, Claims())


def _http(request: Request, status: int) -> HttpError:
    return HttpError(Response(request.url, status, request=request))


# Sources.


def test_a_crawl_begins_with_the_sources_of_the_site_before_any_article() -> None:
    crawl = Crawl(sitemaps=(INDEX,))
    requests = crawl.start()
    assert _urls(requests) == [FEED, ATOM, INDEX]
    assert all(request.priority > 0 for request in requests)
    assert [request.cb_kwargs["kind"] for request in requests] == ["feed", "feed", "sitemap"]


def test_a_source_is_asked_for_with_what_it_was_last_served_with_unless_all_is_fetched_again() -> None:
    state = State()
    state.validators[FEED] = Validators('"7"', "Mon, 02 Mar 2026 10:00:00 GMT")
    first, second = Crawl(state).start()
    assert (first.headers["If-None-Match"], second.headers.get("If-None-Match")) == (b'"7"', None)
    first, _ = Crawl(state, refetch=True).start()
    assert "If-None-Match" not in first.headers


@pytest.mark.parametrize(
    "feeds", [("https://[broken/rss.xml",), (f"{HOME}{'a' * MAX_URL_LENGTH}",), (FEED, f"{FEED}#top")]
)
def test_a_source_without_a_valid_url_of_its_own_is_left_out(feeds: tuple[str, ...]) -> None:
    assert _urls(Crawl(feeds=feeds).start()) == [url for url in feeds if url == FEED]


def test_a_site_that_was_forgotten_is_not_read() -> None:
    crawl = Crawl(State(forgotten=(HOME,)))
    assert crawl.start() == []
    assert crawl.counts() == {"forgotten": 1}


def test_of_a_source_what_the_database_does_not_know_is_requested() -> None:
    crawl = Crawl(State(known=(ONE,), forgotten=(TWO,)))
    feed, _ = crawl.start()
    (request,) = crawl.read(feed, rss([ONE, TWO, THREE, "https://elsewhere.example/1"]))
    assert (request.url, request.meta[ARTICLE]) == (THREE, True)
    counts = {"discovered": 3, "known": 1, "forgotten": 1, "sources": 1}
    assert crawl.counts() == counts
    served, waiting = crawl.state.read[FEED]
    assert (served.etag, waiting) == ('"1"', {THREE})


def test_an_article_of_two_sources_is_requested_once_and_both_wait_for_it() -> None:
    crawl = Crawl()
    feed, atom = crawl.start()
    assert _urls(crawl.read(feed, rss([ONE]))) == [ONE]
    assert _urls(crawl.read(atom, rss([f"{ONE}#comments", TWO]))) == [TWO]
    assert {url: waiting for url, (_, waiting) in crawl.state.read.items()} == {FEED: {ONE}, ATOM: {ONE, TWO}}


def test_beyond_the_page_budget_nothing_is_requested_and_its_sources_stay_unread() -> None:
    politeness = SITE.politeness.model_copy(update={"page_budget": 2})
    crawl = Crawl(politeness=politeness)
    feed, atom = crawl.start()
    assert _urls(crawl.read(feed, rss([ONE, TWO, THREE]))) == [ONE, TWO]
    assert crawl.read(atom, rss([TWO])) == []
    assert crawl.counts()["over_budget"] == 1
    assert list(crawl.state.read) == [ATOM]


def test_what_an_unchanged_source_names_is_looked_at() -> None:
    state = State()
    state.validators[INDEX] = Validators('"7"', children=((f"{HOME}monday.xml", "sitemap"),))
    crawl = Crawl(state, feeds=(), sitemaps=(INDEX,))
    (index,) = crawl.start()
    (monday,) = crawl.read(index, status=304)
    assert (monday.url, monday.cb_kwargs["depth"]) == (f"{HOME}monday.xml", 1)
    assert crawl.counts() == {"not_modified": 1}


def test_a_source_that_says_to_be_unchanged_where_nobody_asked_has_failed() -> None:
    crawl = Crawl()
    feed, _ = crawl.start()
    assert crawl.read(feed, status=304) == []
    assert crawl.counts() == {"sources_failed": 1}


def test_sitemaps_that_name_sitemaps_come_to_an_end() -> None:
    crawl = Crawl(feeds=(), sitemaps=(INDEX,))
    requests = crawl.start()
    for depth in range(MAX_SITEMAP_DEPTH + 1):
        (request,) = requests
        requests = crawl.read(request, sitemap({f"{HOME}{depth}.xml": ""}, index=True))
    assert requests == []
    assert crawl.counts()["too_deep"] == 1


def test_an_index_with_more_sitemaps_than_the_page_budget_is_cut() -> None:
    politeness = SITE.politeness.model_copy(update={"page_budget": 2})
    crawl = Crawl(feeds=(), sitemaps=(INDEX,), politeness=politeness)
    (index,) = crawl.start()
    found = crawl.read(index, sitemap({f"{HOME}{n}.xml": "" for n in range(5)}, index=True))
    assert _urls(found) == [f"{HOME}0.xml", f"{HOME}1.xml"]
    assert crawl.counts()["sources_over_budget"] == 3


@pytest.mark.parametrize(
    "error", [ValueError("no feed"), TaskFailed(Reason.TIMEOUT, "too long"), BudgetSpent("spent")]
)
def test_a_source_that_cannot_be_read_costs_itself_alone(error: Exception) -> None:
    crawl = Crawl()
    feed, atom = crawl.start()
    crawl.pipeline.error = error
    assert crawl.read(feed, rss([ONE])) == []
    crawl.pipeline.error = None
    assert _urls(crawl.read(atom, rss([TWO]))) == [TWO]
    assert crawl.counts()["sources_failed"] == 1
    assert list(crawl.state.read) == [ATOM]
    cost = [(FEED, Reason.TIMEOUT)] if isinstance(error, TaskFailed) else []
    assert crawl.state.sources == [*cost, (ATOM, None)]


def test_a_source_in_quarantine_is_not_requested_and_counts_as_failed() -> None:
    crawl = Crawl()
    crawl.state.held = {FEED: "2 times in a row: timeout: too long"}
    (atom,) = crawl.start()
    assert (atom.url, crawl.counts()["sources_failed"]) == (ATOM, 1)
    crawl = Crawl(feeds=(FEED,))
    crawl.state.held, crawl.state.due = {FEED: "2 times in a row"}, [_due(1, ONE)]
    assert _urls(crawl.start()) == [ONE], "without a source to wait for, revisits begin"


def test_without_workers_the_crawl_ends() -> None:
    crawl = Crawl()
    feed, _ = crawl.start()
    crawl.pipeline.error = PoolBroken("no memory")
    assert crawl.read(feed, rss([ONE])) == []
    assert crawl.pipeline.stopped == ["worker_error"]


# Revisits.


def test_due_articles_are_visited_again_when_the_last_source_is_read_or_has_failed() -> None:
    state = State()
    state.due = [_due(1, ONE, etag='"1"'), _due(2, TWO, last_modified="Mon, 02 Mar 2026 10:00:00 GMT")]
    crawl = Crawl(state)
    feed, atom = crawl.start()
    assert _urls(crawl.read(feed, rss([THREE]))) == [THREE]
    first, second = crawl.fail(atom, _http(atom, 500))
    assert (first.url, first.headers["If-None-Match"]) == (ONE, b'"1"')
    assert (second.url, second.headers["If-Modified-Since"]) == (TWO, b"Mon, 02 Mar 2026 10:00:00 GMT")
    assert first.priority < 0, "after what is new"
    assert ARTICLE not in first.meta


def test_a_due_article_that_a_source_just_named_is_not_requested_twice() -> None:
    state = State()
    state.due = [_due(1, ONE)]
    crawl = Crawl(state, feeds=(FEED,))
    (feed,) = crawl.start()
    assert _urls(crawl.read(feed, rss([ONE]))) == [ONE]


def test_what_is_not_the_sites_any_more_or_forgotten_is_not_visited_again() -> None:
    state = State(forgotten=(TWO,))
    state.due = [_due(1, "https://elsewhere.example/1"), _due(2, TWO), _due(3, THREE)]
    crawl = Crawl(state, feeds=(FEED,))
    (feed,) = crawl.start()
    assert _urls(crawl.read(feed, rss([]))) == [THREE]
    assert state.cancelled == {1, 2}


def test_a_site_without_revisit_hours_is_not_visited_again() -> None:
    state = State()
    state.due = [_due(1, ONE)]
    crawl = Crawl(state, feeds=(FEED,), revisit_hours=())
    (feed,) = crawl.start()
    assert crawl.read(feed, rss([])) == []


# Articles.


def _article_requests(crawl: Crawl) -> tuple[Request, Request]:
    """The requests for a new article and for one that is visited again."""
    crawl.state.due = [_due(2, TWO, etag='"2"')]
    (feed,) = crawl.start()
    new, again = crawl.read(feed, rss([ONE]))
    return new, again


def test_a_page_becomes_a_document_of_its_site_and_the_visit_is_stored_with_it() -> None:
    crawl = Crawl(feeds=(FEED,))
    for request in _article_requests(crawl):
        response = Response(request.url, 200, {"ETag": '"9"'}, article(1), request=request)
        (document,) = _all(crawl.spider.parse_article(response, **request.cb_kwargs))
        assert isinstance(document, Document)
        assert (document.location, document.publisher) == (request.url, "The Gazette")
    assert [(visit.location, visit.etag, stored) for visit, stored in crawl.state.visits] == [
        (ONE, '"9"', True),
        (TWO, '"9"', True),
    ]
    assert (crawl.counts()["fetched"], crawl.counts()["revisited"]) == (1, 1)


def test_an_unchanged_page_is_a_visit_and_nothing_to_store() -> None:
    crawl = Crawl(feeds=(FEED,))
    _, again = _article_requests(crawl)
    response = Response(again.url, 304, request=again)
    assert _all(crawl.spider.parse_article(response, **again.cb_kwargs)) == []
    ((visit, is_stored_with_outcome),) = crawl.state.visits
    assert (visit.etag, visit.has_failed, is_stored_with_outcome) == ('"2"', False, False)


@pytest.mark.parametrize(
    ("status", "counted", "is_gone"), [(503, "failed_for_now", False), (404, "failed", True)]
)
def test_a_new_article_that_is_not_fetched_is_a_rejection(status: int, counted: str, is_gone: bool) -> None:
    crawl = Crawl(feeds=(FEED,))
    new, _ = _article_requests(crawl)
    (rejection,) = crawl.fail(new, _http(new, status))
    assert isinstance(rejection, Rejection)
    assert (rejection.location, rejection.detail, rejection.is_gone) == (ONE, f"HTTP {status}", is_gone)
    assert crawl.counts()[counted] == 1
    assert crawl.state.visits == []


@pytest.mark.parametrize(("status", "is_tried_again"), [(503, True), (402, False)])
def test_a_stored_article_that_cannot_be_fetched_stays_as_it_is(status: int, is_tried_again: bool) -> None:
    crawl = Crawl(feeds=(FEED,))
    _, again = _article_requests(crawl)
    assert crawl.fail(again, _http(again, status)) == []
    ((visit, _),) = crawl.state.visits
    assert (visit.location, visit.has_failed) == (TWO, is_tried_again)
    assert crawl.counts()["revisits_failed"] == 1


def test_a_stored_article_that_is_gone_is_said_to_be() -> None:
    crawl = Crawl(feeds=(FEED,))
    _, again = _article_requests(crawl)
    (rejection,) = crawl.fail(again, _http(again, 410))
    assert rejection.is_gone
    assert [stored for _, stored in crawl.state.visits] == [True]
    assert (crawl.counts()["revisited"], crawl.counts()["gone"]) == (1, 1)


def test_a_request_that_the_crawl_itself_gives_up_says_nothing_of_the_page() -> None:
    crawl = Crawl(feeds=(FEED,))
    for request in _article_requests(crawl):
        assert crawl.fail(request, PutOff("its time is spent")) == []
        assert crawl.fail(request, RequestNotNeeded("it is stored")) == []
    assert crawl.counts()["put_off"] == 2
    assert crawl.state.visits == []


# Requests from a JOBDIR.


def test_of_an_earlier_process_what_is_still_missing_is_requested_and_charged() -> None:
    crawl = Crawl(State(known=(ONE,), forgotten=(TWO,)))

    def is_wanted(url: str, site: str = "gazette") -> bool:
        request = Request(url, cb_kwargs={"site": site}, meta={ARTICLE: True})
        return asyncio.run(crawl.spider.is_wanted(request))

    assert [is_wanted(url) for url in (ONE, TWO, THREE)] == [False, False, True]
    assert not is_wanted(THREE, site="herald"), "of a site that is not crawled"
    assert crawl.spider.crawls["gazette"].articles_requested == 1
    feed, _ = crawl.start()
    assert crawl.read(feed, rss([THREE])) == [], "it is under way"
