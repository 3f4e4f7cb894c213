"""A fair share of the downloader for each host."""

from __future__ import annotations

import pytest
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.squeues import FifoMemoryQueue

from crawler.fetch.politeness.fair_queue import FairPriorityQueue
from tests.crawler.fetch.crawlers import add_slot, idle_crawler


@pytest.fixture
def crawler() -> Crawler:
    return idle_crawler(CONCURRENT_REQUESTS_PER_DOMAIN=1)


def _queue(crawler: Crawler, **stories: int) -> FairPriorityQueue:
    """A queue with that many stories of each site."""
    queue = FairPriorityQueue.from_crawler(crawler, FifoMemoryQueue, "")
    for site, count in stories.items():
        for number in range(count):
            queue.push(Request(f"https://{site}.example/{number}"))
    return queue


def _take(crawler: Crawler, queue: FairPriorityQueue) -> list[str]:
    """Take requests until none may be made, as the engine does; the downloader answers none of them."""
    taken = []
    while (request := queue.pop()) is not None:
        assert crawler.engine is not None
        crawler.engine.downloader.active.add(request)
        taken.append(request.url.removeprefix("https://"))
    return taken


def test_a_host_with_many_requests_leaves_room_for_the_others(crawler: Crawler) -> None:
    queue = _queue(crawler, vast=50, quick=2)
    assert sorted(_take(crawler, queue)) == ["quick.example/0", "vast.example/0"]
    assert len(queue) == 50


def test_an_answer_frees_its_hosts_place(crawler: Crawler) -> None:
    queue = _queue(crawler, vast=50, quick=2)
    _take(crawler, queue)
    assert crawler.engine is not None
    active = crawler.engine.downloader.active
    active -= {request for request in active if "quick" in request.url}
    assert _take(crawler, queue) == ["quick.example/1"]


def test_the_limit_is_the_sites_own_once_it_is_known(crawler: Crawler) -> None:
    add_slot(crawler, "gazette.example", concurrency=3)
    queue = _queue(crawler, gazette=50, herald=50)
    taken = _take(crawler, queue)
    assert sum(url.startswith("gazette") for url in taken) == 3
    assert sum(url.startswith("herald") for url in taken) == 1


def test_the_host_with_the_fewest_active_requests_is_next(crawler: Crawler) -> None:
    for host in ("gazette.example", "herald.example"):
        add_slot(crawler, host, concurrency=4)
    queue = _queue(crawler, gazette=4, herald=4)
    taken = [url.partition(".")[0] for url in _take(crawler, queue)]
    assert [sorted(taken[start : start + 2]) for start in range(0, 8, 2)] == [["gazette", "herald"]] * 4
