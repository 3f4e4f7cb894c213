"""The politeness components together: one crawl of hosts that are slow, busy, broken or restrictive."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from crawler.settings import EXTENSIONS
from tests.crawler.crawling import Desk
from tests.crawler.web import Page, Web, article, rss, serve

STORIES = 10
# The page budget of a site.
RATION = 3


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _outlet(web: Web, first: int) -> None:
    for number in range(STORIES):
        web.pages[f"/story/{number}"] = Page(article(first + number))
    links = [f"{web.base}/story/{number}" for number in range(STORIES)]
    web.pages["/rss.xml"] = Page(rss(links), "application/rss+xml", etag='"1"')
    web.pages["/robots.txt"] = Page(b"User-agent: *\nDisallow:\n", "text/plain")


def _entry(web: Web) -> dict[str, object]:
    return {"homepage": f"{web.base}/", "feeds": [f"{web.base}/rss.xml"]}


NAMES = ["quick", "busy", "closed", "mute", "delayed", "rationed", "broken", "hurried", "shut"]
NAMES += ["strayed", "sleepy", "named", "held"]


@pytest.fixture(scope="module")
def outlets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Web]]:
    """One crawl of all of them, with the log of requests to each."""
    folder: Path = tmp_path_factory.mktemp("politeness")
    with ExitStack() as stack:
        webs = {name: stack.enter_context(serve(f"127.0.0.{n}")) for n, name in enumerate(NAMES, start=2)}
        for number, web in enumerate(webs.values()):
            _outlet(web, 100 * number)
        politeness: dict[str, dict[str, float]] = {
            name: {"delay": 0, "concurrent_requests": 4} for name in NAMES
        }

        turns = itertools.count()

        def busy(handler: BaseHTTPRequestHandler) -> None:
            if next(turns) == 0:
                _send(handler, 503, Retry_After="1")
            else:
                _send(handler, 200, article(999), Content_Type="text/html")

        webs["busy"].pages["/story/0"] = busy
        politeness["busy"]["concurrent_requests"] = 1
        for number in range(STORIES):
            webs["closed"].pages[f"/story/{number}"] = Page(status=429, headers={"Retry-After": "3600"})
            webs["broken"].pages[f"/story/{number}"] = Page(status=500)
        webs["mute"].pages["/robots.txt"] = Page(b"", status=503)
        webs["shut"].pages["/robots.txt"] = Page(b"User-agent: *\nDisallow: /\n", status=403)
        # One request at a time: none leaves before the one before it has arrived, so distances are kept.
        politeness["delayed"]["concurrent_requests"] = politeness["named"]["concurrent_requests"] = 1
        webs["delayed"].pages["/robots.txt"] = Page(b"User-agent: *\nCrawl-delay: 0.3\n", "text/plain")
        away = f"{webs['quick'].base}/robots-of-another"
        webs["strayed"].pages["/robots.txt"] = Page(status=301, headers={"Location": away})
        webs["sleepy"].pages["/robots.txt"] = Page(b"User-agent: *\nCrawl-delay: 1e9\n", "text/plain")
        webs["named"].pages["/robots.txt"] = Page(
            b"User-agent: *\nCrawl-delay: 1000000\nDisallow: /\n\n"
            b"User-agent: gazette.example\nDisallow: /\n\n"
            b"User-agent: CopyDesk\nCrawl-delay: 0.2\nCrawl-delay: soon\nDisallow: /story/3\n",
            "text/plain",
        )
        for number in range(STORIES):
            webs["held"].pages[f"/story/{number}"] = Page(status=503, headers={"Retry-After": "60"})
        politeness["held"] |= {"concurrent_requests": 1, "time_budget": 8.0}
        politeness["rationed"]["page_budget"] = RATION
        politeness["hurried"] |= {"time_budget": 8.0, "delay": 2.0}

        desk = Desk(folder)
        desk.write_sites(
            {name: {**_entry(web), "politeness": politeness[name]} for name, web in webs.items()}
        )
        desk.scrapy(
            site=",".join(NAMES),
            COPYDESK_HOST_FAILURES="5",
            COPYDESK_BACKOFF_SECONDS="0.01",
            COPYDESK_CONTACT="https://gazette.example/crawler",
            EXTENSIONS=json.dumps({**EXTENSIONS, "tests.crawler.ready.WorkersFirst": 1}),
        )
        webs["quick"].pages["desk"] = Page(str(folder).encode())
        yield webs


def _stories(web: Web) -> list[str]:
    return [path for path, _ in web.log if path.startswith("/story/")]


def _desk(outlets: dict[str, Web]) -> Desk:
    page = outlets["quick"].pages["desk"]
    assert isinstance(page, Page)
    return Desk(Path(page.body.decode()))


def _stored(outlets: dict[str, Web], name: str) -> set[str]:
    base = outlets[name].base
    return {url.removeprefix(base) for url in _desk(outlets).articles() if url.startswith(base)}


def _rejected(outlets: dict[str, Web], name: str) -> dict[str, tuple[str, str]]:
    base = outlets[name].base
    return {k.removeprefix(base): v for k, v in _desk(outlets).rejections().items() if k.startswith(base)}


ALL = {f"/story/{number}" for number in range(STORIES)}


def test_a_quick_site_is_not_held_up_by_the_others(outlets: dict[str, Web]) -> None:
    assert _stored(outlets, "quick") == ALL


def test_a_robots_file_on_a_different_host_is_not_requested(outlets: dict[str, Web]) -> None:
    assert [path for path, _ in outlets["strayed"].log] == ["/robots.txt"]
    assert outlets["quick"].count()["/robots-of-another"] == 0


def test_a_delay_longer_than_the_time_budget_suspends_the_site(outlets: dict[str, Web]) -> None:
    assert [path for path, _ in outlets["sleepy"].log] == ["/robots.txt"]


def test_only_the_rules_for_our_product_apply(outlets: dict[str, Web]) -> None:
    web = outlets["named"]
    assert _stored(outlets, "named") == ALL - {"/story/3"}
    assert _rejected(outlets, "named") == {"/story/3": ("forbidden", "Forbidden by robots.txt")}
    asked = sorted(web.times)[1:]  # the feed and nine stories, nine waits
    assert asked[-1] - asked[0] > 1.5


def test_requests_that_wait_longer_than_the_time_budget_are_postponed(outlets: dict[str, Web]) -> None:
    assert len(_stories(outlets["held"])) == 1
    assert _rejected(outlets, "held") == {}


def test_no_more_requests_at_a_time_than_the_site_allows(outlets: dict[str, Web]) -> None:
    assert outlets["busy"].most_at_a_time == 1
    assert 1 <= outlets["quick"].most_at_a_time <= 4


def test_retry_after_is_respected(outlets: dict[str, Web]) -> None:
    web = outlets["busy"]
    assert _stored(outlets, "busy") == ALL
    refused = [path for path, _ in web.log].index("/story/0")
    assert web.times[refused + 1] - web.times[refused] >= 1.0
    assert _stories(web).count("/story/0") == 2


def test_a_host_that_asks_for_too_long_a_wait_is_suspended(outlets: dict[str, Web]) -> None:
    asked = _stories(outlets["closed"])
    assert 1 <= len(asked) <= 4  # those that were on their way already
    assert _rejected(outlets, "closed") == dict.fromkeys(asked, ("unreachable", "HTTP 429"))


def test_a_host_that_fails_repeatedly_is_suspended(outlets: dict[str, Web]) -> None:
    assert 5 <= len(_stories(outlets["broken"])) <= 9
    assert _stored(outlets, "broken") == set()


def test_a_robots_file_that_cannot_be_read_forbids_everything_for_now(outlets: dict[str, Web]) -> None:
    assert {path for path, _ in outlets["mute"].log} == {"/robots.txt"}
    assert _rejected(outlets, "mute") == {}


def test_a_robots_file_that_is_refused_forbids_nothing(outlets: dict[str, Web]) -> None:
    assert _stored(outlets, "shut") == ALL


def test_crawl_delay_is_kept(outlets: dict[str, Web]) -> None:
    web = outlets["delayed"]
    assert _stored(outlets, "delayed") == ALL
    times = [at for (path, _), at in zip(web.log, web.times, strict=True) if path.startswith("/story/")]
    # Requests are spaced when they leave and measured when they arrive, so all of them are averaged, with a
    # tolerance.
    assert times[-1] - times[0] >= 0.3 * (STORIES - 1) * 0.8


def test_no_more_articles_than_the_page_budget(outlets: dict[str, Web]) -> None:
    assert len(_stories(outlets["rationed"])) == RATION
    assert _rejected(outlets, "rationed") == {}


def test_no_longer_than_the_time_budget(outlets: dict[str, Web]) -> None:
    asked = _stories(outlets["hurried"])
    assert 0 < len(asked) < STORIES
    assert _stored(outlets, "hurried") == set(asked)
    assert _rejected(outlets, "hurried") == {}


def test_postponed_requests_are_made_by_the_next_crawl(outlets: dict[str, Web]) -> None:
    web, desk = outlets["rationed"], _desk(outlets)
    before = set(_stories(web))
    web.forget()
    desk.scrapy(site="rationed")
    assert ("/rss.xml", 200) in web.log
    assert len(_stories(web)) == RATION
    assert not before & set(_stories(web))
