"""The time that a crawl spends on a site."""

from __future__ import annotations

import asyncio

import pytest
from scrapy import Request
from scrapy.http import Response
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.fetch.errors import PutOff
from crawler.fetch.politeness import budget
from crawler.fetch.politeness.budget import BudgetMiddleware
from crawler.fetch.request_meta import politeness_meta
from tests.crawler.fetch.crawlers import add_slot, idle_crawler, politeness_of
from tests.waiting import PATIENCE


class _Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(budget, "monotonic", clock)
    return clock


def _request(site: str, seconds: float = 60.0, host: str = "") -> Request:
    host = host or f"{site}.example"
    meta = {"download_slot": host, **politeness_meta(site, 0.0, 1, seconds)}
    return Request(f"https://{host}/story", meta=meta)


def test_after_its_time_a_site_gets_no_request_on_any_host_and_other_sites_do(clock: _Clock) -> None:
    async def requests() -> None:
        middleware = BudgetMiddleware.from_crawler(idle_crawler())
        middleware.process_request(_request("gazette"))
        clock.seconds += 50
        middleware.process_request(_request("herald"))
        clock.seconds += 10
        middleware.process_request(_request("gazette"))
        clock.seconds += 1
        for host in ("gazette.example", "images.example"):
            with pytest.raises(PutOff, match=r"the time budget of site gazette \(60 s\) is spent"):
                middleware.process_request(_request("gazette", host=host))
        middleware.process_request(_request("herald"))

    asyncio.run(requests())


def test_a_request_of_no_site_has_no_limit(clock: _Clock) -> None:
    middleware = BudgetMiddleware.from_crawler(idle_crawler())
    for _ in range(2):
        middleware.process_request(Request("https://gazette.example/"))
        clock.seconds += 1e9
    assert middleware.accounts == {}


def test_a_suspended_host_gets_no_request() -> None:
    middleware = BudgetMiddleware.from_crawler(idle_crawler())
    politeness_of(middleware.crawler).suspend("gazette.example", "failed 3 times in a row")
    with pytest.raises(PutOff, match=r"gazette\.example failed 3 times in a row"):
        middleware.process_request(_request("gazette"))


def test_requests_that_wait_for_their_turn_end_when_the_time_is_spent() -> None:
    async def requests() -> None:
        crawler = idle_crawler()
        middleware = BudgetMiddleware.from_crawler(crawler)
        own, of_another = _request("gazette", 0.0), _request("herald", host="gazette.example")
        slot = add_slot(crawler, "gazette.example")
        ended: list[BaseException | None] = []
        has_ended = asyncio.Event()

        def end(failure: Failure) -> None:
            ended.append(failure.value)
            has_ended.set()

        for request in (own, of_another):
            waiting: Deferred[Response] = Deferred()
            waiting.addErrback(end)
            slot.queue.append((request, waiting))
        middleware.process_request(own)
        assert ended == []
        await asyncio.wait_for(has_ended.wait(), PATIENCE)
        assert [str(error) for error in ended] == ["the time budget of site gazette (0 s) is spent"]
        assert isinstance(ended[0], PutOff)
        assert [request for request, _ in slot.queue] == [of_another]

    asyncio.run(requests())
