"""Requests for single pages outside of a crawl."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from scrapy import Request
from scrapy.exceptions import DownloadTimeoutError, IgnoreRequest
from scrapy.http import Response

from crawler.fetch.errors import RequestRefused
from crawler.probing.client import Client, NoPage, is_robots_url
from crawler.sites.site import Politeness
from crawler.workers import PoolBroken, TaskFailed
from pipeline.document import Claims, Reason, Rejection
from pipeline.sites import SiteRulebook
from tests.crawler.fetch.crawlers import idle_crawler, politeness_of
from tests.crawler.probing.gazette import HOME, SITE, STORIES

URL = f"{STORIES}1"


class _Network:
    """A client whose requests get one answer."""

    def __init__(self, answer: Response | Exception, held: Mapping[str, str] | None = None) -> None:
        self.crawler = idle_crawler()
        self.requests: list[Request] = []
        engine: Any = self.crawler.engine

        async def download(request: Request) -> Response:
            self.requests.append(request)
            if isinstance(answer, Exception):
                raise answer
            return answer

        engine.download_async = download
        self.client = Client(self.crawler, SiteRulebook(), held)

    def get(self, url: str = URL) -> Response:
        site = SITE.model_copy(update={"politeness": Politeness(delay=3.0, concurrent_requests=1)})
        return asyncio.run(self.client.get(url, site, frozenset({"gazette.example"}), maxsize=1000))


def test_a_request_has_the_sites_politeness_hosts_and_the_largest_size() -> None:
    network = _Network(Response(URL))
    assert network.get().url == URL
    (request,) = network.requests
    assert request.meta["copydesk_site"] == "gazette"
    assert request.meta["copydesk_delay"] == 3.0
    assert request.meta["copydesk_concurrency"] == 1
    assert request.meta["copydesk_hosts"] == ["gazette.example"]
    assert request.meta["download_maxsize"] == 1000
    assert request.meta["dont_obey_robotstxt"] is False


def test_only_a_robots_txt_is_read_without_asking_robots_txt() -> None:
    network = _Network(Response(f"{HOME}robots.txt"))
    network.get(f"{HOME}robots.txt")
    assert network.requests[0].meta["dont_obey_robotstxt"] is True
    assert not is_robots_url(f"{HOME}en/robots.txt")
    assert not is_robots_url(f"{HOME}robots.txt/1")


@pytest.mark.parametrize("status", [304, 404, 503])
def test_a_status_other_than_2xx_is_not_a_page(status: int) -> None:
    with pytest.raises(NoPage, match=f"^HTTP {status}$"):
        _Network(Response(URL, status=status)).get()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DownloadTimeoutError(), "no complete response in time"),
        (IgnoreRequest("Forbidden by robots.txt"), "Forbidden by robots.txt"),
        (RequestRefused("10.0.0.1 is not on the public internet"), "10.0.0.1 is not on the public internet"),
    ],
)
def test_why_there_is_no_page_is_one_line(error: Exception, message: str) -> None:
    with pytest.raises(NoPage) as raised:
        _Network(error).get()
    assert str(raised.value) == message


@pytest.mark.parametrize("url", [URL, f"{URL}#top"])
def test_a_url_in_quarantine_is_not_requested(url: str) -> None:
    network = _Network(Response(URL), held={URL: "2 times in a row: timeout: too long"})
    with pytest.raises(NoPage, match=r"^in quarantine: 2 times in a row: timeout: too long$"):
        network.get(url)
    assert network.requests == []
    assert network.get(f"{STORIES}2").url == URL


def test_a_suspended_host_has_a_reason() -> None:
    network = _Network(IgnoreRequest())
    politeness_of(network.crawler).suspend("gazette.example", "does not give its robots.txt (HTTP 503)")
    with pytest.raises(NoPage, match=r"^gazette\.example does not give its robots\.txt \(HTTP 503\)$"):
        network.get()


def test_a_response_that_is_no_document_is_rejected_without_a_worker_process() -> None:
    client = Client(idle_crawler(), SiteRulebook())
    image = Response(URL, body=b"\x89PNG\r\n\x1a\n" + bytes(99), headers={"Content-Type": "image/png"})
    image.request = Request(URL)
    outcome = asyncio.run(client.judge(image, SITE, Claims()))
    assert isinstance(outcome, Rejection)
    assert client._pool is None


@pytest.mark.parametrize(
    "error", [TaskFailed(Reason.WORKER_DIED, "the worker was killed"), PoolBroken("no worker starts")]
)
def test_bytes_that_kill_the_worker_process_are_not_a_page(error: Exception) -> None:
    client: Any = Client(idle_crawler(), SiteRulebook())

    async def workers() -> Any:
        raise error

    client._workers = workers
    with pytest.raises(NoPage, match=r"^cannot be read: "):
        asyncio.run(client.run(len, b""))
