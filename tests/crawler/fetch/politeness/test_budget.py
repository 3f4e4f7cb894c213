"""The time that a crawl spends on a site."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from scrapy import Request
from scrapy.http import Response
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.fetch.errors import PutOff
from crawler.fetch.politeness import budget
from crawler.fetch.politeness.budget import BudgetMiddleware, SiteAccount, account_of
from crawler.fetch.request_meta import politeness_meta
from crawler.settings import EXTENSIONS
from tests.crawler.crawling import Desk
from tests.crawler.deadly import SLOW_SECONDS
from tests.crawler.fetch.crawlers import add_slot, idle_crawler, politeness_of
from tests.crawler.web import Page, article, rss, serve
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


def test_a_site_whose_worker_time_is_spent_gets_no_request_and_no_worker(clock: _Clock) -> None:
    middleware = BudgetMiddleware.from_crawler(idle_crawler())
    asyncio.run(_sent(middleware, _request("gazette")))
    account = middleware.accounts["gazette"]
    for _ in range(2):
        assert not account.is_spent
        middleware.process_request(_request("gazette"))
        account.charge(30.0, has_failed=True)
    assert account.is_spent
    with pytest.raises(PutOff, match=r"the time budget of site gazette \(60 s\) is spent"):
        middleware.process_request(_request("gazette"))


def test_eight_pages_that_hang_take_a_crawl_no_longer_than_the_budget_and_one_of_them(clock: _Clock) -> None:
    # All are fetched in the last second, and processed by two workers, 30 s each.
    account = SiteAccount(60.0)
    clock.seconds += 59
    waiting, tried = 8, 0
    while waiting and not account.is_spent:
        begun = min(2, waiting)
        waiting, tried = waiting - begun, tried + begun
        clock.seconds += 30
        for _ in range(begun):
            account.charge(30.0, has_failed=True)
    assert (tried, waiting) == (2, 6)
    assert clock.seconds - 1000 == 59 + 30


def test_what_was_fetched_in_time_is_still_processed_unless_a_page_hung(clock: _Clock) -> None:
    account = SiteAccount(60.0)
    clock.seconds += 61
    account.charge(0.1, has_failed=False)
    assert (account.is_over, account.is_spent) == (True, False)
    account.charge(0.1, has_failed=True)
    assert account.is_spent


def test_the_time_of_workers_is_charged_to_the_site_of_their_pages(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with serve() as slow, serve("127.0.0.2") as quick:
        for web, extra in ((slow, "<p>SLOW</p>"), (quick, "")):
            web.pages.update({f"/{n}": Page(article(n, extra=extra)) for n in range(3)})
            web.pages["/rss.xml"] = Page(rss([f"{web.base}/{n}" for n in range(3)]), "application/rss+xml")
        desk.write_sites(
            {
                key: {"homepage": f"{web.base}/", "feeds": [f"{web.base}/rss.xml"]}
                for key, web in (("slow", slow), ("quick", quick))
            }
        )
        extensions = {**EXTENSIONS, "tests.crawler.deadly.SlowPages": 1}
        log = desk.scrapy(EXTENSIONS=json.dumps(extensions))
    assert len(desk.articles()) == 6
    charged = {key: float(seconds) for key, seconds in re.findall(r"site (\w+) was charged ([\d.]+) s", log)}
    assert charged["slow"] >= 3 * SLOW_SECONDS
    assert 0 < charged["quick"] < charged["slow"] - 2 * SLOW_SECONDS, "only for its own pages"


def test_the_account_of_a_site_that_has_made_no_request() -> None:
    crawler = idle_crawler()
    assert account_of(crawler, "gazette") is None


async def _sent(middleware: BudgetMiddleware, request: Request) -> None:
    middleware.process_request(request)
