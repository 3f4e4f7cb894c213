"""A crawl leaves out the sites that another process is crawling, says so, and does the rest."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.crawls.site_locks import SiteLocks
from storage.database import open_database
from tests import forked
from tests.crawler.crawling import QUICK, ROOT, Desk
from tests.crawler.web import Page, Web, article, rss, serve


@pytest.fixture
def web() -> Iterator[Web]:
    with serve() as web:
        for name in ("gazette", "herald"):
            story = f"/{name}/2026/03/{len(name)}"
            front = f'<a href="{story}">Council of Tessel reopens the ferry after weeks of repairs</a>'
            web.pages[f"/{name}/"] = Page(front.encode())
            web.pages[f"/{name}.xml"] = Page(rss([web.base + story]), "application/rss+xml")
            web.pages[story] = Page(article(len(name)))
        yield web


class TwoSites(Desk):
    """A desk with two outlets of one web, on the database given."""

    def __init__(self, folder: Path, web: Web, url: str) -> None:
        super().__init__(folder)
        self._url = url
        names = ("gazette", "herald")
        self.write_sites(
            {
                name: {
                    "homepage": f"{web.base}/{name}/",
                    "feeds": [f"{web.base}/{name}.xml"],
                    "article_urls": [f"/{name}/2026/"],
                    "politeness": {"delay": 0},
                }
                for name in names
            }
        )

    @property
    def url(self) -> str:
        return self._url


def test_copydesk_crawl_leaves_out_a_locked_site_and_its_status_says_so(
    database_url: str, web: Web, tmp_path: Path
) -> None:
    desk = TwoSites(tmp_path, web, database_url)

    def crawl() -> subprocess.CompletedProcess[str]:
        return forked.run(
            [sys.executable, "-m", "copydesk", "crawl", "--json"],
            cwd=ROOT,
            env=desk.environment() | {"COPYDESK_ALLOW_LOOPBACK": "1"},
        )

    with SiteLocks(database_url) as locks:
        assert locks.take("gazette")
        done = crawl()
    assert done.returncode == 75, done.stderr
    assert "Site gazette: not crawled: another process is crawling it" in done.stderr
    assert json.loads(done.stdout)["sites"]["gazette"] == {"locked": 1}
    asked = {"/robots.txt", "/herald.xml", "/herald/2026/03/6", "/.well-known/tdmrep.json"}
    assert {path for path, _ in web.log} == asked
    assert [row.publisher for row in desk.articles().values()] == ["herald"]

    done = crawl()
    assert done.returncode == 0, done.stderr
    assert {row.publisher for row in desk.articles().values()} == {"gazette", "herald"}


def test_scrapy_crawl_takes_the_lock_and_gives_it_back(web: Web, tmp_path: Path) -> None:
    """The front page is answered late: until then the crawl is under way, and holds the lock."""
    desk = TwoSites(tmp_path, web, f"sqlite:///{tmp_path / 'copydesk.db'}")
    open_database(desk.url).dispose()
    taken: list[bool] = []

    with SiteLocks(desk.url) as locks:
        front = web.pages["/gazette/"]
        assert isinstance(front, Page)

        def answer(handler: object) -> None:
            taken.append(locks.take("gazette"))
            web.pages["/gazette/"] = front
            handler._answer()  # type: ignore[attr-defined]

        web.pages["/gazette/"] = answer
        log = desk.scrapy(site="gazette", spider="sections")
        assert "not crawled" not in log
        assert taken == [False]
        assert locks.take("gazette")
        log = desk.scrapy(site="gazette", spider="sections")
        assert "Site gazette: not crawled: another process is crawling it" in log


SPIDER = """
import scrapy

class Own(scrapy.Spider):
    name = "own"

    async def start(self):
        for site in ("gazette", "herald"):
            yield scrapy.Request(f"{self.base}/{site}/", meta={"copydesk_site": site})

    def parse(self, response):
        pass
"""


def test_a_spider_that_only_names_its_sites_is_kept_from_a_locked_one(web: Web, tmp_path: Path) -> None:
    desk = TwoSites(tmp_path, web, f"sqlite:///{tmp_path / 'copydesk.db'}")
    open_database(desk.url).dispose()
    file = tmp_path / "own.py"
    file.write_text(SPIDER)
    options = [f"-s{name}={value}" for name, value in {**QUICK, "ROBOTSTXT_OBEY": "False"}.items()]
    with SiteLocks(desk.url) as locks:
        assert locks.take("gazette")
        done = forked.run(
            [sys.executable, "-m", "scrapy", "runspider", str(file), f"-abase={web.base}", *options],
            cwd=ROOT,
            env=desk.environment(),
        )
    assert done.returncode == 0, done.stderr
    assert [path for path, _ in web.log] == ["/herald/"], done.stderr
    assert done.stderr.count("Site gazette: not crawled: another process is crawling it") == 1
