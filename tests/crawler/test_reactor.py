"""Work that could block the reactor, and with it every site of a crawl, is done in different threads."""

from __future__ import annotations

import json
import re
from pathlib import Path

from crawler.settings import EXTENSIONS
from tests.crawler.crawling import Desk
from tests.crawler.threads import HEAVY
from tests.crawler.web import Page, article, rss, serve

STORIES = 12


def test_work_that_grows_with_an_answer_does_not_run_in_the_reactors_thread(tmp_path: Path) -> None:
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
    assert asked["/story/2"] == 1
    assert asked["/story/3"] == 0  # the robots.txt that was parsed in a thread applies
