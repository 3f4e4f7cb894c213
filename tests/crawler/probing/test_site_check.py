"""The findings of a site check, and its verdict."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from scrapy.http import Response

from crawler.probing.limits import Limits
from crawler.probing.site_check import MAX_FURTHER, SiteCheck, SiteState, check_site, sources_of
from crawler.probing.source_check import SourceState
from crawler.sites import Site
from tests.crawler.probing.gazette import HOME, SITE, STORIES
from tests.crawler.probing.pages import Pages
from tests.crawler.web import article, sitemap

FEED, SITEMAP, SECTION = f"{HOME}feed", f"{HOME}sitemap.xml", f"{HOME}sport/"


def _feed(*numbers: int) -> bytes:
    """A feed of stories that are published now."""
    at = format_datetime(datetime.now(UTC))
    items = "".join(
        f"<item><title>x</title><link>{STORIES}{number}</link><pubDate>{at}</pubDate></item>"
        for number in numbers
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>{items}</channel></rss>'.encode()
    )


def _map(*urls: str, index: bool = False) -> bytes:
    return sitemap(dict.fromkeys(urls, f"{datetime.now(UTC):%Y-%m-%d}"), index=index)


def _stories(*numbers: int) -> dict[str, bytes]:
    return {f"{STORIES}{number}": article(number) for number in numbers}


def _site(**sources: tuple[str, ...]) -> Site:
    return SITE.model_copy(update=sources)


def _check(pages: Mapping[str, bytes], site: Site, limits: Limits | None = None) -> SiteCheck:
    client: Any = Pages(pages)
    return asyncio.run(check_site(client, site, limits or Limits()))


def test_a_site_works_if_its_sources_are_fresh_and_their_pages_are_articles() -> None:
    check = _check({FEED: _feed(1, 2, 3), **_stories(1, 2, 3)}, _site(feeds=(FEED,)))
    assert (check.key, check.state, check.is_complete) == ("gazette", SiteState.OK, True)
    assert [(source.state, source.articles) for source in check.sources] == [(SourceState.OK, 3)]
    assert [page.problem for page in check.pages] == [None, None]  # no more pages than the limits say


def test_a_site_with_one_source_that_fails_is_flawed() -> None:
    check = _check({FEED: _feed(1), **_stories(1)}, _site(feeds=(FEED, f"{HOME}gone")))
    assert check.state is SiteState.FLAWED
    assert [(source.state, source.detail) for source in check.sources] == [
        (SourceState.OK, ""),
        (SourceState.FAILED, "HTTP 404"),
    ]


def test_a_site_with_a_page_that_is_not_an_article_is_flawed_and_without_any_article_broken() -> None:
    site = _site(feeds=(FEED,))
    assert _check({FEED: _feed(1, 2), **_stories(2)}, site).state is SiteState.FLAWED
    assert _check({FEED: _feed(1, 2)}, site).state is SiteState.BROKEN


def test_a_site_without_a_source_that_can_be_read_is_broken() -> None:
    assert _check({}, _site(feeds=(FEED,))).state is SiteState.BROKEN


def test_pages_are_taken_from_each_source_in_turn() -> None:
    pages = {FEED: _feed(1, 2), SITEMAP: _map(f"{STORIES}3"), **_stories(1, 2, 3)}
    check = _check(pages, _site(feeds=(FEED,), sitemaps=(SITEMAP,)))
    assert {page.url for page in check.pages} == {f"{STORIES}1", f"{STORIES}3"}


def test_sitemaps_of_an_index_are_read_until_one_lists_articles() -> None:
    children = [f"{HOME}{number}.xml" for number in range(40)]
    site = _site(sitemaps=(SITEMAP,))
    pages = {SITEMAP: _map(*children, index=True)}
    tags = _map("https://elsewhere.example/tag")
    (source,) = _check({**pages, children[1]: tags, children[2]: _map(f"{STORIES}1")}, site).sources
    assert (source.state, source.articles) == (SourceState.OK, 1)
    client: Any = Pages(pages)
    (source,) = asyncio.run(check_site(client, site, Limits())).sources
    assert source.state is SourceState.FAILED
    assert source.detail.endswith(": HTTP 404")
    assert len(client.requested) == 1 + MAX_FURTHER


def test_an_index_that_names_itself_ends() -> None:
    (source,) = _check({SITEMAP: _map(SITEMAP, index=True)}, _site(sitemaps=(SITEMAP,))).sources
    assert source.state is SourceState.FAILED
    assert source.detail.endswith("sitemap indexes that name sitemap indexes")


class _Odd(Pages):
    """Fails to read the first source in a way that no caller expects."""

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if arguments[0].url == FEED:
            raise KeyError("links")
        return await super().run(function, *arguments)


def test_any_exception_in_reading_a_source_costs_this_source() -> None:
    client: Any = _Odd({FEED: _feed(1), f"{HOME}more": _feed(1), **_stories(1)})
    check = asyncio.run(check_site(client, _site(feeds=(FEED, f"{HOME}more")), Limits()))
    assert [source.detail for source in check.sources] == ["cannot be read (KeyError: 'links')", ""]
    assert check.is_complete


class _Hanging(Pages):
    """Never gets an answer for a URL that is not among the pages; an hour passes at once instead."""

    async def get(self, url: str, *arguments: Any, **keywords: Any) -> Response:
        if url not in self.pages:
            loop = asyncio.get_running_loop()
            later = loop.time() + 3600
            loop.time = lambda: later  # type: ignore[method-assign]
            await asyncio.Event().wait()
        return await super().get(url, *arguments, **keywords)


def test_sources_that_were_not_read_in_time_are_reported() -> None:
    client: Any = _Hanging({FEED: _feed(1)})
    site = _site(feeds=(FEED, f"{HOME}slow"), sitemaps=(SITEMAP,))
    check = asyncio.run(check_site(client, site, Limits(seconds=60)))
    assert (check.state, check.is_complete) == (SiteState.FLAWED, False)
    assert [source.detail for source in check.sources] == ["", *["not read within 60 s"] * 2]


def test_a_site_whose_pages_do_not_come_in_time_is_flawed() -> None:
    client: Any = _Hanging({FEED: _feed(1)})
    check = asyncio.run(check_site(client, _site(feeds=(FEED,)), Limits(seconds=60)))
    assert (check.state, check.is_complete, check.pages) == (SiteState.FLAWED, False, ())


def test_the_sources_of_a_site_are_its_feeds_sitemaps_and_sections() -> None:
    site = _site(feeds=(FEED,), sitemaps=(SITEMAP,), sections=(SECTION,))
    assert sources_of(site) == [(FEED, "feed"), (SITEMAP, "sitemap"), (SECTION, "section")]
