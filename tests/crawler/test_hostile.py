"""Servers that send false headers, endless bodies, or control characters for the log."""

from __future__ import annotations

import gzip
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import brotli
import pytest
import zstandard

from crawler.settings import EXTENSIONS
from tests import forked
from tests.crawler.crawling import ROOT, Desk
from tests.crawler.web import Answer, Page, Web, article, rss, serve

HTML = b"Content-Type: text/html; charset=utf-8"
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def _raw(*pieces: bytes, endless: bytes = b"", times: int = 2000) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer of exactly these bytes. `endless` is repeated until the client hangs up."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        try:
            for piece in (*pieces, *[endless] * times):
                handler.wfile.write(piece)
        except OSError:
            pass
        handler.close_connection = True

    return answer


def _http(
    body: bytes, *headers: bytes, status: bytes = b"200 OK"
) -> Callable[[BaseHTTPRequestHandler], None]:
    return _raw(b"HTTP/1.1 ", status, b"\r\n", *(header + b"\r\n" for header in headers), b"\r\n", body)


def _length(body: bytes) -> bytes:
    return b"Content-Length: %d" % len(body)


def _coded(coding: str, body: bytes) -> Page:
    return Page(body, headers={"Content-Encoding": coding})


ZEROS = bytes(40_000_000)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
ESCAPES = b"\x1b[31m\x1b]0;yours\x07\x9b2J"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

# Path -> (answer, outcome: "" for an article, else the reason).
ANSWERS: dict[str, tuple[Answer, str]] = {
    "/endless-headers": (
        _raw(b"HTTP/1.1 200 OK\r\n", endless=b"X-A: " + b"a" * 8000 + b"\r\n"),
        "unreachable",
    ),
    "/endless-folds": (
        _raw(b"HTTP/1.1 200 OK\r\nX: y\r\n", endless=b" " + b"a" * 8000 + b"\r\n"),
        "unreachable",
    ),
    "/endless-hints": (
        _raw(endless=b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 200),
        "unreachable",
    ),
    "/endless-trailers": (_raw(CHUNKED, b"0\r\n", endless=b"X-A: a\r\n" * 500), "unreachable"),
    "/endless-chunk-size": (_raw(CHUNKED, b"5;", endless=b"a" * 10_000), "unreachable"),
    "/chunk-of-no-size": (_raw(CHUNKED, b"zz\r\nfoo"), "unreachable"),
    "/chunk-too-large": (_raw(CHUNKED, b"f" * 20 + b"\r\nfoo"), "unreachable"),
    "/length-negative": (_http(article(1), HTML, b"Content-Length: -5"), "unreachable"),
    "/length-in-words": (_http(article(2), HTML, b"Content-Length: lots"), "unreachable"),
    "/length-twice": (_http(article(3), HTML, _length(article(3)), b"Content-Length: 7"), "unreachable"),
    "/length-too-small": (
        _http(article(4) + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nfoo", HTML, b"Content-Length: 400"),
        "no article",
    ),
    "/length-and-chunks": (
        _raw(
            b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(article(5)), article(5)),
        ),
        "",
    ),
    "/no-head": (_raw(article(6)), "unreachable"),
    "/status-999": (_http(b"x", b"Content-Length: 1", status=b"999 nope"), "error page"),
    "/status-negative": (_http(b"x", b"Content-Length: 1", status=b"-1 nope"), "error page"),
    "/status-steers": (_http(article(7), HTML, _length(article(7)), status=b"200 " + ESCAPES), ""),
    "/type-steers": (_http(PNG, b"Content-Type: image/" + ESCAPES, _length(PNG)), "unsupported type"),
    "/location-steers": (
        _http(b"", b"Location: /" + ESCAPES, b"Content-Length: 0", status=b"302 Found"),
        "error page",
    ),
    "/title-steers": (
        Page(article(8).replace(b"<h1>", b"<h1>&#27;[2J\x1b]0;yours\x07\xc2\x9b2J\xe2\x80\xae")),
        "",
    ),
    "/bomb-gzip": (_coded("gzip", gzip.compress(ZEROS, 1)), "too large"),
    "/bomb-deflate": (_coded("deflate", zlib.compress(ZEROS, 1)), "too large"),
    "/bomb-br": (_coded("br", brotli.compress(ZEROS, quality=1)), "too large"),
    "/bomb-zstd": (_coded("zstd", zstandard.compress(ZEROS)), "too large"),
    "/bomb-in-bomb": (_coded("gzip, gzip", gzip.compress(gzip.compress(ZEROS, 1), 1)), "too large"),
    **{f"/not-{coding}": (_coded(coding, article(9)), "") for coding in ("gzip", "deflate", "br", "zstd")},
    "/coding-unknown": (_coded("compress", article(10)), ""),
    "/charset-wrong": (Page(article(11), content_type="text/html; charset=utf-16"), ""),
    "/charset-unknown": (Page(article(12), content_type='text/html; charset="\x1b[31m"'), ""),
    "/refresh-round": (
        Page(b'<html><meta http-equiv="refresh" content="0;url=/refresh-round"></html>'),
        "unreachable",
    ),
    "/type-wrong": (Page(article(13), content_type="text/plain"), ""),
}


def _session_loop(handler: BaseHTTPRequestHandler) -> None:
    path, _, session = handler.path.partition("?sid=")
    location = f"Location: {path}?sid={int(session or 0) + 1}".encode()
    _http(b"", location, b"Content-Length: 0", status=b"302 Found")(handler)


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Web, str]]:
    """One crawl of all of them, with its log."""
    desk = Desk(tmp_path_factory.mktemp("hostile"))
    with serve() as web:
        web.pages.update({path: answer for path, (answer, _) in ANSWERS.items()})
        web.pages["/session"] = _session_loop
        links = [web.base + path for path in (*ANSWERS, "/session")]
        web.pages["/rss.xml"] = Page(rss(links), "application/rss+xml")
        items = b"<item><title>x</title><link>http://gazette.example/1</link></item>" * 1_500_000
        vast = b"<rss version='2.0'><channel>" + items
        assert len(vast) > 95_000_000
        web.pages["/vast.xml"] = Page(vast, "application/rss+xml")
        web.pages["/vast.xml.gz"] = Page(gzip.compress(vast, 1), "application/gzip")
        web.pages["/vast-coded.xml"] = Page(
            gzip.compress(vast, 1), "application/rss+xml", headers={"Content-Encoding": "gzip"}
        )
        del vast, items
        web.pages["/deadly.xml"] = web.pages["/broken.xml"] = Page(rss(links), "application/rss+xml")
        feeds = ["/deadly.xml", "/broken.xml", "/rss.xml", "/vast.xml", "/vast.xml.gz", "/vast-coded.xml"]
        desk.write_sites(
            {
                "g": {
                    "homepage": f"{web.base}/",
                    "feeds": [web.base + path for path in feeds],
                    "politeness": {"delay": 0, "concurrent_requests": 4},
                }
            }
        )
        log = desk.scrapy(
            site="g",
            DOWNLOAD_MAXSIZE="1000000",
            COPYDESK_HOST_FAILURES="1000",
            COPYDESK_BACKOFF_SECONDS="0",
            RETRY_TIMES="0",
            LOG_LEVEL="DEBUG",
            MEMUSAGE_CHECK_INTERVAL_SECONDS="0.2",
            EXTENSIONS=json.dumps({**EXTENSIONS, "tests.crawler.deadly.DeadlyFeed": 1}),
        )
        yield desk, web, log


def test_each_answer_has_its_outcome(crawled: tuple[Desk, Web, str]) -> None:
    desk, web, _ = crawled
    ended = {path.removeprefix(web.base): reason for path, (reason, _) in desk.rejections().items()}
    ended |= {path.removeprefix(web.base): "" for path in desk.articles()}
    assert ended == {**{path: end for path, (_, end) in ANSWERS.items()}, "/session": "unreachable"}


def test_endless_redirects_and_sessions_end(crawled: tuple[Desk, Web, str]) -> None:
    _, web, _ = crawled
    asked = web.count()
    assert asked["/refresh-round"] == 7
    assert sum(count for path, count in asked.items() if path.startswith("/session")) == 7


def test_huge_feeds_are_not_read_to_their_end_and_take_little_memory(crawled: tuple[Desk, Web, str]) -> None:
    _, web, log = crawled
    for path in ("/vast.xml", "/vast.xml.gz", "/vast-coded.xml"):
        assert re.search(rf"WARNING: Site g: {web.base}{path}: .*(larger|more) than", log), path
    (largest,) = re.findall(r"'memusage/max': (\d+)", log)
    (smallest,) = re.findall(r"'memusage/startup': (\d+)", log)
    assert int(largest) - int(smallest) < 90_000_000


def test_a_feed_that_kills_its_reader_costs_only_itself(crawled: tuple[Desk, Web, str]) -> None:
    desk, web, log = crawled
    assert f"WARNING: Site g: {web.base}/deadly.xml: worker died: the worker was ended by SIGKILL" in log
    assert desk.articles()


def test_any_exception_in_reading_a_source_costs_this_source_and_is_counted(
    crawled: tuple[Desk, Web, str],
) -> None:
    _, web, log = crawled
    assert f"WARNING: Site g: {web.base}/broken.xml: cannot be read (KeyError: 'links')" in log
    (failed,) = re.findall(r"'site/g/sources_failed': (\d+)", log)
    assert int(failed) == len(["deadly", "broken", "vast", "vast.gz", "vast-coded"])


def test_no_control_character_reaches_the_log_or_the_terminal(crawled: tuple[Desk, Web, str]) -> None:
    desk, _, log = crawled
    assert "Dumping Scrapy stats" in log
    assert not STEERING.findall(log)
    for command in (["stats", "--rejections"], ["groups"], ["search", "reopens"], ["show", "1"]):
        done = forked.run(
            [sys.executable, "-m", "copydesk", *command, "--db", desk.url],
            cwd=ROOT,
            env=desk.environment(),
            check=True,
        )
        assert done.stdout
        assert not STEERING.findall(done.stdout + done.stderr), command


READ = """
import gzip, sys
from crawler.discovery import Download, read_source
from crawler.workers import TaskFailed, WorkerPool
from crawler.sites import Site
from pipeline.settings import Settings
from tests.crawler.misbehaving import memory_peak, process
from tests.crawler.test_hostile import SMALL, vast_source

site = Site(key="g", name="Gazette", homepage="https://gazette.example/", max_age_days=36500)

def read(body, kind):
    try:
        download = Download(body, "https://gazette.example/feed")
        return len(pool.run(read_source, download, kind, site, 200_000_000).result().entries)
    except TaskFailed as failed:
        return failed.reason.value

kind = "sitemap" if sys.argv[1] == "sitemap" else "feed"
body = vast_source(sys.argv[1])
if sys.argv[2] == "gz":
    body = gzip.compress(body, 1)
with WorkerPool(Settings(timeout_seconds=60 if kind == "sitemap" else 4), 1, process=process) as pool:
    pool.run(memory_peak).result()
    before = memory_peak()
    print(read(body, kind), read(SMALL, "feed"), memory_peak() - before, sep="; ", end="; ")
    print(pool.run(memory_peak).result())
"""
ITEM = (
    b"<item><title>Ferry &amp; harbour</title><link>https://gazette.example/?a=1&b=2</link><description>"
    + b"words &nbsp; " * 20
    + b"</description></item>"
)
ADDRESS = b"<url><loc>https://gazette.example/?a=1&amp;b=2</loc><lastmod>2026-03-01</lastmod></url>"
SOURCES = {
    "feed": (b"<rss version='2.0'><channel>", ITEM),
    "sitemap": (b"<urlset>", ADDRESS),
    "nested": (b"<rss version='2.0'><channel>", b"<item>"),
}


def vast_source(name: str) -> bytes:
    """100 MB of a feed or sitemap."""
    head, piece = SOURCES[name]
    return b"".join([head, *[piece] * (100_000_000 // len(piece))])


SMALL = b"".join([SOURCES["feed"][0], ITEM])


@pytest.mark.parametrize(
    ("source", "packed", "end"),
    [
        ("feed", "", "timeout"),
        ("feed", "gz", "timeout"),
        ("nested", "", "timeout"),
        ("sitemap", "", "50000"),
        ("sitemap", "gz", "50000"),
    ],
)
def test_a_source_of_100_mb_costs_only_itself_and_little_memory(source: str, packed: str, end: str) -> None:
    done = forked.run([sys.executable, "-c", READ, source, packed], cwd=ROOT, check=True)
    ended, entries_of_next, growth, peak_of_worker = done.stdout.strip().split("; ")
    assert ended == end
    assert entries_of_next == "1"
    assert int(growth) < 130_000_000  # the message to the worker
    assert int(peak_of_worker) < 600_000_000


class _Maze(dict[str, Answer]):
    """Every page links to forty more sections, to the months of a calendar, and to itself once more."""

    def get(self, path: str, default: Any = None) -> Any:
        if path == "/robots.txt":
            return Page(b"", "text/plain")
        names = [f"{one}{other}" for one in "abcdefgh" for other in "vwxyz"]
        links = [(f"{path.rstrip('/')}/{name}", "Local news") for name in names]
        links += [
            (f"/calendar/{year}/{month}", "Next month") for year in (2031, 2032) for month in range(1, 13)
        ]
        links += [
            (f"{path}?session={len(path)}a", "Refresh"),
            (path * 2, "Deeper and deeper into this story"),
        ]
        return Page("".join(f'<a href="{to}">{text}</a>' for to, text in links).encode())


def test_a_maze_of_sections_and_calendars_ends(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with serve() as web:
        web.pages = _Maze()
        entry = {"homepage": f"{web.base}/", "sections": [f"{web.base}/"], "section_depth": 3}
        manners = {"delay": 0, "concurrent_requests": 4, "page_budget": 15}
        desk.write_sites({"g": {**entry, "politeness": manners}})
        log = desk.scrapy(site="g", spider="sections")
        asked = web.count()
    assert len(asked) == sum(asked.values()) == 15 + len({"/robots.txt", "/"})
    assert not [path for path in asked if "calendar" in path or "session" in path]
    assert "'site/g/sources_over_budget'" in log
    assert not desk.articles() | desk.rejections()
