"""A page is an article for the pipeline, or it has a problem."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urljoin

from crawler.discovery import SourceEntry
from crawler.probing.page_check import PageCheck, alternately, check_page
from tests.crawler.probing.gazette import SITE, STORIES, entry
from tests.crawler.probing.pages import Pages
from tests.crawler.web import article

URL = f"{STORIES}1"


def _check(pages: Any, url: str = URL) -> PageCheck:
    return asyncio.run(check_page(pages, SITE, SourceEntry(url)))


def test_an_article_has_its_title_and_number_of_words() -> None:
    check = _check(Pages({URL: article(1)}))
    assert check.problem is None
    assert check.url == URL
    assert check.title
    assert check.words is not None
    assert check.words > 50
    assert check.reserves == ()


def test_crawlers_for_training_that_robots_txt_refuses_are_named() -> None:
    robots = b"User-agent: *\nAllow: /\n\nUser-agent: GPTBot\nUser-agent: Google-Extended\nDisallow: /\n"
    check = _check(Pages({URL: article(1), urljoin(URL, "/robots.txt"): robots}))
    assert check.reserves == ("refuses GPTBot, Google-Extended (robots.txt)",)


def test_a_page_that_is_not_an_article_has_the_reason() -> None:
    check = _check(Pages({URL: b"<html><body><p>Soon.</p></body></html>"}))
    assert (check.title, check.words) == (None, None)
    assert check.problem is not None
    assert check.problem.startswith("no article")


def test_a_page_that_cannot_be_fetched_has_the_reason_and_only_the_sites_hosts_were_allowed() -> None:
    pages = Pages({})
    assert _check(pages) == PageCheck(URL, problem="HTTP 404")
    assert pages.requested == {URL: SITE.hosts}


def test_a_page_that_kills_the_worker_process_is_a_problem_of_this_page_only() -> None:
    pages = Pages({URL: article(1)}, kills=frozenset({URL}))
    assert _check(pages) == PageCheck(URL, problem="not processed: the worker process was killed")


def test_pages_are_taken_from_each_source_in_turn_and_none_twice() -> None:
    feed, sitemap = [entry(1), entry(2), entry(3)], [entry(4), SourceEntry(f"{STORIES}2?utm_source=map")]
    assert list(alternately([feed, sitemap, []])) == [entry(1), entry(4), entry(2), entry(3)]
    assert list(alternately([])) == []
