"""The figures of a crawl's sites agree with the server, for any spider and any end of the crawl."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from crawler.monitor.health import HISTORY
from storage.crawls import site_runs
from storage.database import open_database
from storage.schema import SiteRun
from tests import forked
from tests.crawler.crawling import ROOT, Desk
from tests.crawler.web import Page, Web, article, rss, serve, sitemap
from tests.waiting import PATIENCE, wait_until


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def web() -> Iterator[Web]:
    with serve() as found:
        yield found


@pytest.fixture
def other() -> Iterator[Web]:
    with serve() as found:
        yield found


def figures(desk: Desk) -> dict[str, list[SiteRun]]:
    engine = open_database(desk.url, create=False)
    try:
        return site_runs.history(engine, since=datetime.now(UTC) - HISTORY)
    finally:
        engine.dispose()


def served(web: Web) -> int:
    """Bytes of the bodies that were sent, without robots.txt."""
    sent = 0
    for path, status in web.log:
        page = web.pages.get(path) or web.pages.get(path.partition("?")[0]) or Page(b"<h1>Not found</h1>")
        assert isinstance(page, Page)
        sent += len(page.body) if status != 304 and path != "/robots.txt" else 0
    return sent


def entry(web: Web, **keys: Any) -> dict[str, Any]:
    return {
        "homepage": f"{web.base}/",
        "feeds": [f"{web.base}/rss.xml"],
        "politeness": {"delay": 0, "concurrent_requests": 4},
        **keys,
    }


def test_the_figures_of_two_sites_in_one_crawl_agree_with_the_server(
    desk: Desk, web: Web, other: Web
) -> None:
    for number in range(5):
        web.pages[f"/story/{number}"] = Page(article(number))
    web.pages["/story/5"] = Page(article(5).replace(b"article:published_time", b"x:other"))
    web.pages["/moved"] = Page(b"elsewhere", status=301, headers={"Location": "/story/4"})
    web.pages["/down"] = Page(b"down for a while", status=503)
    web.pages["/chart"] = Page(b"\x89PNG\r\n\x1a\n" + bytes(300), "image/png")
    paths = [
        "/story/0",
        "/story/1",
        "/story/2",
        "/story/3",
        "/story/5",
        "/moved",
        "/down",
        "/chart",
        "/missing",
    ]
    web.pages["/rss.xml"] = Page(rss([web.base + path for path in paths]), "application/rss+xml", etag='"1"')
    web.pages["/broken.xml"] = Page(b"<html>no feed</html>")
    web.pages["/news.xml"] = Page(sitemap({f"{web.base}/story/3": ""}), "application/xml", etag='"2"')
    byline = '<p class="byline">By Ada Quill</p>'
    for number in range(3):
        other.pages[f"/{number}"] = Page(article(40 + number, extra=byline if number else ""))
    other.pages["/rss.xml"] = Page(rss([f"{other.base}/{n}" for n in range(3)]), "application/rss+xml")
    feeds = [f"{web.base}/{name}.xml" for name in ("rss", "broken", "none")]
    desk.write_sites(
        {"gazette": entry(web, feeds=feeds, sitemaps=[f"{web.base}/news.xml"]), "post": entry(other)}
    )
    desk.scrapy(COPYDESK_BATCH_SIZE="2")

    rows = {site: runs[-1] for site, runs in figures(desk).items()}
    articles = desk.articles()
    of_gazette = [row for row in articles.values() if row.location.startswith(web.base)]
    gazette = rows["gazette"]
    assert set(rows) == {"gazette", "post"}
    assert gazette.ended == rows["post"].ended == "finished"
    assert (gazette.sources, gazette.sources_failed, gazette.not_modified) == (2, 2, 0)
    assert (gazette.discovered, gazette.fetched, gazette.put_off) == (9, 7, 0)
    assert (gazette.stored, gazette.revised, gazette.updated, gazette.unchanged) == (6, 0, 0, 0)
    assert (gazette.rejected, gazette.reasons) == (
        3,
        {"error page": 1, "unreachable": 1, "unsupported type": 1},
    )
    assert gazette.words == median(row.word_count for row in of_gazette)
    assert gazette.without_date == sum(row.published_at is None for row in of_gazette)
    assert gazette.without_author == sum(not row.authors and not row.byline for row in of_gazette)
    assert gazette.bytes == served(web)
    assert gazette.seconds > 0
    post = rows["post"]
    assert (post.discovered, post.fetched, post.stored, post.rejected, post.reasons) == (3, 3, 3, 0, {})
    assert (post.sources, post.sources_failed, post.bytes) == (1, 0, served(other))
    (run,) = desk.runs()
    assert (run.stored, run.rejected) == (gazette.stored + post.stored, gazette.rejected + post.rejected)

    # The next crawl: unchanged sources, one story that is rewritten and visited again, and a new one.
    web.forget()
    other.forget()
    other.pages["/0"] = Page(article(60))
    other.pages["/3"] = Page(article(43))
    other.pages["/rss.xml"] = Page(rss([f"{other.base}/{n}" for n in range(4)]), "application/rss+xml")
    desk.scrapy("-arefetch=1", site="post")
    post = figures(desk)["post"][-1]
    assert (post.stored, post.revised, post.unchanged, post.fetched, post.discovered) == (1, 1, 2, 4, 4)
    assert post.bytes == served(other)
    assert len(figures(desk)["gazette"]) == 1


OWN_SPIDER = """
import scrapy
from crawler.fetched import document_or_rejection, failure_to_rejection

class Own(scrapy.Spider):
    name = "own"

    async def start(self):
        yield scrapy.Request(self.front)

    def parse(self, response):
        for link in response.css("a::attr(href)").getall():
            yield response.follow(link, callback=self.page, errback=failure_to_rejection)

    def page(self, response):
        yield document_or_rejection(response, publisher="A Paper")
"""


def test_a_users_own_spider_has_figures_by_host(desk: Desk, web: Web) -> None:
    for number in (1, 2):
        web.pages[f"/{number}"] = Page(article(number))
    web.pages["/"] = Page(b"".join(b'<a href="/%d">x</a>' % number for number in (1, 2, 3)))
    spider = desk.folder / "own.py"
    spider.write_text(OWN_SPIDER)
    desk.write_sites({})
    command = desk.command("-a", f"front={web.base}/", spider=str(spider))
    command[command.index("crawl")] = "runspider"
    done = forked.run(
        command,
        cwd=ROOT,
        env=desk.environment(),
    )
    assert done.returncode == 0, done.stderr
    ((site, (run,)),) = figures(desk).items()
    assert (site, run.ended) == ("127.0.0.1", "finished"), done.stderr
    assert (run.fetched, run.stored, run.rejected, run.reasons) == (2, 2, 1, {"error page": 1})
    assert (run.discovered, run.sources) == (0, 0)
    assert run.bytes == served(web)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_a_stopped_crawl_has_figures_of_its_stored_documents(
    desk: Desk, web: Web, how: signal.Signals
) -> None:
    for number in range(40):
        web.pages[f"/story/{number}"] = Page(article(number))
    web.pages["/rss.xml"] = Page(rss([f"{web.base}/story/{n}" for n in range(40)]), "application/rss+xml")
    desk.write_sites({"gazette": entry(web, politeness={"delay": 0, "concurrent_requests": 1})})
    signalled = threading.Event()
    web.gate = lambda path: None if len(web.log) < 10 else signalled.wait(PATIENCE)
    process = forked.Started(
        desk.command("-asite=gazette", COPYDESK_BATCH_SIZE="1"),
        cwd=ROOT,
        env=desk.environment(),
    )
    try:
        wait_until(lambda: (desk.folder / "copydesk.db").exists() and len(_stored(desk)) >= 3)
        process.send_signal(how)
        if how is signal.SIGINT:  # what is under way is waited for
            wait_until(lambda: "Received SIGINT" in process.said())
        signalled.set()
        process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    stored = desk.articles()
    (run,) = figures(desk)["gazette"]
    assert run.ended == ("shutdown" if how is signal.SIGINT else None)
    assert run.alerts is None
    assert run.stored == len(stored) >= 3
    assert run.words == median(row.word_count for row in stored.values())
    assert (run.discovered, run.sources) == (40, 1)
    assert run.bytes >= sum(len(article(n)) for n in range(40) if f"{web.base}/story/{n}" in stored)


def _stored(desk: Desk) -> dict[str, Any]:
    try:
        return desk.articles()
    except Exception:  # it is not made yet
        return {}
