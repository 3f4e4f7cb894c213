"""Whole crawls of a test server: real HTTP on loopback, real workers, a real database."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import Settings
from storage import reader
from storage.database import open_database
from storage.upkeep import ForgetTarget, forget_targets
from tests import forked
from tests.crawler.crawling import QUICK, ROOT, Desk
from tests.crawler.web import Page, Web, article, rss, serve, sitemap
from tests.waiting import PATIENCE, wait_until


@dataclass
class Outlet(Desk):
    """A desk with one site, and the server of that site. Results are by path."""

    web: Web

    def write_site(self, **keys: Any) -> None:
        politeness = {"delay": 0, "concurrent_requests": 4, **keys.pop("politeness", {})}
        feeds = [f"{self.web.base}/rss.xml"]
        entry = {"name": "The Gazette", "homepage": f"{self.web.base}/", "feeds": feeds, **keys}
        self.write_sites({"gazette": {**entry, "politeness": politeness}})

    def crawl(self, *arguments: str, **settings: str) -> str:
        return self.scrapy(*arguments, site="gazette", **settings)

    def articles(self) -> dict[str, reader.StoredArticle]:
        return {location.removeprefix(self.web.base): row for location, row in super().articles().items()}

    def rejections(self) -> dict[str, tuple[str, str]]:
        return {location.removeprefix(self.web.base): row for location, row in super().rejections().items()}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Outlet]:
    with serve() as web:
        yield Outlet(tmp_path, web)


def _fill(web: Web) -> None:
    """A small outlet: a feed, a gzipped sitemap behind an index, and pages of every kind."""
    b = web.base
    for number in range(1, 8):
        web.pages[f"/story/{number}"] = Page(article(number))
    web.pages["/amp/5"] = Page(article(5, canonical=f"{b}/story/5"))
    web.pages["/agency"] = Page(article(8, canonical="https://agency.example/wire/8"))
    web.pages["/go/6"] = Page(status=301, headers={"Location": "/story/6"})
    web.pages["/away"] = Page(status=302, headers={"Location": "https://elsewhere.example/story"})
    web.pages["/inside"] = Page(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})
    web.pages["/file"] = Page(status=302, headers={"Location": "file:///etc/passwd"})
    web.pages["/round"] = Page(status=302, headers={"Location": "/round"})
    web.pages["/gone"] = Page(status=302, headers={"Location": "/"})
    web.pages["/"] = Page(b"<h1>The Gazette</h1>")
    web.pages["/chart"] = Page(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, content_type="image/png")
    web.pages["/data"] = Page(b'{"no": "article"}', content_type="application/json")
    web.pages["/private/1"] = Page(article(9))
    web.pages["/robots.txt"] = Page(b"User-agent: *\nDisallow: /private/\n", "text/plain")
    paths = ["/story/1", "/story/2?utm_source=rss", "/story/1?utm_medium=rss", "/amp/5", "/agency", "/go/6"]
    paths += ["/away", "/inside", "/file", "/round", "/gone", "/chart", "/data", "/private/1", "/missing"]
    links = [b + path for path in paths] + [
        "https://elsewhere.example/offsite",
        "mailto:desk@gazette.example",
    ]
    web.pages["/rss.xml"] = Page(rss(links), "application/rss+xml", etag='"feed-1"')
    index = sitemap({f"{b}/news.xml.gz": ""}, index=True)
    web.pages["/sitemap.xml"] = Page(index, "application/xml", etag='"index-1"')
    today = time.strftime("%Y-%m-%d")
    news = sitemap(
        {f"{b}/story/3": today, f"{b}/story/4": f"{today}T00:00:00Z", f"{b}/story/7": "2020-01-01"}
    )
    web.pages["/news.xml.gz"] = Page(gzip.compress(news), "application/gzip", etag='"news-1"')


def test_a_crawl_stores_articles_and_the_reason_of_every_rejection(desk: Outlet) -> None:
    web = desk.web
    _fill(web)
    desk.write_site(sitemaps=[f"{web.base}/sitemap.xml"])
    log = desk.crawl(COPYDESK_CONTACT="desk@gazette.example")
    assert web.agents == {"copydesk/0.1 (+desk@gazette.example)"}

    articles = desk.articles()
    assert set(articles) == {
        "/story/1",
        "/story/2?utm_source=rss",
        "/story/3",
        "/story/4",
        "/amp/5",
        "/agency",
        "/go/6",
    }
    assert articles["/story/2?utm_source=rss"].url == f"{web.base}/story/2"
    assert articles["/amp/5"].url == f"{web.base}/story/5"
    assert articles["/agency"].url == f"{web.base}/agency"
    assert articles["/go/6"].url == f"{web.base}/story/6"
    assert {row.publisher for row in articles.values()} == {"The Gazette"}
    assert "This was report number 1 of the week." in articles["/story/1"].text

    rejections = desk.rejections()
    assert rejections == {
        "/away": ("forbidden", "elsewhere.example is none of the site's hosts"),
        "/inside": ("forbidden", "169.254.169.254 is none of the site's hosts"),
        "/file": ("error page", "HTTP 302"),
        "/round": ("unreachable", "max redirections reached"),
        "/gone": ("error page", "redirected to the front page"),
        "/chart": ("unsupported type", "image/png"),
        "/data": ("unsupported type", "application/json"),
        "/private/1": ("forbidden", "Forbidden by robots.txt"),
        "/missing": ("error page", "HTTP 404"),
    }
    asked = web.count()
    assert asked["/private/1"] == 0
    assert asked["/story/7"] == 0
    assert asked["/story/1"] == asked["/story/3"] == asked["/missing"] == asked["/robots.txt"] == 1
    assert {path for path in asked if asked[path] > 1} == {"/round"}
    (run,) = desk.runs()
    assert (run.seen, run.stored, run.rejected) == (16, 7, 9)
    assert run.finished_at is not None
    assert "Traceback" not in log
    assert "ERROR" not in log


def _feed(web: Web, *paths: str, etag: str | None = None) -> None:
    web.pages["/rss.xml"] = Page(rss([web.base + path for path in paths]), "application/rss+xml", etag=etag)


def test_a_second_crawl_requests_nothing_that_is_stored_or_was_rejected(desk: Outlet) -> None:
    web = desk.web
    for number in (1, 2, 3):
        web.pages[f"/story/{number}"] = Page(article(number))
    web.pages["/go"] = Page(status=301, headers={"Location": "/story/3"})
    web.pages["/amp"] = Page(article(4, canonical=f"{web.base}/story/4"))
    first = ("/story/1", "/story/2?utm_source=x", "/go?utm_source=x", "/amp", "/missing?utm_source=x")
    _feed(web, *first)
    desk.write_site()
    desk.crawl()
    assert len(desk.articles()) == 4

    # The same articles in different spellings, the targets of redirects and canonical links, and a new
    # article.
    _feed(web, *first, "/story/4", "/story/2?utm_source=y", "/story/3", "/missing", "/story/5", etag='"2"')
    web.pages["/story/5"] = Page(article(5))
    web.forget()
    desk.crawl()
    assert web.count() == {"/robots.txt": 1, "/rss.xml": 1, "/story/5": 1}
    assert len(desk.articles()) == 5

    web.forget()
    desk.crawl("-arefetch=1")
    assert ("/rss.xml", 200) in web.log
    assert web.count()["/story/5"] == web.count()["/missing?utm_source=x"] == 1
    assert desk.runs()[0].stored == 0


def test_a_feed_is_read_again_until_all_of_its_articles_were_fetched(desk: Outlet) -> None:
    web = desk.web
    web.pages["/story/1"] = Page(article(1))
    web.pages["/story/2"] = Page(b"down", status=503)
    _feed(web, "/story/1", "/story/2", etag='"1"')
    desk.write_site()
    desk.crawl()
    assert set(desk.articles()) == {"/story/1"}
    assert desk.rejections() == {"/story/2": ("unreachable", "HTTP 503")}
    web.pages["/story/2"] = Page(article(2))
    web.forget()
    desk.crawl()
    assert web.count() == {"/robots.txt": 1, "/rss.xml": 1, "/story/2": 1}
    assert set(desk.articles()) == {"/story/1", "/story/2"}
    assert desk.rejections() == {}


CRAWL = """
import json, sys
from crawler.crawl import crawl
result = crawl(sys.argv[1], ["gazette"], sites_file=sys.argv[2], workers=1, settings=json.loads(sys.argv[3]))
counts = result.counts
print(json.dumps([counts.seen, counts.stored, counts.rejected, result.finish_reason, result.sites]))
"""


def test_a_crawl_driven_from_a_program(desk: Outlet) -> None:
    web = desk.web
    web.pages["/story/1"] = Page(article(1))
    web.pages["/rss.xml"] = Page(rss([f"{web.base}/story/1", f"{web.base}/no"]), "application/rss+xml")
    desk.write_site()
    done = forked.run(
        [sys.executable, "-c", CRAWL, desk.url, str(desk.sites_file), json.dumps(QUICK)],
        cwd=desk.folder,
        env=desk.environment(),
    )
    assert done.returncode == 0, done.stderr
    seen, stored, rejected, reason, sites = json.loads(done.stdout)
    assert (seen, stored, rejected, reason) == (2, 1, 1, "finished")
    assert sites == {"gazette": {"sources": 1, "discovered": 2, "known": 0, "fetched": 1, "failed": 1}}
    assert set(desk.articles()) == {"/story/1"}


def test_loopback_is_refused_unless_allowed_by_address_and_by_name(desk: Outlet) -> None:
    web = desk.web
    web.pages["/rss.xml"] = Page(rss([]), "application/rss+xml")
    by_name = web.base.replace("127.0.0.1", "localhost")
    desk.write_site(feeds=[f"{web.base}/rss.xml", f"{by_name}/rss.xml"])
    command = desk.command("-asite=gazette", COPYDESK_ALLOW_LOOPBACK="False")
    done = forked.run(command, cwd=ROOT, env=desk.environment())
    assert done.returncode == 1, "no source could be read"
    assert "127.0.0.1 is not on the public internet" in done.stderr
    assert "localhost is not on the public internet" in done.stderr
    assert web.log == []


def test_no_request_is_made_without_a_contact_address(desk: Outlet) -> None:
    desk.write_site(homepage="https://gazette.example/", feeds=["https://gazette.example/rss"])
    done = forked.run(
        desk.command("-asite=gazette"),
        cwd=ROOT,
        env=desk.environment(),
    )
    assert done.returncode == 1
    assert "set COPYDESK_CONTACT to your e-mail address or web page" in done.stderr


def _entity_bomb(link: str) -> bytes:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return (
        f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "ha">{laughs}]><rss version="2.0"><channel>'
        f"<item><title>&l11;</title><link>{link}</link></item></channel></rss>"
    ).encode()


def _endless(handler: BaseHTTPRequestHandler) -> None:
    """Send bytes without a length until the client hangs up."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Connection", "close")
    handler.end_headers()
    try:
        for _ in range(2000):
            handler.wfile.write(b"<p>" + b"more " * 20_000)
    except OSError:
        pass
    handler.close_connection = True


def _slow(handler: BaseHTTPRequestHandler) -> None:
    """One byte now and then, for longer than anyone waits."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    try:
        for _ in range(60):
            handler.wfile.write(b".")
            handler.wfile.flush()
            time.sleep(0.2)
    except OSError:
        pass
    handler.close_connection = True


def _reset(handler: BaseHTTPRequestHandler) -> None:
    """Hang up without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def _short(handler: BaseHTTPRequestHandler) -> None:
    """Promise more bytes than are sent."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(article(1)[:500])
    handler.close_connection = True


def test_a_hostile_server_costs_only_its_own_pages(desk: Outlet) -> None:
    web = desk.web
    b = web.base
    bomb = gzip.compress(bytes(60_000_000))
    web.pages["/story/1"] = Page(article(1))
    web.pages["/endless"] = _endless
    web.pages["/slow"] = _slow
    web.pages["/reset"] = _reset
    web.pages["/short"] = _short
    web.pages["/bomb"] = Page(bomb, headers={"Content-Encoding": "gzip"})
    web.pages["/not-gzip"] = Page(article(2), headers={"Content-Encoding": "gzip"})
    web.pages["/error"] = Page(b"oops", status=500)
    web.pages["/empty"] = Page(b"")
    web.pages["/lines"] = Page(status=302, headers={"Location": "/x%0d%0aSet-Cookie:%20a=b"})
    paths = ["/endless", "/slow", "/reset", "/short", "/bomb", "/error", "/empty", "/lines", "/story/1"]
    web.pages["/rss.xml"] = Page(rss([b + path for path in paths]), "application/rss+xml")
    web.pages["/laughs.xml"] = Page(_entity_bomb(f"{b}/story/2"), "application/rss+xml")
    web.pages["/huge.xml"] = Page(b"<rss>" + b"<item></item>" * 200_000, "application/rss+xml")
    web.pages["/page.xml"] = Page(b"<html><h1>Not here</h1></html>", "text/html")
    web.pages["/bomb.xml.gz"] = Page(bomb, "application/gzip")
    web.pages["/loop.xml"] = Page(
        sitemap({f"{b}/loop.xml": "", f"{b}/loop2.xml": ""}, index=True), "application/xml"
    )
    web.pages["/loop2.xml"] = Page(sitemap({f"{b}/loop.xml": ""}, index=True), "application/xml")
    feeds = ["/rss.xml", "/laughs.xml", "/huge.xml", "/page.xml", "/none.xml"]
    desk.write_site(
        feeds=[b + path for path in feeds], sitemaps=[f"{b}/bomb.xml.gz", f"{b}/loop.xml"], politeness={}
    )
    log = desk.crawl(
        DOWNLOAD_MAXSIZE="1000000",
        COPYDESK_FEED_MAXSIZE="1000000",
        COPYDESK_SITEMAP_MAXSIZE="1000000",
        COPYDESK_HOST_FAILURES="1000",
        COPYDESK_BACKOFF_SECONDS="0",
        RETRY_TIMES="1",
        DOWNLOAD_TIMEOUT="4",
    )
    assert set(desk.articles()) == {"/story/1"}
    reasons = {path: reason for path, (reason, _) in desk.rejections().items()}
    assert reasons == {
        "/endless": "too large",
        "/slow": "unreachable",
        "/reset": "unreachable",
        "/short": "unreachable",
        "/bomb": "too large",
        "/error": "unreachable",
        "/empty": "empty",
        "/lines": "error page",
    }
    assert "laughs.xml: declares XML entities" in log
    assert "page.xml: no RSS, Atom or JSON feed" in log
    assert "none.xml: HTTP 404" in log
    assert "bomb.xml.gz: " in log
    assert web.count()["/story/2"] == 0
    assert web.count()["/loop.xml"] <= 2
    assert web.count()["/error"] == 2
    assert "Traceback" not in log


def test_ctrl_c_stores_what_was_fetched(desk: Outlet) -> None:
    web = desk.web
    for number in range(40):
        web.pages[f"/story/{number}"] = Page(article(number))
    web.pages["/rss.xml"] = Page(
        rss([f"{web.base}/story/{n}" for n in range(40)]), "application/rss+xml", etag='"1"'
    )
    desk.write_site(politeness={"concurrent_requests": 1})
    signalled = threading.Event()
    web.gate = lambda path: None if _stories_asked(web) <= 5 else signalled.wait(PATIENCE)
    process = forked.Started(
        desk.command("-asite=gazette", COPYDESK_BATCH_SECONDS="600"),
        cwd=ROOT,
        env=desk.environment(),
    )
    try:
        wait_until(lambda: _stories_asked(web) > 5)
        process.send_signal(signal.SIGINT)
        wait_until(lambda: "Received SIGINT" in process.said())
        signalled.set()  # what is under way is waited for
        _, log = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        signalled.set()
    assert "shutdown" in log
    fetched = {path for path, _ in web.log if path.startswith("/story/")}
    assert set(desk.articles()) == fetched
    assert 6 <= len(fetched) < 40
    assert desk.runs()[0].finished_at is not None

    desk.write_site()
    web.forget()
    desk.crawl()
    assert len(desk.articles()) == 40
    assert not fetched & set(web.count())


def _stories_asked(web: Web) -> int:
    return sum(path.startswith("/story/") for path, _ in web.log)


def test_a_batch_that_is_written_while_the_crawl_ends_is_counted(desk: Outlet) -> None:
    web = desk.web
    open_database(desk.url).dispose()
    busy = sqlite3.connect(desk.folder / "copydesk.db", isolation_level=None, check_same_thread=False)

    def lock(handler: BaseHTTPRequestHandler) -> None:
        busy.execute("BEGIN IMMEDIATE")
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + article(1))
        handler.close_connection = True

    ending = threading.Event()

    def hold(handler: BaseHTTPRequestHandler) -> None:
        ending.wait(PATIENCE)
        handler.send_error(404)

    web.pages["/story/1"] = lock
    web.pages["/story/2"] = hold
    _feed(web, "/story/1", "/story/2")
    desk.write_site()
    settings = {"COPYDESK_BATCH_SECONDS": "0.2", "LOG_LEVEL": "DEBUG"}
    process = forked.Started(desk.command("-asite=gazette", **settings), cwd=ROOT, env=desk.environment())
    try:
        wait_until(lambda: "DEBUG: Stored" in process.said())
        time.sleep(1.0)  # by now its batch waits for the lock
        ending.set()
        wait_until(lambda: "Closing spider" in process.said())
        time.sleep(1.0)
        busy.execute("ROLLBACK")
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        busy.close()
    assert set(desk.articles()) == {"/story/1"}
    assert (desk.runs()[0].seen, desk.runs()[0].stored) == (2, 1)


def test_forgotten_articles_are_neither_requested_nor_stored(desk: Outlet) -> None:
    web = desk.web
    for number in (1, 2, 3):
        web.pages[f"/story/{number}"] = Page(article(number))
    # It is requested at a different URL, and its canonical link names the forgotten article.
    web.pages["/amp/1"] = Page(article(1, canonical=f"{web.base}/story/1"))
    desk.write_site()
    _forget(desk, urls=(f"{web.base}/story/1", f"{web.base}/story/2"))
    _feed(web, "/story/1?utm_source=rss", "/story/2", "/story/3", "/amp/1")
    out = desk.folder / "items.jsonl"
    desk.crawl("-o", str(out))
    assert web.count() == {"/robots.txt": 1, "/rss.xml": 1, "/story/3": 1, "/amp/1": 1}
    assert set(desk.articles()) == {"/story/3"}
    assert {at: reason for at, (reason, _) in desk.rejections().items()} == {"/amp/1": "forgotten"}
    assert [json.loads(line)["location"] for line in out.open()] == [f"{web.base}/story/3"]

    web.forget()
    desk.crawl("-arefetch=1")
    assert set(web.count()) == {"/robots.txt", "/rss.xml", "/story/3", "/amp/1"}
    web.forget()
    desk.scrapy("-afile=-", spider="urls", stdin=f"{web.base}/story/2\n")
    assert "/story/2" not in web.count()

    _forget(desk, sites=("127.0.0.1",))
    web.forget()
    assert "it was forgotten" in desk.crawl("-arefetch=1")
    assert web.log == []
    assert desk.articles() == {}


def _forget(desk: Outlet, **what: tuple[str, ...]) -> None:
    engine = open_database(desk.url)
    forget_targets(engine, ForgetTarget(**what), settings=Settings(), now=datetime.now(UTC))
    engine.dispose()
