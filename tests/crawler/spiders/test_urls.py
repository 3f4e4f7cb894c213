"""The urls spider: lines that become requests, and lists that it refuses."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.test import get_crawler
from twisted.python.failure import Failure

from crawler.fetch import PutOff
from crawler.fetch.request_meta import HOSTS
from crawler.spiders import urls
from crawler.spiders.urls import UrlsSpider
from pipeline.document import Reason, Rejection
from pipeline.errors import OperatorError

STORY = "https://courier.example/story"


def spider_of(file: Path | str, **settings: Any) -> UrlsSpider:
    """The spider of a crawl without a database."""
    crawler = get_crawler(UrlsSpider, {"COPYDESK_CONTACT": "desk@courier.example", **settings})
    spider = UrlsSpider.from_crawler(crawler, file=str(file))
    crawler.spider = spider
    return spider


def requests(spider: UrlsSpider, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    monkeypatch.setattr(urls, "crawl_state", lambda crawler: None)

    async def collect() -> list[Request]:
        return [request async for request in spider.start()]

    return asyncio.run(collect())


def test_each_url_of_a_list_is_requested_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "list"
    lines = [
        "# list",
        "",
        f" {STORY}/1 ",
        f"{STORY}/2",
        f"{STORY}/1#top",
        "no url",
        "ftp://a.example/",
        "http://[x",
    ]
    file.write_text("\n".join(lines))
    spider = spider_of(file)
    found = [request.url for request in requests(spider, monkeypatch)]
    assert sorted(found) == [f"{STORY}/1", f"{STORY}/2"]
    assert spider.lines.closed


def test_a_long_list_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urls, "LINES_AT_A_TIME", 2)
    file = tmp_path / "list"
    file.write_text("".join(f"{STORY}/{number % 5}\n" for number in range(9)))
    found = requests(spider_of(file), monkeypatch)
    assert [request.url for request in found] == [f"{STORY}/{number}" for number in range(5)]


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{STORY}/1\n"))
    assert [request.url for request in requests(spider_of("-"), monkeypatch)] == [f"{STORY}/1"]


def test_a_request_stays_on_its_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "list"
    file.write_text(
        "https://www.courier.example/1\nhttps://m.courier.example/2\nhttps://news.courier.example/3\n"
    )
    found = requests(spider_of(file), monkeypatch)
    assert [request.meta[HOSTS] for request in found] == [
        ["courier.example"],
        ["courier.example"],
        ["news.courier.example"],
    ]


def test_a_list_must_be_named_and_readable(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="file=PATH"):
        UrlsSpider()
    with pytest.raises(OperatorError, match="missing: cannot be read"):
        UrlsSpider(file=str(tmp_path / "missing"))


def test_no_crawl_without_a_contact_but_on_loopback(tmp_path: Path) -> None:
    file = tmp_path / "list"
    file.touch()
    anonymous = {"COPYDESK_CONTACT": None, "USER_AGENT": "courier/2.0"}
    with pytest.raises(OperatorError, match="COPYDESK_CONTACT"):
        spider_of(file, **anonymous, COPYDESK_ALLOW_LOOPBACK=False)
    spider_of(file, **anonymous, COPYDESK_ALLOW_LOOPBACK=True).lines.close()


def test_a_request_that_was_not_made_is_not_a_rejection(tmp_path: Path) -> None:
    file = tmp_path / "list"
    file.touch()
    spider = spider_of(file)
    spider.lines.close()

    def rejections(error: Exception) -> list[Rejection]:
        failure = Failure(error)  # type: ignore[no-untyped-call]
        failure.request = Request(f"{STORY}/1")  # type: ignore[attr-defined]
        return list(spider.failed(failure))

    assert rejections(PutOff("enough requests")) == []
    (rejection,) = rejections(IgnoreRequest("Forbidden by robots.txt"))
    assert (rejection.location, rejection.reason) == (f"{STORY}/1", Reason.FORBIDDEN)
