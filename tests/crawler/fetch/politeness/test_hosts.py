"""Retry-After, back-off, and suspended hosts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.internet.defer import Deferred

from crawler.fetch.errors import PutOff
from crawler.fetch.politeness import hosts
from crawler.fetch.politeness.hosts import Politeness, retry_after
from crawler.fetch.politeness.robots import RobotsTxt
from crawler.fetch.request_meta import politeness_meta
from tests.crawler.fetch.crawlers import add_slot, idle_crawler, politeness_of

HOST = "gazette.example"
NOW = 1000.0


@pytest.mark.parametrize(("value", "seconds"), [("120", 120), ("0", 0), ("9" * 400, 1e9)])
def test_retry_after_as_a_number(value: str, seconds: float) -> None:
    assert retry_after(Response("https://a.example/", headers={"Retry-After": value})) == seconds


def test_retry_after_as_a_date() -> None:
    value = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
    seconds = retry_after(Response("https://a.example/", headers={"Retry-After": value}))
    assert seconds is not None
    assert 7000 <= seconds <= 7200


IMPOSSIBLE_DATES = (
    "Wed, 31 Feb 2999 10:00:00 GMT",
    "Mon, 99 Dec 2999 25:61:61 GMT",
    "Mon, 01 Jan 2999 00:00:00 +9999",
    "Mon, 01 Jan 99999 00:00:00 GMT",
    "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    "Mon, 01 Jan 2999 00:00:00 -99999999999999999999999999999",
)


@pytest.mark.parametrize("value", IMPOSSIBLE_DATES)
def test_an_impossible_date_means_a_long_wait(value: str, crawler: Crawler, politeness: Politeness) -> None:
    assert retry_after(Response("https://a.example/", headers={"Retry-After": value})) == 1e9
    _answer(crawler, 503, Retry_After=value)
    assert politeness.suspended == {HOST: "asked for a pause of 1000000000 s (Retry-After)"}


def test_a_date_in_the_past_means_the_usual_wait(crawler: Crawler, politeness: Politeness) -> None:
    slot = add_slot(crawler, HOST)
    past = format_datetime(datetime.now(UTC) - timedelta(hours=2), usegmt=True)
    _answer(crawler, 503, Retry_After=past)
    assert (slot.lastseen, politeness.failures) == (NOW + 2, {HOST: 1})


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e3", "١٢"])
def test_retry_after_that_makes_no_sense(value: str) -> None:
    assert retry_after(Response("https://a.example/", headers={"Retry-After": value.encode()})) is None


@pytest.fixture
def crawler(monkeypatch: pytest.MonkeyPatch) -> Crawler:
    monkeypatch.setattr(hosts, "monotonic", lambda: NOW)
    return idle_crawler(
        COPYDESK_BACKOFF_SECONDS=2.0,
        COPYDESK_BACKOFF_MAX_SECONDS=10.0,
        COPYDESK_HOST_FAILURES=5,
        USER_AGENT="copydesk/0.1",
    )


@pytest.fixture
def politeness(crawler: Crawler) -> Politeness:
    return politeness_of(crawler)


def _request(
    number: int = 0, delay: float = 0.0, concurrency: int = 1, budget: float = 60.0, host: str = HOST
) -> Request:
    meta = {"download_slot": host, **politeness_meta("gazette", delay, concurrency, budget)}
    return Request(f"https://{host}/story/{number}", meta=meta)


def _answer(crawler: Crawler, status: int, **headers: str) -> None:
    request = _request()
    response = Response(request.url, status, {k.replace("_", "-"): v for k, v in headers.items()})
    crawler.signals.send_catch_log(signals.response_downloaded, response=response, request=request)


def _robots(crawler: Crawler, body: bytes, budget: float = 60.0) -> None:
    request = _request(budget=budget).replace(url=f"https://{HOST}/robots.txt")
    parser = RobotsTxt.from_crawler(crawler, body)
    crawler.signals.send_catch_log(signals.robots_parsed, robotparser=parser, request=request)


def test_after_each_failure_the_wait_for_a_host_doubles_up_to_the_maximum(
    crawler: Crawler, politeness: Politeness
) -> None:
    slot = add_slot(crawler, HOST)
    pauses = []
    for _ in range(4):
        slot.lastseen = 0
        politeness.record_failure(HOST, None)
        pauses.append(slot.lastseen - NOW)
    assert pauses == [2, 4, 8, 10]
    assert slot.delay > 0  # the downloader waits only for slots with a delay
    assert politeness.suspended == {}


def test_a_host_that_fails_too_often_in_a_row_is_suspended(crawler: Crawler, politeness: Politeness) -> None:
    for status in (503, 500, 429, 503, 200, 503, 500, 502, 504):
        _answer(crawler, status)
    assert politeness.suspended == {}
    _answer(crawler, 503)
    assert politeness.suspended == {HOST: "failed 5 times in a row"}
    assert crawler.stats is not None
    assert crawler.stats.get_value("politeness/hosts_rested") == 1


def test_a_page_that_is_missing_is_no_failure_of_its_host(crawler: Crawler, politeness: Politeness) -> None:
    for _ in range(20):
        _answer(crawler, 404)
    assert (politeness.failures, politeness.suspended) == ({}, {})


def test_retry_after_replaces_the_back_off_and_a_long_one_suspends_the_host(
    crawler: Crawler, politeness: Politeness
) -> None:
    slot = add_slot(crawler, HOST)
    _answer(crawler, 503, Retry_After="7")
    assert slot.lastseen == NOW + 7
    assert politeness.suspended == {}
    _answer(crawler, 429, Retry_After="3600")
    assert politeness.suspended == {HOST: "asked for a pause of 3600 s (Retry-After)"}


def test_no_request_is_made_to_a_suspended_host(politeness: Politeness) -> None:
    politeness.suspend(HOST, "failed 5 times in a row")
    politeness.suspend(HOST, "failed once more")
    with pytest.raises(PutOff, match=r"^gazette\.example failed 5 times in a row$"):
        politeness.raise_if_suspended(_request())
    politeness.raise_if_suspended(_request(host="herald.example"))


def test_requests_that_wait_for_a_host_end_when_it_is_suspended(
    crawler: Crawler, politeness: Politeness
) -> None:
    ended: list[str] = []
    for host in (HOST, "herald.example"):
        slot = add_slot(crawler, host)
        for number in range(2):
            waiting: Deferred[Response] = Deferred()
            waiting.addErrback(lambda failure: ended.append(str(failure.value)))
            slot.queue.append((_request(number, host=host), waiting))
    politeness.suspend(HOST, "failed 5 times in a row")
    assert ended == [f"{HOST} failed 5 times in a row"] * 2
    assert crawler.engine is not None
    slots = crawler.engine.downloader.slots
    assert [len(slots[host].queue) for host in (HOST, "herald.example")] == [0, 2]


@pytest.mark.parametrize(
    ("robots", "delay", "expected"),
    [
        (b"", 1.5, 1.5),
        (b"User-agent: *\nCrawl-delay: 3\n", 1.5, 3.0),
        (b"User-agent: *\nCrawl-delay: 1\n", 1.5, 1.5),
        (b"User-agent: *\nCrawl-delay: soon\n", 1.5, 1.5),
        (b"User-agent: other\nCrawl-delay: 9\n\nUser-agent: CopyDesk\nCrawl-delay: 2\n", 0.0, 2.0),
    ],
)
def test_the_delay_is_the_longer_of_the_sites_and_its_robots_txts(
    crawler: Crawler, robots: bytes, delay: float, expected: float
) -> None:
    slot = add_slot(crawler, HOST)
    _robots(crawler, robots)
    request = _request(delay=delay, concurrency=4)
    crawler.signals.send_catch_log(signals.request_reached_downloader, request=request)
    assert (slot.delay, slot.concurrency) == (expected, 4)


def test_a_delay_that_latency_suggests_is_not_shortened(crawler: Crawler) -> None:
    slot = add_slot(crawler, HOST)
    slot.delay = 8.0
    crawler.signals.send_catch_log(signals.request_reached_downloader, request=_request(delay=1.0))
    assert slot.delay == 8.0


def test_a_crawl_delay_beyond_the_sites_time_budget_suspends_the_host(
    crawler: Crawler, politeness: Politeness
) -> None:
    _robots(crawler, b"User-agent: *\nCrawl-delay: 60\n", budget=60.0)
    assert politeness.suspended == {}
    _robots(crawler, b"User-agent: *\nCrawl-delay: 61\n", budget=60.0)
    assert politeness.suspended == {HOST: "asks for 61 s between two requests (Crawl-delay)"}
