"""What could keep the reactor from its work, and with it every site of a crawl, is done in other threads."""

from __future__ import annotations

import json
import re
from pathlib import Path

from crawler.discovery import SourceEntry
from crawler.settings import EXTENSIONS
from crawler.spiders.news import _by_address
from pipeline.urls import canonical_url
from tests.crawler.crawling import Desk
from tests.crawler.threads import HEAVY
from tests.crawler.web import Page, article, rss, serve

STORIES = 12


def test_nothing_that_grows_with_what_a_site_sends_runs_in_the_reactors_thread(tmp_path: Path) -> None:
    with serve() as web:
        for number in range(STORIES):
            web.pages[f"/story/{number}"] = Page(article(number))
        links = [f"{web.base}/story/{number}" for number in range(STORIES)]
        web.pages["/rss.xml"] = Page(rss(links), "application/rss+xml")
        rules = "".join(f"Disallow: /private/{n}/\n" for n in range(1000)) + "Disallow: /story/3\n"
        web.pages["/robots.txt"] = Page(f"User-agent: *\n{rules}".encode(), "text/plain")
        desk = Desk(tmp_path)
        entry = {"homepage": f"{web.base}/", "feeds": [f"{web.base}/rss.xml"]}
        desk.write_sites({"gazette": {**entry, "politeness": {"delay": 0, "concurrent_requests": 4}}})
        log = desk.scrapy(
            site="gazette", EXTENSIONS=json.dumps({**EXTENSIONS, "tests.crawler.threads.Threads": 1})
        )
        asked = web.count()

    ran = set(re.findall(r"'thread/(\w+)/(\w+)'", log))
    assert ran == {(path.rpartition(".")[2], "other") for path in HEAVY}
    assert "'garbage/program': 'frozen'" in log
    assert asked["/story/2"] == 1
    assert asked["/story/3"] == 0  # what was parsed elsewhere holds


def test_of_addresses_that_are_one_the_first_counts() -> None:
    base = "https://gazette.example/story"
    urls = [f"{base}/1", f"{base}/2?utm_source=feed", f"{base}/2", f"{base}/1#top", f"{base}/3"]
    named = _by_address([SourceEntry(url) for url in urls])
    assert [entry.url for entry in named.values()] == [urls[0], urls[1], urls[4]]
    assert list(named) == [canonical_url(f"{base}/{n}") for n in (1, 2, 3)]
