"""The sections and urls spiders, a user's own spider, and feed exports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import forked
from tests.crawler.crawling import ROOT, Desk
from tests.crawler.web import Page, Web, article, serve


@pytest.fixture
def web() -> Iterator[Web]:
    with serve() as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path, web: Web) -> Desk:
    made = Desk(tmp_path)
    entry = {"homepage": f"{web.base}/", "feeds": [f"{web.base}/rss.xml"], "sections": [f"{web.base}/front"]}
    made.write_sites({"gazette": {**entry, "politeness": {"delay": 0, "concurrent_requests": 4}}})
    return made


def _paths(web: Web, urls: object) -> set[str]:
    return {str(url).removeprefix(web.base) for url in urls}  # type: ignore[attr-defined]


def _links(*pairs: tuple[str, str]) -> bytes:
    anchors = "".join(f'<li><a href="{path}">{text}</a></li>' for path, text in pairs)
    return f"<html><body><ul>{anchors}</ul></body></html>".encode()


def test_sections_are_followed_to_articles(desk: Desk, web: Web) -> None:
    stories = [f"/2026/03/0{n}/council-votes-for-bridge-{n}" for n in range(1, 6)]
    for number, path in enumerate(stories):
        web.pages[path] = Page(article(number))
    web.pages["/front"] = Page(
        _links(
            (stories[0], "Council votes"),
            (stories[1], "Again"),
            ("/politics", "Politics"),
            ("/about", "About"),
        )
    )
    web.pages["/politics"] = Page(_links((stories[2], "More"), (stories[0], "Council"), ("/local", "Local")))
    web.pages["/local"] = Page(_links((stories[3], "Too deep")))
    desk.scrapy(site="gazette", spider="sections")
    assert _paths(web, desk.articles()) == set(stories[:3])
    assert web.count()["/about"] == web.count()["/local"] == 0
    assert web.count()[stories[0]] == 1

    web.pages["/front"] = Page(_links((stories[0], "Council votes"), (stories[4], "New today")))
    web.forget()
    desk.scrapy(site="gazette", spider="sections")
    assert web.count() == {"/robots.txt": 1, "/front": 1, stories[4]: 1}


def test_a_list_of_addresses(desk: Desk, web: Web) -> None:
    for number in range(1, 4):
        web.pages[f"/story/{number}"] = Page(article(number))
    web.pages["/away"] = Page(status=302, headers={"Location": "http://127.0.0.9:1/x"})
    lines = ["# a comment", "", "no address", "http://[broken", f"{web.base}/story/1", f"{web.base}/missing"]
    lines += [f"{web.base}/story/2?utm_source=x", f"{web.base}/story/1#top", f"{web.base}/away"]
    file = desk.folder / "list.txt"
    file.write_text("\n".join(lines))
    desk.scrapy(f"-afile={file}", spider="urls")
    assert _paths(web, desk.articles()) == {"/story/1", "/story/2?utm_source=x"}
    rejections = {path.removeprefix(web.base): reason for path, reason in desk.rejections().items()}
    assert rejections == {
        "/missing": ("error page", "HTTP 404"),
        "/away": ("forbidden", "127.0.0.9 is none of the site's hosts"),
    }
    web.forget()
    export = desk.folder / "out.jsonl"
    addresses = f"{web.base}/story/1\n{web.base}/missing\n{web.base}/story/3\n"
    desk.scrapy("-afile=-", "-o", str(export), spider="urls", stdin=addresses)
    assert web.count() == {"/robots.txt": 1, "/story/3": 1}
    (line,) = export.read_text().splitlines()
    record = json.loads(line)
    assert record["url"] == f"{web.base}/story/3"
    assert "This was report number 3 of the week." in record["text"]


OWN_SPIDER = """
import scrapy
from crawler.fetched import document_or_rejection, failure_to_rejection


class ArchiveSpider(scrapy.Spider):
    name = "archive"

    async def start(self):
        yield scrapy.Request(self.front, self.parse)

    def parse(self, response):
        for link in response.css("a.story"):
            yield response.follow(link, self.parse_story, errback=self.failed)
        yield {"front": response.url}

    def parse_story(self, response):
        yield document_or_rejection(response, publisher="The Archive")

    def failed(self, failure):
        yield failure_to_rejection(failure)
"""


def test_a_users_own_spider_uses_the_same_pipeline(desk: Desk, web: Web) -> None:
    web.pages["/story/1"] = Page(article(1))
    web.pages["/front"] = Page(b'<a class=story href="/story/1">1</a> <a class=story href="/missing">2</a>')
    file = desk.folder / "archive.py"
    file.write_text(OWN_SPIDER)
    command = desk.command(f"-afront={web.base}/front", spider="archive")
    command[command.index("crawl") : command.index("crawl") + 2] = ["runspider", str(file)]
    done = forked.run(
        command,
        cwd=ROOT,
        env=desk.environment(),
    )
    assert "'finish_reason': 'finished'" in done.stderr, done.stderr
    assert "ERROR" not in done.stderr, done.stderr
    (row,) = desk.articles().values()
    assert (row.location, row.publisher) == (f"{web.base}/story/1", "The Archive")
    assert desk.rejections() == {f"{web.base}/missing": ("error page", "HTTP 404")}
