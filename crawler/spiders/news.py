"""`scrapy crawl news -a site=NAME[,NAME…]`: from a site's feeds and news sitemaps to its articles."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import urldefrag, urlsplit

import scrapy
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError

from crawler.discovery import Listing, SourceEntry, SourceKind, read_source
from crawler.fetch import (
    ARTICLE,
    SESSION,
    Politeness,
    PutOff,
    RequestNotNeeded,
    SiteLock,
    condition,
    hosts_meta,
    politeness_meta,
    requested_url,
    require_contact,
    validators,
)
from crawler.fetched import as_download, document_or_rejection, failure_to_rejection
from crawler.runs import PoolBroken, TaskFailed
from crawler.sites import MAX_URL_LENGTH, Site, choose_sites, is_article_url, parse_hours, read_sites
from crawler.store import CrawlState, StorePipeline
from pipeline.document import Claims, Document, Rejection
from pipeline.urls import canonical_url
from storage.base import TRANSIENT
from storage.crawls import Validators, Visit
from storage.database import DatabaseError

# A sitemap index may point to indexes; deeper than this it points in circles.
MAX_SITEMAP_DEPTH = 3
# To make so many takes some milliseconds of the reactor's time.
_REQUESTS_AT_ONCE = 100

Output = Request | Document | Rejection


class NewsSpider(scrapy.Spider):
    """Reads feeds and sitemaps of the sites named (all sites for none) and fetches what is new.

    site: keys of sites.toml, separated by commas. refetch: anything but "", "0" and "false" fetches
    stored articles and unchanged feeds once more.
    """

    name = "news"

    def __init__(self, site: str = "", refetch: str = "", **arguments: Any) -> None:
        super().__init__(**arguments)
        self.site_keys = [key.strip() for key in site.split(",") if key.strip()]
        self.refetch = str(refetch).lower() not in ("", "0", "false", "no")
        self.sites: dict[str, Site] = {}
        self.revisit_hours: tuple[float, ...] = ()
        self.requested: dict[str, int] = {}
        # Sources that other sources named: a maze of sections must end before the site's time does.
        self.further: Counter[str] = Counter()
        # Articles that this crawl came upon, by canonical URL: the address that is asked for, "" where none
        # has to be, None where it is left for the next crawl.
        self.articles: dict[str, str | None] = {}
        self.choosing = asyncio.Lock()
        self.ours: dict[str, bool] = {}
        self.locking = asyncio.Lock()
        self.sources_asked: set[str] = set()
        # Sources that are still to be read, by site: when there are none, its revisits have their turn.
        self.unread: dict[str, set[str]] = {}
        self.session = secrets.token_hex(8)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> NewsSpider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        all_sites = read_sites(crawler.settings.get("COPYDESK_SITES"))
        spider.sites = {site.key: site for site in choose_sites(all_sites, spider.site_keys)}
        require_contact(crawler.settings, spider.sites.values())
        spider.refetch = spider.refetch or crawler.settings.getbool("COPYDESK_REFETCH")
        spider.revisit_hours = parse_hours(crawler.settings.getlist("COPYDESK_REVISIT_HOURS"))
        return spider

    async def start(self) -> AsyncIterator[Any]:
        state = self._state()
        try:
            async for request in self._first_requests(state):
                yield request
        except DatabaseError as error:
            state.database_failed(error)

    async def _first_requests(self, state: CrawlState) -> AsyncIterator[Request]:
        for site in self.sites.values():
            if await self._is_forgotten(state, site) or not await self._is_ours(site):
                continue
            # All are prepared before the first is sent: the site is read when the last of them is.
            prepared = [await self._source_request(state, site, *source) for source in self.sources(site)]
            for request in prepared:
                if request is not None:
                    yield request

    async def _is_forgotten(self, state: CrawlState, site: Site) -> bool:
        """True where nothing of the site may be stored: then its feeds are not read either."""
        homes = {f"https://{host}/" for host in site.hosts}
        if await state.forgotten_urls(homes) != homes:
            return False
        self._count(site, "forgotten")
        self.logger.warning("Site %s: not crawled: it was forgotten (copydesk forget --list)", site.key)
        return True

    async def _is_ours(self, site: Site) -> bool:
        """True where no other process is crawling the site, and none will until this crawl is over."""
        lock = self.crawler.get_extension(SiteLock)
        async with self.locking:
            if site.key not in self.ours:
                self.ours[site.key] = lock is None or await lock.take(site.key)
            return self.ours[site.key]

    def sources(self, site: Site) -> list[tuple[str, SourceKind]]:
        """Return the addresses that a crawl of the site begins with, and what each is."""
        return [(url, "feed") for url in site.feeds] + [(url, "sitemap") for url in site.sitemaps]

    async def parse_source(
        self, response: Response, site: str, kind: SourceKind, before: Validators, depth: int = 0
    ) -> AsyncIterator[Output]:
        """A feed, sitemap, sitemap index or robots.txt has come; ask for what is new in it.

        before: what it was served with the last time.
        """
        async for request in self._named_by(response, self.sites[site], kind, before, depth):
            yield request
        async for request in self._when_read(self.sites[site], requested_url(response)):
            yield request

    async def _named_by(
        self, response: Response, source: Site, kind: SourceKind, before: Validators, depth: int
    ) -> AsyncIterator[Request]:
        site = source.key
        if response.status == 304 and before == Validators():
            self._count(source, "sources_failed")
            self.logger.warning("Site %s: %s: HTTP 304, and nothing was known of it", site, response.url)
            return
        if response.status == 304:
            self._count(source, "not_modified")
            async for request in self._further_requests(source, before.children, depth):
                yield request
            return
        pipeline = self._pipeline()
        try:
            pool = await pipeline.workers()
            reading = pool.run(read_source, as_download(response), kind, source, self._limit(kind))
            listing = await asyncio.wrap_future(reading)
        except PoolBroken as error:
            pipeline.stop(error, "worker_error")
            return
        except (ValueError, TaskFailed) as error:
            self._count(source, "sources_failed")
            self.logger.warning("Site %s: %s: %s", site, response.url, error)
            return
        self._count(source, "sources")
        async for request in self._further_requests(source, listing.further, depth):
            yield request
        async for request in self._article_requests(source, listing, response):
            yield request

    async def parse(self, response: Response, **_: Any) -> AsyncIterator[Output]:
        """What `scrapy parse --spider news URL` makes of a page that no source named."""
        yield document_or_rejection(response)

    async def parse_article(
        self, response: Response, site: str, claims: Claims, is_revisit: bool = False
    ) -> AsyncIterator[Output]:
        """An article's page has come: it goes into the pipeline, or is turned away at the door."""
        source, state = self.sites[site], self._state()
        self._count(source, "revisited" if is_revisit else "fetched")
        etag, last_modified = validators(response, response.request)
        visit = self._visit(source, requested_url(response), etag, last_modified)
        if response.status == 304:
            self._count(source, "pages_not_modified")
            state.visit_without_outcome(visit)
            return
        state.visit_with_outcome(visit)
        yield document_or_rejection(response, publisher=source.name, claims=claims)

    async def source_failed(self, failure: Any) -> AsyncIterator[Output]:
        """A feed or sitemap could not be fetched: the site's other sources go on."""
        if isinstance(failure.value, RequestNotNeeded):
            return
        site = self.sites[failure.request.cb_kwargs["site"]]
        self._count(site, "sources_failed")
        rejection = failure_to_rejection(failure)
        self.logger.warning("Site %s: %s: %s", site.key, failure.request.url, rejection.detail)
        async for request in self._when_read(site, rejection.location):
            yield request

    def article_failed(self, failure: Any) -> Iterator[Output]:
        """An article could not be fetched; that is a rejection, and stored as one.

        Of an article that is stored, only that it is gone: nothing else takes it away.
        """
        if isinstance(failure.value, RequestNotNeeded):
            return
        site = self.sites[failure.request.cb_kwargs["site"]]
        if self._is_put_off(failure):
            self._count(site, "put_off")
            return
        rejection = failure_to_rejection(failure)
        is_passing = rejection.reason in TRANSIENT
        if not failure.request.cb_kwargs.get("is_revisit"):
            self._count(site, "failed_for_now" if is_passing else "failed")
            yield rejection
            return
        visit = self._visit(site, rejection.location, has_failed=is_passing)
        if rejection.is_gone:
            self._count(site, "revisited")
            self._count(site, "gone")
            self._state().visit_with_outcome(visit)
            yield rejection
        else:
            self._count(site, "revisits_failed")
            self._state().visit_without_outcome(visit)

    async def is_wanted(self, request: Request) -> bool:
        """Whether a request that a JOBDIR has kept is still to be made; it is charged to the budget then."""
        site = self.sites.get(request.cb_kwargs["site"])
        if site is None or not await self._is_ours(site):
            return False
        if not request.meta.get(ARTICLE):
            return True
        state, url = self._state(), canonical_url(request.url)
        asked = {url, request.url}
        if await state.forgotten_urls(asked):
            return False
        if not self.refetch and await state.known_urls(sorted(asked)):
            return False
        if not self.articles.get(url):
            self.articles[url] = request.url
            self.requested[site.key] = self.requested.get(site.key, 0) + 1
        return True

    def _is_put_off(self, failure: Any) -> bool:
        """True where the crawl chose not to ask; a host that gives no robots.txt forbids only for now."""
        host = urlsplit(failure.request.url).hostname or ""
        politeness = self.crawler.get_extension(Politeness)
        rests = politeness is not None and host in politeness.suspended
        if isinstance(failure.value, HttpError):  # an answer, and an IgnoreRequest to Scrapy
            return False
        return isinstance(failure.value, PutOff) or (rests and isinstance(failure.value, IgnoreRequest))

    async def _source_request(
        self, state: CrawlState, site: Site, url: str, kind: str, depth: int = 0
    ) -> Request | None:
        """None for a source that this crawl has asked for, and for what is no address."""
        try:
            request = Request(
                urldefrag(url).url,
                callback=self.parse_source,
                errback=self.source_failed,
                meta={
                    **self._meta(site, site.hosts | site.source_hosts),
                    "handle_httpstatus_list": [304],
                    "download_maxsize": self._limit(kind),
                },
                priority=10,
                dont_filter=True,
            )
        except ValueError:
            return None
        if request.url in self.sources_asked or len(request.url) > MAX_URL_LENGTH:
            return None
        self.sources_asked.add(request.url)
        self.unread.setdefault(site.key, set()).add(request.url)
        before = (
            Validators() if self.refetch else await state.source_validators(request.url, _reading_rules(site))
        )
        request.headers.update(condition(before.etag, before.last_modified))
        request.cb_kwargs.update({"site": site.key, "kind": kind, "depth": depth, "before": before})
        return request

    async def _further_requests(
        self, site: Site, further: Iterable[tuple[str, str]], depth: int
    ) -> AsyncIterator[Request]:
        for url, kind in further:
            if depth >= (site.section_depth if kind == "section" else MAX_SITEMAP_DEPTH):
                self._count(site, "too_deep")
                continue
            if self.further[site.key] >= site.politeness.page_budget:
                self._count(site, "sources_over_budget")
                continue
            self.further[site.key] += 1  # before others are read meanwhile
            request = await self._source_request(self._state(), site, url, kind, depth + 1)
            if request is None:
                self.further[site.key] -= 1
            else:
                yield request

    async def _article_requests(
        self, site: Site, listing: Listing, source: Response
    ) -> AsyncIterator[Request]:
        # One source after the other: what two of them name is asked for once, and either of them is done with
        # when that is stored.
        async with self.choosing:
            requests = await self._chosen(site, listing, source)
        for request in requests:
            yield request

    async def _chosen(self, site: Site, listing: Listing, source: Response) -> list[Request]:
        state = self._state()
        # In a thread, all that goes over every address: a sitemap may name fifty thousand.
        named = await asyncio.to_thread(_by_address, listing.entries)
        new = await asyncio.to_thread(_articles_in, named, site, self.articles)
        self._count(site, "discovered", len(new))
        # By the address as it stands as well: what redirects is stored under the address that was asked for.
        asked = await asyncio.to_thread(lambda: sorted({*new, *(entry.url for entry in new.values())}))
        known = set() if self.refetch else await state.known_urls(asked)
        barred = await state.forgotten_urls(asked)
        wanted = await asyncio.to_thread(_without, new, known | barred)
        withheld = len(new) - len(await asyncio.to_thread(_without, new, barred)) if barred else 0
        self._count(site, "known", len(new) - len(wanted) - withheld)
        if withheld:
            self._count(site, "forgotten", withheld)
        left = self._budget_left(site)
        self.requested[site.key] = self.requested.get(site.key, 0) + min(left, len(wanted))
        requests: dict[str, Request] = {}
        for url, entry in islice(wanted.items(), left):
            requests[url] = self._article_request(site, entry.url, entry.claims)
            if len(requests) % _REQUESTS_AT_ONCE == 0:
                await asyncio.sleep(0)  # others have their turn
        self.articles.update(dict.fromkeys(new, ""))
        self.articles.update({url: requests[url].url if url in requests else None for url in wanted})
        if len(wanted) > left:
            self._count(site, "over_budget", len(wanted) - left)
            self.logger.warning(
                "Site %s: page budget of %d is spent, %d articles are left for the next crawl",
                site.key,
                site.politeness.page_budget,
                len(wanted) - left,
            )
        waiting = [self.articles[url] for url in named if url in self.articles]
        if None not in waiting:
            served = Validators(*validators(source), listing.further, _reading_rules(site))
            state.source_read(requested_url(source), served, filter(None, waiting))
        return list(requests.values())

    def _article_request(
        self, site: Site, url: str, claims: Claims, headers: Mapping[str, str] | None = None
    ) -> Request:
        """headers: a condition, of an article that is stored."""
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
            # What was asked for is known from the database and from `articles`. Scrapy's own filter
            # remembers, in a JOBDIR, requests whose article never came to be stored.
            dont_filter=True,
        )

    async def _when_read(self, site: Site, url: str) -> AsyncIterator[Request]:
        """A source is done with; after the last of them come the revisits, as far as the budget goes."""
        unread = self.unread.get(site.key, set())
        if url not in unread:
            return
        unread.discard(url)
        if unread or not self._hours(site) or self._budget_left(site) <= 0:
            return
        state = self._state()
        due = await state.due_revisits(site.key, self._budget_left(site))
        barred = await state.forgotten_urls([url for one in due for url in (one.url, one.location)])
        outside = {
            one.article_id
            for one in due
            if barred & {one.url, one.location} or not is_article_url(canonical_url(one.location), site)
        }
        if outside:
            await state.cancel_revisits(outside)
        for one in due:
            address = canonical_url(one.location)
            if one.article_id not in outside and not self.articles.get(address):
                self.articles[address] = one.location
                self.requested[site.key] = self.requested.get(site.key, 0) + 1
                headers = {} if self.refetch else condition(one.etag, one.last_modified)
                yield self._article_request(site, one.location, one.claims, headers)

    def _visit(
        self,
        site: Site,
        location: str,
        etag: str | None = None,
        last_modified: str | None = None,
        has_failed: bool = False,
    ) -> Visit:
        now = datetime.now(UTC)
        return Visit(location, site.key, now, self._hours(site), etag, last_modified, has_failed)

    def _hours(self, site: Site) -> tuple[float, ...]:
        return self.revisit_hours if site.revisit_hours is None else site.revisit_hours

    def _budget_left(self, site: Site) -> int:
        return site.politeness.page_budget - self.requested.get(site.key, 0)

    def _meta(self, site: Site, hosts: frozenset[str]) -> dict[str, Any]:
        return {**_site_meta(site, hosts), SESSION: self.session}

    def _limit(self, kind: str) -> int:
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


def _by_address(entries: Sequence[SourceEntry]) -> dict[str, SourceEntry]:
    """Entries by canonical URL, in their order; of those with the same, the first."""
    named: dict[str, SourceEntry] = {}
    for entry in entries:
        named.setdefault(canonical_url(entry.url), entry)
    return named


def _articles_in(
    named: Mapping[str, SourceEntry], site: Site, articles: Container[str]
) -> dict[str, SourceEntry]:
    """Those that may be articles of the site, and that the crawl has not come upon yet."""
    return {url: entry for url, entry in named.items() if url not in articles and is_article_url(url, site)}


def _without(entries: Mapping[str, SourceEntry], urls: set[str]) -> dict[str, SourceEntry]:
    """Those of which neither the canonical URL nor the one that was given is among the URLs."""
    return {url: entry for url, entry in entries.items() if url not in urls and entry.url not in urls}


def _site_meta(site: Site, hosts: frozenset[str]) -> dict[str, Any]:
    manners = site.politeness
    return {
        **hosts_meta(hosts),
        **politeness_meta(site.key, manners.delay, manners.concurrent_requests, manners.time_budget),
    }


def _reading_rules(site: Site) -> str:
    """Tells by which rules a choice is made of what a source names: by others, it is read again."""
    rules = (site.article_urls, site.skip_urls, sorted(site.hosts), site.max_age_days, site.section_depth)
    return hashlib.sha256(json.dumps(rules).encode()).hexdigest()[:16]
