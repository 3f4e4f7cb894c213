"""A robots.txt that is missing, unreachable or very long."""

from __future__ import annotations

import asyncio

import pytest
from scrapy import Request
from scrapy.exceptions import CannotResolveHostError, DownloadTimeoutError, IgnoreRequest
from scrapy.http import Response

from crawler.fetch.errors import PutOff, RequestRefused
from crawler.fetch.politeness.robots import MAX_ROBOTS_BYTES, RobotsMiddleware, RobotsTxt
from tests.crawler.fetch.crawlers import idle_crawler, politeness_of

HOST = "gazette.example"
ROBOTS = f"https://{HOST}/robots.txt"
STORY = f"https://{HOST}/story"
RULES = b"User-agent: *\nDisallow: /private\n"


@pytest.fixture
def robots() -> RobotsMiddleware:
    return RobotsMiddleware.from_crawler(idle_crawler())


def _request(url: str = ROBOTS, **meta: object) -> Request:
    return Request(url, meta={"dont_obey_robotstxt": True, "download_slot": HOST, **meta})


def _answer(robots: RobotsMiddleware, status: int, body: bytes = RULES) -> Response:
    request = _request()
    return asyncio.run(robots.process_response(request, Response(ROBOTS, status, body=body, request=request)))


def _allows(response: Response, url: str) -> bool:
    return RobotsTxt.from_crawler(idle_crawler(), response.body).allowed(url, "copydesk")


def _suspended(robots: RobotsMiddleware) -> dict[str, str]:
    return politeness_of(robots.crawler).suspended


def test_a_robots_txt_applies_unchanged(robots: RobotsMiddleware) -> None:
    response = _answer(robots, 200)
    assert not _allows(response, f"https://{HOST}/private/1")
    assert _allows(response, STORY)
    assert _suspended(robots) == {}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_without_a_robots_txt_everything_is_allowed_whatever_the_error_page_contains(
    robots: RobotsMiddleware, status: int
) -> None:
    assert _allows(_answer(robots, status, b"User-agent: *\nDisallow: /\n"), STORY)
    assert _suspended(robots) == {}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_robots_txt_with_a_server_error_allows_nothing_and_suspends_the_host(
    robots: RobotsMiddleware, status: int
) -> None:
    assert not _allows(_answer(robots, status, b""), STORY)
    assert _suspended(robots) == {HOST: f"does not give its robots.txt (HTTP {status})"}
    with pytest.raises(PutOff, match=HOST):
        robots.process_request(Request(STORY))


def test_no_response_allows_nothing(robots: RobotsMiddleware) -> None:
    response = robots.process_exception(_request(), DownloadTimeoutError())
    assert response is not None
    assert not _allows(response, STORY)
    assert _suspended(robots) == {HOST: "does not give its robots.txt (DownloadTimeoutError)"}


def test_pages_of_a_host_whose_name_does_not_resolve_are_not_called_forbidden(
    robots: RobotsMiddleware,
) -> None:
    response = robots.process_exception(_request(), CannotResolveHostError())
    assert response is not None
    assert not _allows(response, STORY)
    with pytest.raises(PutOff, match=rf"^{HOST} cannot be resolved to an address$"):
        robots.process_exception(Request(STORY), IgnoreRequest("Forbidden by robots.txt"))
    elsewhere = Request("https://herald.example/story")
    assert robots.process_exception(elsewhere, IgnoreRequest("Forbidden by robots.txt")) is None


@pytest.mark.parametrize("size", [0, 20_000])
def test_a_robots_txt_that_cannot_be_parsed_allows_nothing(
    size: int, robots: RobotsMiddleware, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: RobotsTxt, body: bytes, spider: object) -> None:
        raise KeyError("a fault of the parser")

    with monkeypatch.context() as patched:
        patched.setattr(RobotsTxt, "__init__", fail)
        response = _answer(robots, 200, RULES + b"#" * size)
    assert not _allows(response, STORY)
    assert "KeyError" in _suspended(robots)[HOST]


def test_a_redirect_to_a_host_that_is_not_allowed_suspends_the_host_that_redirects(
    robots: RobotsMiddleware,
) -> None:
    redirected = _request("https://elsewhere.example/robots.txt", redirect_urls=[ROBOTS])
    response = robots.process_exception(redirected, RequestRefused("elsewhere.example is not the site's"))
    assert response is not None
    assert not _allows(response, STORY)
    assert list(_suspended(robots)) == [HOST]


def test_a_request_that_was_not_made_says_nothing_about_the_host(robots: RobotsMiddleware) -> None:
    for error in (IgnoreRequest(), PutOff("its time is spent"), RequestRefused("private")):
        assert robots.process_exception(_request(), error) is None
    assert _suspended(robots) == {}


def test_pages_are_not_changed(robots: RobotsMiddleware) -> None:
    request = Request(STORY)
    page = Response(STORY, status=503, body=b"x" * MAX_ROBOTS_BYTES * 2, request=request)
    assert asyncio.run(robots.process_response(request, page)) is page
    assert robots.process_exception(request, DownloadTimeoutError()) is None
    assert _suspended(robots) == {}


def test_only_the_start_of_a_huge_robots_txt_applies(robots: RobotsMiddleware) -> None:
    filler = b"# a comment that says nothing\n"
    vast = RULES + filler * (MAX_ROBOTS_BYTES // len(filler)) + b"Disallow: /story\n"
    response = _answer(robots, 200, vast)
    assert len(response.body) == MAX_ROBOTS_BYTES
    assert not _allows(response, f"https://{HOST}/private/1")
    assert _allows(response, STORY)


def test_a_long_file_is_parsed_once_beforehand() -> None:
    crawler = idle_crawler(DOWNLOADER_MIDDLEWARES={"crawler.fetch.politeness.RobotsMiddleware": 540})
    robots = crawler.get_downloader_middleware(RobotsMiddleware)
    assert robots is not None
    response = _answer(robots, 200, RULES + b"# filler\n" * 2000)
    (parsed,) = robots.parsed.values()
    assert RobotsTxt.from_crawler(crawler, response.body) is parsed
    assert robots.parsed == {}


def test_wildcards_are_matched_in_linear_time(robots: RobotsMiddleware) -> None:
    # By backtracking, twelve wildcards over an address of 400 letters would not end in this century.
    response = _answer(robots, 200, b"User-agent: *\nDisallow: /" + b"*a" * 12 + b"b\n")
    assert _allows(response, f"https://{HOST}/{'a' * 400}c")
    assert not _allows(response, f"https://{HOST}/{'a' * 400}b")
