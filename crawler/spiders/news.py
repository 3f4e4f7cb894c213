"""`scrapy crawl news -a site=NAME[,NAME…]`: from the feeds and sitemaps of sites to their articles.

The steps of a crawl: sources (feeds, sitemaps, section pages) -> their entries -> requests for those that are
neither stored nor rejected -> documents, which the item pipeline takes. When all sources of a site are read,
stored articles that are due are visited again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import urldefrag

import scrapy
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.discovery import Listing, SourceEntry, SourceKind, read_source
from crawler.fetch import (
    ARTICLE,
    SESSION,
    PutOff,
    RequestNotNeeded,
    SiteLock,
    account_of,
    condition,
    hosts_meta,
    politeness_meta,
    requested_url,
    require_contact,
    validators,
)
from crawler.fetched import as_download, document_or_rejection, failure_to_rejection
from crawler.sites import MAX_URL_LENGTH, Site, choose_sites, is_article_url, parse_hours, read_sites
from crawler.spiders import selection
from crawler.store import CrawlState, StorePipeline
from crawler.workers import BudgetSpent, PoolBroken, PoolClosed, TaskFailed
from pipeline.counts import counted
from pipeline.document import Claims, Document, Rejection
from pipeline.urls import canonical_url
from storage.base import TRANSIENT
from storage.crawls import DueRevisit, Validators, Visit
from storage.database import DatabaseError

# A sitemap index may name indexes; deeper than this they name each other.
MAX_SITEMAP_DEPTH = 3
# Making so many requests takes some milliseconds; then the reactor serves others.
_REQUESTS_AT_ONCE = 100

Output = Request | Document | Rejection


@dataclass(slots=True)
class _SiteCrawl:
    """How far the crawl of one site has come.

    articles_requested: is charged to the page budget. further_sources: sources that other sources named; a
    maze of sections must end before the site's time does. unread_sources: URLs of sources that were requested
    and are not read yet.
    """

    site: Site
    articles_requested: int = 0
    further_sources: int = 0
    unread_sources: set[str] = field(default_factory=set)

    @property
    def budget_left(self) -> int:
        return self.site.politeness.page_budget - self.articles_requested


class NewsSpider(scrapy.Spider):
    """Reads the feeds and sitemaps of the named sites (all sites by default) and fetches new articles.

    Arguments: site: keys of the sites file, separated by commas. refetch: anything but "", "0", "false" and
    "no" fetches stored articles and unchanged feeds again.

    Settings: COPYDESK_SITES, COPYDESK_REFETCH, COPYDESK_REVISIT_HOURS, COPYDESK_FEED_MAXSIZE,
    COPYDESK_SITEMAP_MAXSIZE.
    """

    name = "news"

    def __init__(self, site: str = "", refetch: str = "", **arguments: Any) -> None:
        super().__init__(**arguments)
        self.site_keys = [key.strip() for key in site.split(",") if key.strip()]
        self.refetch = str(refetch).lower() not in ("", "0", "false", "no")
        self.crawls: dict[str, _SiteCrawl] = {}
        self.revisit_hours: tuple[float, ...] = ()
        self.requested_sources: set[str] = set()
        # Articles of this crawl, by canonical URL: the URL that is requested, "" if none needs to be, None if
        # the article is left for the next crawl.
        self.articles: dict[str, str | None] = {}
        self.selecting = asyncio.Lock()
        # Whether this crawl has the lock of a site.
        self.locked: dict[str, bool] = {}
        self.locking = asyncio.Lock()
        self.session = secrets.token_hex(8)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> NewsSpider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        all_sites = read_sites(crawler.settings.get("COPYDESK_SITES"))
        sites = choose_sites(all_sites, spider.site_keys)
        require_contact(crawler.settings, sites)
        spider.crawls = {site.key: _SiteCrawl(site) for site in sites}
        spider.refetch = spider.refetch or crawler.settings.getbool("COPYDESK_REFETCH")
        spider.revisit_hours = parse_hours(crawler.settings.getlist("COPYDESK_REVISIT_HOURS"))
        return spider

    # Sources.

    def sources(self, site: Site) -> list[tuple[str, SourceKind]]:
        """Return the URL and kind of each source that a crawl of the site begins with."""
        return [(url, "feed") for url in site.feeds] + [(url, "sitemap") for url in site.sitemaps]

    async def start(self) -> AsyncIterator[Any]:
        try:
            for crawl in self.crawls.values():
                async for request in self._first_requests(crawl):
                    yield request
        except DatabaseError as error:
            self._state().database_failed(error)

    async def _first_requests(self, crawl: _SiteCrawl) -> AsyncIterator[Request]:
        if await self._is_forgotten(crawl.site) or not await self._has_lock(crawl.site):
            return
        # All requests are made before the first is sent: the last source to be read starts the revisits.
        requests = [await self._source_request(crawl, *source) for source in self.sources(crawl.site)]
        for request in requests:
            if request is not None:
                yield request
        if not any(requests):
            async for revisit in self._revisits(crawl):
                yield revisit

    async def _is_forgotten(self, site: Site) -> bool:
        """True if nothing of the site may be stored: then its sources are not read either."""
        homes = {f"https://{host}/" for host in site.hosts}
        if await self._state().forgotten_urls(homes) != homes:
            return False
        self._count(site, "forgotten")
        self.logger.warning("Site %s: not crawled: it was forgotten (copydesk forget --list)", site.key)
        return True

    async def _has_lock(self, site: Site) -> bool:
        """True if no other process crawls the site, and none will until this crawl ends."""
        lock = self.crawler.get_extension(SiteLock)
        async with self.locking:
            if site.key not in self.locked:
                self.locked[site.key] = lock is None or await lock.take(site.key)
            return self.locked[site.key]

    async def _source_request(self, crawl: _SiteCrawl, url: str, kind: str, depth: int = 0) -> Request | None:
        """None for a source that was requested in this crawl or is in quarantine, and for an invalid URL."""
        site = crawl.site
        try:
            request = Request(
                urldefrag(url).url,
                callback=self.parse_source,
                errback=self.source_failed,
                meta={
                    **self._meta(site, site.hosts | site.source_hosts),
                    "handle_httpstatus_list": [304],
                    "download_maxsize": self._max_source_bytes(kind),
                },
                priority=10,
                dont_filter=True,
            )
        except ValueError:
            return None
        if request.url in self.requested_sources or len(request.url) > MAX_URL_LENGTH:
            return None
        self.requested_sources.add(request.url)
        before, state = Validators(), self._state()
        if not self.refetch:
            if why := await state.why_held(request.url):
                self._source_error(site, request.url, f"in quarantine: {why}")
                return None
            before = await state.source_validators(request.url, selection.selection_rules(site))
        crawl.unread_sources.add(request.url)
        request.headers.update(condition(before.etag, before.last_modified))
        request.cb_kwargs.update({"site": site.key, "kind": kind, "depth": depth, "before": before})
        return request

    async def parse_source(
        self, response: Response, site: str, kind: SourceKind, before: Validators, depth: int = 0
    ) -> AsyncIterator[Output]:
        """Request what is new in a feed, sitemap, sitemap index, robots.txt or section page.

        before: the validators and further sources that it had when it was last read. Any error costs this
        source only: it is counted, and the site's other sources and its revisits go on.
        """
        crawl = self.crawls[site]
        try:
            async for request in self._requests_from_source(response, crawl, kind, before, depth):
                yield request
        except DatabaseError as error:
            self._state().database_failed(error)
        except Exception as error:
            self._source_error(crawl.site, response.url, f"cannot be read ({type(error).__name__}: {error})")
            self.logger.debug("Site %s: %s", site, response.url, exc_info=error)
        async for request in self._source_done(crawl, requested_url(response)):
            yield request

    async def source_failed(self, failure: Any) -> AsyncIterator[Output]:
        """Count a source that could not be fetched; the site's other sources go on."""
        if isinstance(failure.value, RequestNotNeeded):
            return
        crawl = self.crawls[failure.request.cb_kwargs["site"]]
        rejection = failure_to_rejection(failure)
        self._source_error(crawl.site, failure.request.url, rejection.detail)
        async for request in self._source_done(crawl, rejection.location):
            yield request

    async def _requests_from_source(
        self, response: Response, crawl: _SiteCrawl, kind: SourceKind, before: Validators, depth: int
    ) -> AsyncIterator[Request]:
        site = crawl.site
        if response.status == 304:
            if before == Validators():
                self._source_error(site, response.url, "HTTP 304 to a request without validators")
                return
            self._count(site, "not_modified")
            async for request in self._further_requests(crawl, before.children, depth):
                yield request
            return
        pipeline = self._pipeline()
        try:
            pool = await pipeline.workers()
            limit, account = self._max_source_bytes(kind), account_of(self.crawler, site.key)
            reading = pool.run(read_source, as_download(response), kind, site, limit, account=account)
            listing = await asyncio.wrap_future(reading)
        except PoolClosed:  # the crawl ends while this source is read; the next crawl reads it again
            return
        except PoolBroken as error:
            pipeline.stop(error, "worker_error")
            return
        except (ValueError, TaskFailed, BudgetSpent) as error:
            self._source_error(site, response.url, error)
            if isinstance(error, TaskFailed) and error.has_cost_worker:
                await self._state().source_cost_worker(requested_url(response), error.reason, error.detail)
            return
        self._count(site, "sources")
        await self._state().source_cost_nothing(requested_url(response))
        async for request in self._further_requests(crawl, listing.further, depth):
            yield request
        # One source after the other: an article that two sources list is requested once, and both sources are
        # done when it is stored.
        async with self.selecting:
            requests = await self._article_requests(crawl, listing, response)
        for request in requests:
            yield request

    def _source_error(self, site: Site, url: str, why: object) -> None:
        self._count(site, "sources_failed")
        self.logger.warning("Site %s: %s: %s", site.key, url, why)

    async def _further_requests(
        self, crawl: _SiteCrawl, further: Iterable[tuple[str, str]], depth: int
    ) -> AsyncIterator[Request]:
        """Requests for the sources that a source names, down to the greatest depth."""
        site = crawl.site
        for url, kind in further:
            if depth >= (site.section_depth if kind == "section" else MAX_SITEMAP_DEPTH):
                self._count(site, "too_deep")
                continue
            if crawl.further_sources >= site.politeness.page_budget:
                self._count(site, "sources_over_budget")
                continue
            crawl.further_sources += 1  # before the await, during which other sources are read
            request = await self._source_request(crawl, url, kind, depth + 1)
            if request is None:
                crawl.further_sources -= 1
            else:
                yield request

    # From entries to requests for articles.

    async def _article_requests(self, crawl: _SiteCrawl, listing: Listing, source: Response) -> list[Request]:
        """Requests for the articles of a source that are neither stored nor rejected, within the budget."""
        site = crawl.site
        entries = await asyncio.to_thread(selection.by_canonical_url, listing.entries)
        new = await asyncio.to_thread(selection.new_articles, entries, site, self.articles)
        self._count(site, "discovered", len(new))
        wanted = await self._wanted(site, new)
        requests = await self._requests_within_budget(crawl, wanted)
        self.articles.update(dict.fromkeys(new, ""))
        self.articles.update({url: requests[url].url if url in requests else None for url in wanted})
        requested = [self.articles[url] for url in entries if url in self.articles]
        if None not in requested:  # none of its articles is left for the next crawl
            served = Validators(*validators(source), listing.further, selection.selection_rules(site))
            self._state().source_read(requested_url(source), served, filter(None, requested))
        return list(requests.values())

    async def _wanted(self, site: Site, new: Mapping[str, SourceEntry]) -> dict[str, SourceEntry]:
        """The new articles without those that the database knows, or must not store; both are counted."""
        state = self._state()
        urls = await asyncio.to_thread(selection.urls_to_look_up, new)
        known = set() if self.refetch else await state.known_urls(urls)
        forgotten = await state.forgotten_urls(urls)
        wanted = await asyncio.to_thread(selection.without, new, known | forgotten)
        forgotten_count = 0
        if forgotten:
            forgotten_count = len(new) - len(await asyncio.to_thread(selection.without, new, forgotten))
            self._count(site, "forgotten", forgotten_count)
        self._count(site, "known", len(new) - len(wanted) - forgotten_count)
        return wanted

    async def _requests_within_budget(
        self, crawl: _SiteCrawl, wanted: Mapping[str, SourceEntry]
    ) -> dict[str, Request]:
        """Requests by canonical URL, as many as the page budget allows."""
        site, left = crawl.site, crawl.budget_left
        crawl.articles_requested += min(left, len(wanted))
        requests: dict[str, Request] = {}
        for url, entry in islice(wanted.items(), left):
            requests[url] = self._article_request(site, entry.url, entry.claims)
            if len(requests) % _REQUESTS_AT_ONCE == 0:
                await asyncio.sleep(0)
        if len(wanted) > left:
            rest = len(wanted) - left
            self._count(site, "over_budget", rest)
            self.logger.warning(
                "Site %s: page budget of %d is spent, %s left for the next crawl",
                site.key,
                site.politeness.page_budget,
                counted(rest, "article is", "articles are"),
            )
        return requests

    def _article_request(
        self, site: Site, url: str, claims: Claims, headers: Mapping[str, str] | None = None
    ) -> Request:
        """headers: of a revisit, the condition under which the page is sent; None for a new article."""
        is_revisit = headers is not None
        return Request(
            urldefrag(url).url,
            callback=self.parse_article,
            errback=self.article_failed,
            cb_kwargs={"site": site.key, "claims": claims, "is_revisit": is_revisit},
            headers=headers,
            meta={
                **self._meta(site, site.hosts),
                **({"handle_httpstatus_list": [304]} if is_revisit else {ARTICLE: True}),
            },
            priority=-10 if is_revisit else 0,
            # The database and `articles` show what was requested. Scrapy's own filter would, with a JOBDIR,
            # remember requests whose article was never stored.
            dont_filter=True,
        )

    # Revisits.

    async def _source_done(self, crawl: _SiteCrawl, url: str) -> AsyncIterator[Request]:
        """Note that a source is read, or failed; after the site's last one, request the due revisits."""
        if url not in crawl.unread_sources:
            return
        crawl.unread_sources.discard(url)
        if not crawl.unread_sources:
            async for revisit in self._revisits(crawl):
                yield revisit

    async def _revisits(self, crawl: _SiteCrawl) -> AsyncIterator[Request]:
        """Request the due revisits of a site."""
        if not self._revisit_hours(crawl.site) or crawl.budget_left <= 0:
            return
        for due in await self._due_revisits(crawl):
            canonical = canonical_url(due.location)
            if not self.articles.get(canonical):
                self.articles[canonical] = due.location
                crawl.articles_requested += 1
                headers = {} if self.refetch else condition(due.etag, due.last_modified)
                yield self._article_request(crawl.site, due.location, due.claims, headers)

    async def _due_revisits(self, crawl: _SiteCrawl) -> list[DueRevisit]:
        """The due revisits within the budget; those that are not the site's any more are cancelled."""
        state = self._state()
        due = await state.due_revisits(crawl.site.key, crawl.budget_left)
        forgotten = await state.forgotten_urls([url for one in due for url in (one.url, one.location)])
        cancelled = {
            one.article_id
            for one in due
            if forgotten & {one.url, one.location}
            or not is_article_url(canonical_url(one.location), crawl.site)
        }
        if cancelled:
            await state.cancel_revisits(cancelled)
        return [one for one in due if one.article_id not in cancelled]

    # Articles.

    async def parse(self, response: Response, **_: Any) -> AsyncIterator[Output]:
        """Make a document of a page that no source named: for `scrapy parse --spider news URL`."""
        yield document_or_rejection(response)

    async def parse_article(
        self, response: Response, site: str, claims: Claims, is_revisit: bool = False
    ) -> AsyncIterator[Output]:
        """Make a document of an article's page, unless it has not changed since the last visit."""
        source, state = self.crawls[site].site, self._state()
        self._count(source, "revisited" if is_revisit else "fetched")
        etag, last_modified = validators(response, response.request)
        visit = self._visit(source, requested_url(response), etag, last_modified)
        if response.status == 304:
            self._count(source, "pages_not_modified")
            state.visit_without_outcome(visit)
            return
        state.visit_with_outcome(visit)
        yield document_or_rejection(response, publisher=source.name, claims=claims)

    def article_failed(self, failure: Any) -> Iterator[Output]:
        """Make a rejection of an article that could not be fetched.

        For a stored article only if it is gone: no other failure changes it.
        """
        if isinstance(failure.value, RequestNotNeeded):
            return
        site = self.crawls[failure.request.cb_kwargs["site"]].site
        if isinstance(failure.value, PutOff):
            self._count(site, "put_off")
            return
        rejection = failure_to_rejection(failure)
        is_transient = rejection.reason in TRANSIENT
        if not failure.request.cb_kwargs.get("is_revisit"):
            self._count(site, "failed_for_now" if is_transient else "failed")
            yield rejection
            return
        visit = self._visit(site, rejection.location, has_failed=is_transient)
        if rejection.is_gone:
            self._count(site, "revisited")
            self._count(site, "gone")
            self._state().visit_with_outcome(visit)
            yield rejection
        else:
            self._count(site, "revisits_failed")
            self._state().visit_without_outcome(visit)

    async def is_wanted(self, request: Request) -> bool:
        """True if a request from a JOBDIR is still to be made; an article is charged to the budget then."""
        crawl = self.crawls.get(request.cb_kwargs["site"])
        if crawl is None or not await self._has_lock(crawl.site):
            return False
        if not request.meta.get(ARTICLE):
            return True
        state, canonical = self._state(), canonical_url(request.url)
        urls = sorted({canonical, request.url})
        if await state.forgotten_urls(urls) or (not self.refetch and await state.known_urls(urls)):
            return False
        if not self.articles.get(canonical):
            self.articles[canonical] = request.url
            crawl.articles_requested += 1
        return True

    def _visit(
        self,
        site: Site,
        location: str,
        etag: str | None = None,
        last_modified: str | None = None,
        has_failed: bool = False,
    ) -> Visit:
        now = datetime.now(UTC)
        return Visit(location, site.key, now, self._revisit_hours(site), etag, last_modified, has_failed)

    def _revisit_hours(self, site: Site) -> tuple[float, ...]:
        return self.revisit_hours if site.revisit_hours is None else site.revisit_hours

    # What requests and counts need.

    def _meta(self, site: Site, hosts: frozenset[str]) -> dict[str, Any]:
        limits = site.politeness
        return {
            **hosts_meta(hosts),
            **politeness_meta(site.key, limits.delay, limits.concurrent_requests, limits.time_budget),
            SESSION: self.session,
        }

    def _max_source_bytes(self, kind: str) -> int:
        name = "COPYDESK_SITEMAP_MAXSIZE" if kind == "sitemap" else "COPYDESK_FEED_MAXSIZE"
        return int(self.settings.getint(name))

    def _pipeline(self) -> StorePipeline:
        pipeline = self.crawler.get_item_pipeline(StorePipeline)
        if pipeline is None:
            raise RuntimeError("the news spider needs StorePipeline in ITEM_PIPELINES")
        return pipeline

    def _state(self) -> CrawlState:
        return self._pipeline().state

    def _count(self, site: Site, what: str, count: int = 1) -> None:
        self.crawler.stats.inc_value(f"site/{site.key}/{what}", count)
