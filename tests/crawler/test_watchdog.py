"""Hostile pages hold up neither the reactor, nor the writer, nor a reader; see tests/hostile.

Processor time is measured, of one thread: it does not depend on what else the machine does.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crawler.settings import EXTENSIONS
from crawler.workers import WorkerPool
from pipeline.document import Article, Document, MediaType, Origin, Outcome
from pipeline.settings import Settings
from storage import reader, writer
from tests.crawler.crawling import Desk
from tests.crawler.web import Page, rss, serve
from tests.hostile import pages

LONGEST_SECONDS = 1.0
FETCHED = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[str, Outcome]]:
    """What workers make of the pages."""
    settings = Settings()
    with WorkerPool(settings, 2) as pool:
        waiting: dict[str, Future[Outcome]] = {}
        for name, body in pages().items():
            url = f"https://{name}.example/story"
            waiting[name] = pool.submit(Document(url, url, body, MediaType.HTML, FETCHED, Origin.CRAWL))
        yield {name: future.result(600) for name, future in waiting.items()}


def test_every_page_has_an_outcome_within_the_limits_of_a_worker(outcomes: dict[str, Outcome]) -> None:
    ended = {name: type(outcome).__name__ for name, outcome in outcomes.items()}
    assert ended.pop("punycode") == "Rejection"
    assert set(ended.values()) == {"Article"}, outcomes


def test_neither_writer_nor_reader_is_held_up(outcomes: dict[str, Outcome], engine: Engine) -> None:
    run = writer.start_run(engine, "test", FETCHED)
    for name, outcome in outcomes.items():
        began = time.thread_time()
        writer.write_batch(engine, run, [outcome], Settings())
        assert time.thread_time() - began < LONGEST_SECONDS, name
    began = time.thread_time()
    found = list(reader.articles(engine))
    hits = reader.search(engine, "ferry")
    assert time.thread_time() - began < LONGEST_SECONDS
    assert len(found) == sum(isinstance(outcome, Article) for outcome in outcomes.values())
    assert hits


@pytest.mark.parametrize("spider", ["news", "sections"])
def test_the_reactor_is_not_held_up(spider: str, tmp_path: Path) -> None:
    """The pages are articles, section pages, feeds and sitemaps of one site, and its robots.txt."""
    desk, found = Desk(tmp_path), tmp_path / "watchdog.json"
    with serve() as web:
        for name, body in pages().items():
            named = {"Content-Type": "text/html; charset=punycode"} if name == "punycode" else {}
            web.pages[f"/{name}"] = Page(body, None if named else "text/html", headers=named)
        links = [f"{web.base}/{name}" for name in pages()]
        web.pages["/rss.xml"] = Page(rss(links), "application/rss+xml")
        rules = b"".join(
            b"\nDisallow: /none" + body[:100_000].replace(b"\n", b" ") for body in pages().values()
        )
        web.pages["/robots.txt"] = Page(b"User-agent: *" + rules, "text/plain")
        entry = {
            "homepage": f"{web.base}/",
            "feeds": [f"{web.base}/rss.xml", *(f"{link}?feed" for link in links)],
            "sitemaps": [f"{link}?map" for link in links],
            "sections": [f"{link}?section" for link in links],
            "politeness": {"delay": 0, "concurrent_requests": 4},
        }
        desk.write_sites({"gazette": entry})
        desk.scrapy(
            spider=spider,
            EXTENSIONS=json.dumps({**EXTENSIONS, "benchmarks.watchdog.Watchdog": 1}),
            BENCH_WATCHDOG_FILE=str(found),
            DOWNLOAD_TIMEOUT="60",
            COPYDESK_WORKERS="2",
        )
        asked = {path for path, status in web.log if status == 200}
    as_what = {"news": ("", "?feed", "?map"), "sections": ("?section",)}[spider]
    assert {f"/{name}{query}" for name in pages() for query in as_what} | {"/robots.txt"} <= asked
    measured = json.loads(found.read_text())
    assert max(measured["busy"]) < LONGEST_SECONDS, measured["places"]
