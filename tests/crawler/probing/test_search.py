"""Candidates of a site that are tried, and sources that are chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import Response

from crawler.discovery import SourceCandidate
from crawler.probing.candidates import USUAL_PLACE, FoundKind
from crawler.probing.limits import Limits
from crawler.probing.search import (
    MAX_CHILDREN,
    MAX_FEEDS,
    MAX_FOREIGN,
    MAX_HOSTS,
    MAX_TRIED,
    FoundSource,
    Search,
    candidates_in_robots,
    choose_sources,
    has_fresh,
    permanent_url,
    try_candidates,
)
from crawler.probing.source_check import SourceCheck, SourceState
from tests.crawler.probing.gazette import HOME, SITE, STORIES, entry
from tests.crawler.probing.pages import Pages
from tests.crawler.web import rss, sitemap

TODAY = f"{datetime.now(UTC):%Y-%m-%d}"


def _never() -> bool:
    return False


def _candidate(url: str, kind: FoundKind = "feed", found: str = "link") -> SourceCandidate:
    return SourceCandidate(url, kind, found)


def _search(pages: Any, *candidates: SourceCandidate) -> Search:
    search = Search(SITE, Limits())
    asyncio.run(try_candidates(pages, search, candidates, _never))
    return search


def _news_sitemap(*urls: str) -> bytes:
    entries = "".join(
        f"<url><loc>{url}</loc><news:news><news:publication_date>{TODAY}</news:publication_date>"
        f"<news:title>The council met</news:title></news:news></url>"
        for url in urls
    )
    return (
        '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        f' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{entries}</urlset>'
    ).encode()


def _maps(*urls: str) -> bytes:
    return sitemap(dict.fromkeys(urls, TODAY))


def _index(*urls: str) -> bytes:
    return sitemap(dict.fromkeys(urls, ""), index=True)


# Candidates


def test_a_source_that_can_be_read_is_found_and_any_other_has_failed_with_the_reason() -> None:
    feed, missing, page = f"{HOME}feed", f"{HOME}missing", f"{HOME}about"
    pages = Pages({feed: rss([f"{STORIES}1"]), page: b"<html><body>About us</body></html>"})
    search = _search(pages, *map(_candidate, (feed, missing, page)))
    assert [source.url for source in search.sources.values()] == [feed]
    assert search.failed[missing] == "HTTP 404"
    assert search.failed.keys() == {missing, page}


def test_no_candidate_is_tried_twice() -> None:
    pages = Pages({})
    search = _search(pages, _candidate(f"{HOME}feed"), _candidate(f"{HOME}feed?utm_source=page"))
    assert list(pages.requested) == [f"{HOME}feed"]
    assert search.untried == 0


def test_the_search_ends_when_there_is_enough() -> None:
    urls = [f"{HOME}feed/{number}" for number in range(3)]
    pages = Pages({url: rss([f"{STORIES}1"]) for url in urls})
    search = Search(SITE, Limits())
    client: Any = pages
    asyncio.run(try_candidates(client, search, list(map(_candidate, urls)), lambda: bool(search.sources)))
    assert list(pages.requested) == urls[:1]


def test_some_of_dozens_of_linked_feeds_are_tried_and_the_rest_is_counted() -> None:
    pages = Pages({})
    search = _search(pages, *(_candidate(f"{HOME}feed/{number}") for number in range(40)))
    assert len(pages.requested) == MAX_TRIED["feed"]
    assert search.untried == 40 - MAX_TRIED["feed"]


def test_usual_places_are_few_and_all_tried() -> None:
    pages = Pages({})
    usual = [_candidate(f"{HOME}{number}", found=USUAL_PLACE) for number in range(MAX_TRIED["feed"] + 3)]
    assert _search(pages, *usual).untried == 0
    assert len(pages.requested) == len(usual)


def test_a_page_cannot_send_the_search_to_any_number_of_other_hosts() -> None:
    pages = Pages({})
    foreign = [_candidate(f"https://victim-{number}.example/feed") for number in range(9)]
    search = _search(pages, *foreign, _candidate(f"{HOME}feed"))
    assert len(pages.requested) == MAX_FOREIGN + 1
    assert search.untried == 9 - MAX_FOREIGN
    assert f"{HOME}feed" in pages.requested
    # A request to a feed service may be redirected to it or to the site, and nowhere else.
    assert pages.requested["https://victim-0.example/feed"] == SITE.hosts | {"victim-0.example"}


def test_a_robots_txt_names_sitemaps() -> None:
    robots = f"Sitemap: {HOME}news.xml\nSitemap: javascript:alert(1)\nSitemap: /other.xml\n".encode()
    pages: Any = Pages({f"{HOME}robots.txt": robots})
    found = asyncio.run(candidates_in_robots(pages, Search(SITE, Limits())))
    assert [candidate.url for candidate in found] == [f"{HOME}news.xml", f"{HOME}other.xml"]
    assert {(candidate.kind, candidate.found) for candidate in found} == {("sitemap", "robots.txt")}
    missing: Any = Pages({})
    assert asyncio.run(candidates_in_robots(missing, Search(SITE, Limits()))) == []


# Sitemap indexes


def _from_index(children: dict[str, bytes]) -> Search:
    index = f"{HOME}index.xml"
    return _search(Pages({index: _index(*children), **children}), _candidate(index, "sitemap"))


def test_the_news_sitemap_of_an_index_is_chosen_itself() -> None:
    search = _from_index(
        {f"{HOME}posts.xml": _maps(f"{STORIES}1"), f"{HOME}news.xml": _news_sitemap(f"{STORIES}2")}
    )
    (source,) = search.sources.values()
    assert (source.url, source.is_news) == (f"{HOME}news.xml", True)
    assert source.candidate == _candidate(f"{HOME}index.xml", "sitemap")


@pytest.mark.parametrize("name", ["news-2026-03.xml", "news-12.xml"])
def test_the_index_is_chosen_if_the_name_of_its_news_sitemap_will_change(name: str) -> None:
    (source,) = _from_index({f"{HOME}{name}": _news_sitemap(f"{STORIES}1")}).sources.values()
    assert (source.url, source.is_news) == (f"{HOME}index.xml", True)
    assert [e.url for e in source.entries] == [f"{STORIES}1"]


def test_an_index_is_chosen_with_the_sitemap_that_lists_articles() -> None:
    tags, posts = f"{HOME}tags.xml", f"{HOME}posts.xml"
    search = _from_index({tags: _maps("https://elsewhere.example/tag"), posts: _maps(f"{STORIES}1")})
    (source,) = search.sources.values()
    assert (source.url, source.check.articles) == (f"{HOME}index.xml", 1)


def test_an_index_in_an_index_and_an_index_of_different_hosts_fail() -> None:
    search = _from_index({f"{HOME}inner.xml": _index(f"{HOME}posts.xml")})
    assert list(search.failed.values()) == [f"{HOME}inner.xml: a sitemap index in a sitemap index"]
    search = _from_index({"https://elsewhere.example/posts.xml": _maps(f"{STORIES}1")})
    assert list(search.failed.values()) == ["names no sitemap of the site"]


def test_a_few_sitemaps_of_an_index_of_hundreds_are_tried() -> None:
    index = f"{HOME}index.xml"
    children = [f"{HOME}posts-{number}.xml" for number in range(300)]
    pages = Pages({index: _index(*children)})
    _search(pages, _candidate(index, "sitemap"))
    assert len(pages.requested) == 1 + MAX_CHILDREN


# Hosts


def test_hosts_of_the_outlet_are_added_to_the_site_and_different_ones_are_counted() -> None:
    links = [f"{STORIES}1", "https://sport.gazette.example/1", "https://www.gazette.org/1"]
    links += ["https://elsewhere.example/1", "https://elsewhere.example/2"]
    search = _search(Pages({f"{HOME}feed": rss(links)}), _candidate(f"{HOME}feed"))
    assert search.hosts == {"gazette.org"}
    assert search.site.hosts == SITE.hosts | {"gazette.org"}
    assert search.other_hosts == {"elsewhere.example": 2}
    (source,) = search.sources.values()
    assert source.check.articles == 3


def test_a_feed_cannot_add_any_number_of_hosts() -> None:
    endings = ("com", "org", "net", "de", "fr", "it", "es", "nl")
    links = [f"https://gazette.{ending}/1" for ending in endings]
    search = _search(Pages({f"{HOME}feed": rss(links)}), _candidate(f"{HOME}feed"))
    assert len(search.hosts) == MAX_HOSTS
    assert len(search.other_hosts) == len(endings) - MAX_HOSTS


# The URL to write down


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [([], "new"), ([301], "new"), ([308, 301], "new"), ([302], "old"), ([301, 307], "old")],
)
def test_a_permanent_redirect_changes_the_url_and_a_temporary_one_does_not(
    reasons: list[int], expected: str
) -> None:
    meta = {"redirect_urls": [f"{HOME}old"], "redirect_reasons": reasons}
    response = Response(f"{HOME}new", request=Request(f"{HOME}new", meta=meta))
    assert permanent_url(response) == HOME + expected


# The choice


def _found(
    name: str,
    kind: FoundKind,
    stories: Iterable[int],
    state: SourceState = SourceState.OK,
    news: bool = False,
) -> FoundSource:
    url = HOME + name
    entries = tuple(map(entry, stories))
    return FoundSource(_candidate(url, kind), url, kind, entries, news, SourceCheck(url, kind, state))


def _choose(*sources: FoundSource) -> tuple[list[str], set[str]]:
    search = Search(SITE, Limits(), sources={source.url: source for source in sources})
    taken, others = choose_sources(search)
    return [s.url.removeprefix(HOME) for s in taken], {s.url.removeprefix(HOME) for s in others.values()}


def test_a_news_sitemap_and_the_main_feed_are_chosen() -> None:
    sport, feed = _found("sport/feed", "feed", [3]), _found("feed", "feed", [1])
    news, posts = _found("news.xml", "sitemap", [1, 2], news=True), _found("posts.xml", "sitemap", [1, 2, 3])
    assert _choose(sport, feed, posts, news) == (["news.xml", "feed"], {"sport/feed", "posts.xml"})


def test_without_a_news_sitemap_further_feeds_with_articles_of_their_own_are_chosen() -> None:
    main, same, sport = (
        _found("feed", "feed", [1, 2]),
        _found("a/rss", "feed", [2]),
        _found("b/rss", "feed", [3]),
    )
    assert _choose(main, same, sport) == (["feed", "b/rss"], {"a/rss"})


def test_not_all_of_many_feeds_are_chosen() -> None:
    taken, others = _choose(*(_found(f"{number}/feed", "feed", [number]) for number in range(12)))
    assert len(taken) == MAX_FEEDS
    assert len(others) == 12 - MAX_FEEDS


def test_a_sitemap_of_all_pages_is_chosen_if_there_is_no_feed() -> None:
    assert _choose(_found("posts.xml", "sitemap", [1])) == (["posts.xml"], set())


def test_a_stale_source_is_chosen_only_if_none_is_fresh_and_an_empty_one_never() -> None:
    stale = _found("old/feed", "feed", [1], SourceState.STALE)
    empty = _found("empty", "feed", [], SourceState.EMPTY)
    assert _choose(stale, empty, _found("posts.xml", "sitemap", [2])) == (["posts.xml"], {"old/feed"})
    assert _choose(stale, empty) == (["old/feed"], set())
    assert _choose(empty) == ([], set())


def test_a_search_ends_with_enough_fresh_sources() -> None:
    search = Search(SITE, Limits())
    assert not has_fresh(search, "feed")
    search.sources["a"] = _found("a", "feed", [1], SourceState.STALE)
    assert not has_fresh(search, "feed")
    search.sources["b"] = _found("b", "sitemap", [1])
    assert (has_fresh(search, "feed"), has_fresh(search, "sitemap"), has_fresh(search, "news")) == (
        False,
        True,
        False,
    )
    search.sources["c"] = _found("c", "sitemap", [1], news=True)
    assert has_fresh(search, "news")
