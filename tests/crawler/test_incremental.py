"""Requests of a second crawl: nothing that is unchanged, and young articles when they are due."""

from __future__ import annotations

import gzip
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from storage import reader
from storage.database import open_database
from tests.crawler.crawling import Desk
from tests.crawler.web import Page, Web, article, rss, serve, sitemap

MONDAY = "Mon, 02 Mar 2026 10:00:00 GMT"


@dataclass
class Gazette(Desk):
    """A desk with one site, and the server of that site. Requests and articles are by path."""

    web: Web

    def write_site(self, **keys: Any) -> None:
        politeness = {"delay": 0, "concurrent_requests": 4, **keys.pop("politeness", {})}
        entry = {"homepage": f"{self.web.base}/", "feeds": [f"{self.web.base}/rss.xml"], **keys}
        self.write_sites({"gazette": {**entry, "politeness": politeness}})

    def crawl(self, *arguments: str, spider: str = "news", **settings: str) -> dict[str, int]:
        """Clear the list of requests and crawl; returns the counts of the site."""
        self.web.forget()
        log = self.scrapy(*arguments, site="gazette", spider=spider, **settings)
        return {name: int(count) for name, count in re.findall(r"'site/gazette/(\w+)': (\d+)", log)}

    def stored(self) -> dict[str, reader.StoredArticle]:
        return {row.url.removeprefix(self.web.base): row for row in self.articles().values()}

    def sql(self, statement: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(self.folder / "copydesk.db", timeout=30)) as connection:
            rows = connection.execute(statement, values).fetchall()
            connection.commit()
            return rows

    def let_time_pass(self) -> None:
        """Make all revisits due."""
        self.sql("UPDATE revisit SET due_at = '2026-01-01T00:00:00Z'")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Gazette]:
    with serve() as web:
        yield Gazette(tmp_path, web)


def _feed(web: Web, *paths: str, at: str = "/rss.xml", etag: str | None = None) -> None:
    web.pages[at] = Page(rss([web.base + path for path in paths]), "application/rss+xml", etag=etag)


def _links(*paths: str) -> bytes:
    anchors = "".join(f'<li><a href="{path}">{path.rpartition("/")[2]}</a></li>' for path in paths)
    return f"<html><body><ul>{anchors}</ul></body></html>".encode()


def _fill(web: Web) -> set[str]:
    """Make sources of every kind, some of which link to further ones, and their articles.

    Returns their paths.
    """
    b = web.base
    stories = [f"/2026/council-votes-for-bridge-{n}" for n in range(10)]
    for number, path in enumerate(stories):
        web.pages[path] = Page(article(number))
    # Two feeds name the same article, one with a fragment.
    _feed(web, stories[0], stories[1], etag='"1"')
    _feed(web, f"{stories[1]}#comments", stories[2], at="/atom.xml", etag='"2"')
    index = sitemap({f"{b}/months.xml": "", f"{b}/news.xml.gz": ""}, index=True)
    web.pages["/index.xml"] = Page(index, "application/xml", etag='"3"', modified=MONDAY)
    months = sitemap({f"{b}/march.xml": ""}, index=True)
    web.pages["/months.xml"] = Page(months, "application/xml", modified=MONDAY)
    march = sitemap({b + stories[3]: "", b + stories[4]: ""})
    web.pages["/march.xml"] = Page(march, "application/xml", etag='"4"')
    news = gzip.compress(sitemap({b + stories[5]: ""}), mtime=0)
    web.pages["/news.xml.gz"] = Page(news, "application/gzip", etag='"5"')
    robots = f"User-agent: *\nDisallow: /private/\nSitemap: {b}/named.xml\n".encode()
    web.pages["/robots.txt"] = Page(robots, "text/plain", etag='"6"')
    web.pages["/named.xml"] = Page(sitemap({b + stories[6]: ""}), "application/xml", etag='"7"')
    web.pages["/front"] = Page(_links(stories[7], "/politics", "/sport"), etag='"8"')
    web.pages["/politics"] = Page(_links(stories[8], stories[7], "/front"), modified=MONDAY)
    web.pages["/sport"] = Page(_links(stories[9]), etag='"9"')
    return {path for path in web.pages if path not in stories}


def test_a_second_crawl_of_unchanged_sites_fetches_robots_txt_and_gets_304(desk: Gazette) -> None:
    web, b = desk.web, desk.web.base
    sources = _fill(web)
    desk.write_site(
        feeds=[f"{b}/rss.xml", f"{b}/atom.xml"],
        sitemaps=[f"{b}/index.xml", f"{b}/robots.txt"],
        sections=[f"{b}/front", f"{b}/politics"],
    )
    desk.crawl()
    desk.crawl(spider="sections")
    assert len(desk.stored()) == 10

    pages = {"/front", "/politics", "/sport"}
    figures = desk.crawl()
    # Once for its rules, and once as a source that lists sitemaps.
    assert sorted(web.log) == sorted(
        [("/robots.txt", 200), *((path, 304) for path in sources - pages)],
    )
    assert figures == {"not_modified": 8}
    figures = desk.crawl(spider="sections")
    assert sorted(web.log) == sorted([("/robots.txt", 200), *((path, 304) for path in pages)])
    assert figures == {"not_modified": 3}

    # The sources of an unchanged source are read: there is a new article three levels down.
    web.pages["/2026/a-third-one-in-march-77"] = Page(article(77))
    march = sitemap({f"{b}/2026/a-third-one-in-march-77": ""})
    web.pages["/march.xml"] = Page(march, "application/xml", etag='"4b"')
    web.pages["/sport"] = Page(_links("/2026/a-fourth-one-in-march-78"), etag='"9b"')
    web.pages["/2026/a-fourth-one-in-march-78"] = Page(article(78))
    desk.crawl()
    assert {path for path, status in web.log if status == 200} == {
        "/robots.txt",
        "/march.xml",
        "/2026/a-third-one-in-march-77",
    }
    desk.crawl(spider="sections")
    assert len(desk.stored()) == 12

    desk.crawl("-arefetch=1")
    assert {status for path, status in web.log if path in sources} == {200}
    assert web.count()["/2026/a-third-one-in-march-77"] == 1


def test_an_unchanged_source_is_read_again_with_different_rules(desk: Gazette) -> None:
    web = desk.web
    for number in (1, 2):
        web.pages[f"/story/{number}"] = Page(article(number))
    _feed(web, "/story/1", "/story/2", etag='"1"')
    # The source answers 304 to every request.
    web.pages["/broken.xml"] = Page(status=304)
    feeds = [f"{web.base}/rss.xml", f"{web.base}/broken.xml"]
    desk.write_site(feeds=feeds, skip_urls=["/story/2"])
    figures = desk.crawl()
    assert (figures["sources"], figures["sources_failed"], figures.get("not_modified")) == (1, 1, None)
    assert set(desk.stored()) == {"/story/1"}
    desk.write_site(feeds=feeds)
    desk.crawl()
    assert ("/rss.xml", 200) in web.log
    assert set(desk.stored()) == {"/story/1", "/story/2"}
    desk.crawl()
    assert ("/rss.xml", 304) in web.log


def test_sources_of_articles_beyond_the_budget_are_read_again(desk: Gazette) -> None:
    web = desk.web
    for number in (1, 2, 3):
        web.pages[f"/story/{number}"] = Page(article(number), delay=0.3)
    _feed(web, "/story/1", "/story/2", "/story/3", etag='"1"')
    _feed(web, "/story/2", "/story/3", at="/more.xml", etag='"2"')
    desk.write_site(
        feeds=[f"{web.base}/rss.xml", f"{web.base}/more.xml"],
        politeness={"page_budget": 2, "concurrent_requests": 1},
    )
    desk.crawl()
    desk.crawl()
    assert {("/rss.xml", 200), ("/more.xml", 200)} <= set(web.log)
    assert len(desk.stored()) == 3
    desk.crawl()
    assert {path: status for path, status in web.log if path != "/robots.txt"} == {
        "/rss.xml": 304,
        "/more.xml": 304,
    }


def test_young_articles_are_revisited(desk: Gazette) -> None:
    web = desk.web
    names = ["same", "bytes", "text", "condition", "lost", "deleted", "down", "banned", "moved", "wall"]
    for number, name in enumerate(names):
        web.pages[f"/story/{name}"] = Page(article(number))
    web.pages["/story/condition"] = Page(article(3), etag='"c"', modified=MONDAY)
    web.pages["/story/text"] = Page(article(2), etag='"t"')
    # The page has no date, so the date of the feed counts, also when the page is fetched again.
    undated = re.sub(rb"<meta property=.article:published_time.[^>]*>", b"", article(1))
    web.pages["/story/bytes"] = Page(undated)
    _feed(web, *(f"/story/{name}" for name in names), etag='"1"')
    desk.write_site()
    desk.crawl()
    before = desk.stored()
    assert len(before) == 10
    assert before["/story/bytes"].published_at is not None
    assert desk.sql(
        "SELECT count(*), min(due_at) > (SELECT max(first_seen_at) FROM article) FROM revisit"
    ) == [(10, 1)]
    desk.crawl()
    assert {path for path, _ in web.log} == {"/robots.txt", "/rss.xml"}

    web.pages["/story/bytes"] = Page(undated + b"<!-- another advertisement -->")
    web.pages["/story/text"] = Page(
        article(2, extra="<p>The mayor of Tessel has resigned since.</p>"), etag='"u"'
    )
    web.pages["/story/lost"] = Page(b"gone", status=410)
    del web.pages["/story/deleted"]
    web.pages["/story/down"] = Page(b"down", status=500)
    web.pages["/story/moved"] = Page(status=302, headers={"Location": "https://elsewhere.example/story"})
    web.pages["/story/wall"] = Page(b"pay", status=402)
    web.pages["/robots.txt"] = Page(b"User-agent: *\nDisallow: /story/banned\n", "text/plain")
    desk.let_time_pass()
    figures = desk.crawl(RETRY_TIMES="0")
    assert dict(web.log) == {
        "/robots.txt": 200,
        "/rss.xml": 304,
        "/story/same": 200,
        "/story/bytes": 200,
        "/story/text": 200,
        "/story/condition": 304,
        "/story/lost": 410,
        "/story/deleted": 404,
        "/story/down": 500,
        "/story/moved": 302,
        "/story/wall": 402,
    }
    assert figures == {
        "not_modified": 1,
        "revisited": 6,
        "pages_not_modified": 1,
        "gone": 2,
        "revisits_failed": 4,
    }
    after = desk.stored()
    assert {path for path, row in after.items() if row.revision == 2} == {"/story/text"}
    assert "has resigned since" in after["/story/text"].text
    assert {path for path, row in after.items() if row.gone_at is not None} == {
        "/story/lost",
        "/story/deleted",
    }
    assert after["/story/bytes"].published_at == before["/story/bytes"].published_at
    for path in ("/story/down", "/story/banned", "/story/moved", "/story/wall", "/story/lost"):
        assert after[path].text == before[path].text
    assert {at.removeprefix(web.base) for at in desk.rejections()} == {"/story/lost", "/story/deleted"}

    # The page that failed is requested at once. The others are revisited with their validators when they are
    # due.
    desk.crawl(RETRY_TIMES="0")
    assert {path for path, _ in web.log} == {"/robots.txt", "/rss.xml", "/story/down"}
    web.pages["/story/lost"] = Page(article(4))
    web.pages["/robots.txt"] = Page(b"", "text/plain")
    desk.write_site(skip_urls=["/story/same"])
    desk.let_time_pass()
    desk.crawl(RETRY_TIMES="0")
    answers = dict(web.log)
    assert (answers["/story/text"], answers["/story/condition"], answers["/story/bytes"]) == (304, 304, 200)
    assert answers["/story/banned"] == answers["/story/lost"] == 200
    assert "/story/same" not in answers
    assert {path for path, row in desk.stored().items() if row.gone_at is not None} == {"/story/deleted"}
    assert [row.revision for row in desk.stored().values()].count(2) == 1
    assert desk.sql("SELECT count(*) FROM revisit WHERE location LIKE '%same'") == [(0,)]


def test_revisits_come_after_new_articles_and_end_with_the_budget(desk: Gazette) -> None:
    web = desk.web
    for number in range(6):
        web.pages[f"/story/{number}"] = Page(article(number), etag=f'"{number}"')
    web.pages["/news.xml"] = Page(sitemap({}), "application/xml", etag='"2"')
    _feed(web, *(f"/story/{n}" for n in range(4)), etag='"1"')
    sources = {"sitemaps": [f"{web.base}/news.xml"]}
    desk.write_site(**sources)
    desk.crawl()
    desk.let_time_pass()
    # It comes late, so that revisits could be requested before its articles.
    news = Page(sitemap({f"{web.base}/story/{n}": "" for n in (4, 5)}), "application/xml", etag='"3"')
    web.pages["/news.xml"] = replace(news, delay=1.0)
    desk.write_site(**sources, politeness={"page_budget": 3})
    desk.crawl()
    asked = [path for path, _ in web.log if path.startswith("/story/")]
    assert sorted(asked[:2]) == ["/story/4", "/story/5"]
    assert [status for path, status in web.log if path == asked[2]] == [304]
    assert len(asked) == 3

    web.pages["/news.xml"] = news
    desk.write_site(**sources, revisit_hours=[])
    desk.crawl()
    assert {path for path, _ in web.log} == {"/robots.txt", "/rss.xml", "/news.xml"}
    desk.write_site(**sources)
    desk.crawl(COPYDESK_REVISIT_HOURS="")
    assert {path for path, _ in web.log} == {"/robots.txt", "/rss.xml", "/news.xml"}
    # Requested without validators, and nothing is new.
    desk.crawl("-arefetch=1", COPYDESK_REVISIT_HOURS="0.5")
    assert sum(status == 200 for path, status in web.log if path.startswith("/story/")) == 6
    assert {row.revision for row in desk.stored().values()} == {1}
    assert len(desk.sql("SELECT 1 FROM revisit WHERE due_at > '2026-01-02'")) == 6


def test_an_article_that_is_gone_is_requested_when_a_feed_lists_it_again(desk: Gazette) -> None:
    web = desk.web
    web.pages["/story/1"] = Page(article(1))
    _feed(web, "/story/1", etag='"1"')
    desk.write_site(revisit_hours=[1])
    desk.crawl()
    desk.let_time_pass()
    story = web.pages.pop("/story/1")
    desk.crawl()
    assert desk.stored()["/story/1"].gone_at is not None
    web.pages["/story/1"] = story
    _feed(web, "/story/1", etag='"2"')
    desk.crawl()
    assert "/story/1" not in web.count(), "not within a day"
    desk.sql("UPDATE fetch_state SET fetched_at = '2026-01-01T00:00:00Z' WHERE url LIKE '%/story/1'")
    _feed(web, "/story/1", etag='"3"')
    desk.crawl()
    assert web.count()["/story/1"] == 1
    assert desk.stored()["/story/1"].gone_at is None
    engine = open_database(desk.url)
    assert list(reader.rejections(engine)) == []
    engine.dispose()
