"""What a site says of rights: read once for a host and crawl, by the rules that hold for every request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.crawler.crawling import Desk
from tests.crawler.web import Page, Web, article, rss, serve

TDMREP = "/.well-known/tdmrep.json"
RULES = json.dumps(
    [{"location": "/story/1$", "tdm-reservation": 0}, {"location": "/story/", "tdm-reservation": 1}]
).encode()
ROBOTS = b"""License: https://gazette.example/license.xml
User-agent: *
Disallow: /private/
Content-Signal: search=yes, ai-train=no
User-agent: gptbot
Content-Usage: / train-ai=n
"""


Statements = Sequence[Mapping[str, Any]]


@dataclass
class Outlet(Desk):
    """A desk with one site of three articles, and its web."""

    web: Web

    def crawl(self, spider: str = "news", stdin: str = "", **settings: str) -> dict[str, Statements]:
        """Run a crawl; returns what is said of the rights to each article, by its path."""
        arguments = ["-afile=-"] if spider == "urls" else []
        site = "gazette" if spider == "news" else None
        self.log = self.scrapy(
            *arguments, site=site, spider=spider, stdin=stdin, **{"COPYDESK_TDMREP": "True", **settings}
        )
        rows = self.articles()
        return {at.removeprefix(self.web.base): rows[at].rights or () for at in rows}

    def brief(self, **settings: str) -> dict[str, list[tuple[str, str, str]]]:
        found = self.crawl(**settings)
        return {at: [(one["name"], one["value"], one["source"]) for one in found[at]] for at in found}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Outlet]:
    with serve() as web:
        for number in (1, 2, 3):
            web.pages[f"/story/{number}"] = Page(article(number))
        feed = rss([f"{web.base}/story/{number}" for number in (1, 2, 3)])
        web.pages["/rss.xml"] = Page(feed, "application/rss+xml", etag='"1"')
        made = Outlet(tmp_path, web)
        site = {"name": "The Gazette", "homepage": f"{web.base}/", "feeds": [f"{web.base}/rss.xml"]}
        made.write_sites({"gazette": {**site, "politeness": {"delay": 0, "concurrent_requests": 1}}})
        yield made


def test_the_statements_of_a_site_come_with_each_of_its_articles(desk: Outlet) -> None:
    desk.web.pages[TDMREP] = Page(RULES, "application/json")
    desk.web.pages["/robots.txt"] = Page(ROBOTS, "text/plain")
    desk.web.pages["/story/3"] = Page(article(3), headers={"X-Robots-Tag": "noai"})
    of_robots = [
        ("license", "https://gazette.example/license.xml", "robots.txt"),
        ("content-signal", "search=yes, ai-train=no", "robots.txt"),
    ]
    assert desk.brief() == {
        "/story/1": [*of_robots, ("tdm-reservation", "0", "tdmrep.json")],
        "/story/2": [*of_robots, ("tdm-reservation", "1", "tdmrep.json")],
        "/story/3": [("robots", "noai", "header"), *of_robots, ("tdm-reservation", "1", "tdmrep.json")],
    }
    assert desk.web.count()[TDMREP] == 1
    assert {agent.partition("/")[0] for agent in desk.web.agents} == {"copydesk"}


def test_a_site_that_says_nothing_costs_one_request_and_no_failure(desk: Outlet) -> None:
    assert desk.brief() == {"/story/1": [], "/story/2": [], "/story/3": []}
    assert desk.web.count()[TDMREP] == 1
    (run,) = desk.runs()
    assert (run.seen, run.stored, run.rejected) == (3, 3, 0)
    assert desk.rejections() == {}
    assert "WARNING" not in desk.log

    # A crawl that fetches no article asks for no tdmrep.json.
    desk.web.forget()
    desk.crawl(COPYDESK_REVISIT_HOURS="")
    assert set(desk.web.count()) == {"/robots.txt", "/rss.xml"}


@pytest.mark.parametrize(
    "answer",
    [
        Page(status=503),
        Page(b"<html>Sorry</html>"),
        Page(b"[" * 50_000, "application/json"),
        Page(b" " * 300_000 + RULES, "application/json"),
        Page(status=302, headers={"Location": "https://elsewhere.example/tdmrep.json"}),
        Page(status=302, headers={"Location": TDMREP}),
    ],
    ids=["failing", "a page", "deep", "large", "elsewhere", "round"],
)
def test_one_that_cannot_be_read_has_no_rules_and_the_articles_are_stored(desk: Outlet, answer: Page) -> None:
    desk.web.pages[TDMREP] = answer
    assert desk.brief() == {"/story/1": [], "/story/2": [], "/story/3": []}


def test_a_tdmrep_that_moved_within_the_site_holds_where_it_was_asked_for(desk: Outlet) -> None:
    desk.web.pages[TDMREP] = Page(status=301, headers={"Location": "/tdm/rules.json"})
    desk.web.pages["/tdm/rules.json"] = Page(RULES, "application/json")
    assert desk.brief()["/story/2"] == [("tdm-reservation", "1", "tdmrep.json")]


def test_robots_txt_is_obeyed(desk: Outlet) -> None:
    desk.web.pages[TDMREP] = Page(RULES, "application/json")
    desk.web.pages["/robots.txt"] = Page(b"User-agent: *\nDisallow: /.well-known/\n", "text/plain")
    assert desk.brief()["/story/2"] == []
    assert TDMREP not in desk.web.count()


def test_it_can_be_left_out(desk: Outlet) -> None:
    desk.web.pages[TDMREP] = Page(RULES, "application/json")
    desk.web.pages["/robots.txt"] = Page(ROBOTS, "text/plain")
    found = desk.brief(COPYDESK_TDMREP="False")
    assert TDMREP not in desk.web.count()
    assert {source for _, _, source in found["/story/2"]} == {"robots.txt"}


def test_the_groups_for_the_product_of_the_user_agent_hold(desk: Outlet) -> None:
    desk.web.pages["/robots.txt"] = Page(ROBOTS, "text/plain")
    found = desk.brief(USER_AGENT="GPTBot/2.0 (+https://desk.example)", ROBOTSTXT_USER_AGENT="")
    assert ("content-usage", "train-ai=n", "robots.txt") in found["/story/1"]
    assert "content-signal" not in {name for name, _, _ in found["/story/1"]}


def test_a_list_of_urls_has_the_statements_of_their_hosts(desk: Outlet) -> None:
    desk.web.pages[TDMREP] = Page(RULES, "application/json")
    urls = "\n".join(f"{desk.web.base}/story/{number}" for number in (1, 2))
    found = desk.crawl(spider="urls", stdin=urls)
    assert [one["reserved"] for at in ("/story/1", "/story/2") for one in found[at]] == [False, True]
    assert desk.web.count()[TDMREP] == 1


def test_a_page_whose_site_changes_its_mind_is_updated_by_the_next_visit(desk: Outlet) -> None:
    assert desk.brief()["/story/2"] == []
    desk.web.pages[TDMREP] = Page(RULES, "application/json")
    found = desk.crawl(COPYDESK_REFETCH="True")
    assert [one["reserved"] for one in found["/story/2"]] == [True]
    # The bytes are the same, but what is known of them is not.
    assert [row.revision for row in desk.articles().values()] == [1, 1, 1]
