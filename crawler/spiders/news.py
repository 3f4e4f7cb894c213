"""`scrapy crawl news -a site=NAME[,NAME…]`: from a site's feeds and news sitemaps to its articles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

import scrapy
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from w3lib.encoding import http_content_type_encoding

from crawler import feeds, sections
from crawler.contact import require_contact
from crawler.fetched import document_or_rejection, failure_to_rejection
from crawler.guard import hosts_meta
from crawler.item_pipeline import StorePipeline
from crawler.politeness import Politeness, PutOff, politeness_meta
from crawler.site_lock import SiteLock
from crawler.sites import Site, choose, read_sites
from crawler.urls import is_article_url
from pipeline.document import Claims, Document, Rejection
from pipeline.urls import canonical_url
from storage.keys import TRANSIENT

# A sitemap index may point to indexes; deeper than this it points in circles.
MAX_SITEMAP_DEPTH = 3
# Sitemaps that one index makes us read, newest first: archives list one for each month since the nineties.
MAX_SITEMAPS = 20

Kind = Literal["feed", "sitemap", "section"]
# Further sections that one page makes us read.
MAX_SECTIONS = 30

Output = Request | Document | Rejection


@dataclass(frozen=True, slots=True)
class Reading:
    """What one source names: articles, and further sources with what each is."""

    entries: tuple[feeds.Entry, ...]
    further: tuple[tuple[str, Kind], ...] = ()


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
        self.requested: dict[str, int] = {}
        self.seen: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> NewsSpider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        all_sites = read_sites(crawler.settings.get("COPYDESK_SITES"))
        spider.sites = {site.key: site for site in choose(all_sites, spider.site_keys)}
        require_contact(crawler.settings, spider.sites.values())
        spider.refetch = spider.refetch or crawler.settings.getbool("COPYDESK_REFETCH")
        return spider

    async def start(self) -> AsyncIterator[Any]:
        store = self._store()
        for site in self.sites.values():
            if await self._is_forgotten(store, site) or not await self._is_ours(site):
                continue
            for url, kind in self.sources(site):
                yield await self._source_request(store, site, url, kind)

    async def _is_forgotten(self, store: StorePipeline, site: Site) -> bool:
        """True where nothing of the site may be stored: then its feeds are not read either."""
        homes = {f"https://{host}/" for host in site.hosts}
        if await store.forgotten(homes) != homes:
            return False
        self._count(site, "forgotten")
        self.logger.warning("Site %s: not crawled: it was forgotten (copydesk forget --list)", site.key)
        return True

    async def _is_ours(self, site: Site) -> bool:
        """True where no other process is crawling the site, and none will until this crawl is over."""
        lock = self.crawler.get_extension(SiteLock)
        return lock is None or await lock.take(site.key)

    def sources(self, site: Site) -> list[tuple[str, Kind]]:
        """Return the addresses that a crawl of the site begins with, and what each is."""
        return [(url, "feed") for url in site.feeds] + [(url, "sitemap") for url in site.sitemaps]

    async def parse_source(
        self, response: Response, site: str, kind: Kind, depth: int = 0
    ) -> AsyncIterator[Output]:
        """A feed, sitemap, sitemap index or robots.txt has come; ask for what is new in it."""
        source = self.sites[site]
        if response.status == 304:
            self._count(source, "not_modified")
            return
        try:
            # In a thread: a large feed takes seconds to parse, and the reactor has other sites to serve.
            reading = await asyncio.to_thread(read_source, response, kind, source, self._limit(kind))
        except ValueError as error:
            self._count(source, "sources_failed")
            self.logger.warning("Site %s: %s: %s", site, response.url, error)
            return
        self._count(source, "sources")
        async for request in self._further_requests(source, reading, depth):
            yield request
        async for request in self._article_requests(source, reading, response):
            yield request

    async def parse_article(self, response: Response, site: str, claims: Claims) -> AsyncIterator[Output]:
        """An article's page has come: it goes into the pipeline, or is turned away at the door."""
        self._count(self.sites[site], "fetched")
        yield document_or_rejection(response, publisher=self.sites[site].name, claims=claims)

    def source_failed(self, failure: Any) -> Iterator[Output]:
        """A feed or sitemap could not be fetched: the site's other sources go on."""
        site = failure.request.cb_kwargs["site"]
        self._count(self.sites[site], "sources_failed")
        rejection = failure_to_rejection(failure)
        self.logger.warning("Site %s: %s: %s", site, failure.request.url, rejection.detail)
        yield from ()

    def article_failed(self, failure: Any) -> Iterator[Output]:
        """An article could not be fetched; that is a rejection, and stored as one."""
        site = failure.request.cb_kwargs["site"]
        if self._is_put_off(failure):
            self._count(self.sites[site], "put_off")
            return
        rejection = failure_to_rejection(failure)
        self._count(self.sites[site], "failed_for_now" if rejection.reason in TRANSIENT else "failed")
        yield rejection

    def _is_put_off(self, failure: Any) -> bool:
        """True where the crawl chose not to ask; a host that gives no robots.txt forbids only for now."""
        host = urlsplit(failure.request.url).hostname or ""
        politeness = self.crawler.get_extension(Politeness)
        rests = politeness is not None and host in politeness.resting
        if isinstance(failure.value, HttpError):  # an answer, and an IgnoreRequest to Scrapy
            return False
        return isinstance(failure.value, PutOff) or (rests and isinstance(failure.value, IgnoreRequest))

    async def _source_request(
        self, store: StorePipeline, site: Site, url: str, kind: Kind, depth: int = 0
    ) -> Request:
        headers = {} if self.refetch else await store.validators(url)
        return Request(
            url,
            callback=self.parse_source,
            errback=self.source_failed,
            cb_kwargs={"site": site.key, "kind": kind, "depth": depth},
            headers=headers,
            meta={
                **_site_meta(site, site.hosts | site.source_hosts),
                "handle_httpstatus_list": [304],
                "download_maxsize": self._limit(kind),
            },
            priority=10,
            dont_filter=True,
        )

    async def _further_requests(self, site: Site, reading: Reading, depth: int) -> AsyncIterator[Request]:
        store = self._store()
        for url, kind in reading.further:
            if depth >= (site.section_depth if kind == "section" else MAX_SITEMAP_DEPTH):
                self._count(site, "too_deep")
            elif url not in self.seen:
                self.seen.add(url)
                yield await self._source_request(store, site, url, kind, depth + 1)

    async def _article_requests(
        self, site: Site, reading: Reading, source: Response
    ) -> AsyncIterator[Request]:
        store = self._store()
        new: dict[str, feeds.Entry] = {}
        for entry in reading.entries:
            url = canonical_url(entry.url)
            if url not in self.seen and is_article_url(url, site):
                new.setdefault(url, entry)
        self.seen.update(new)
        self._count(site, "discovered", len(new))
        # By the address as it stands as well: what redirects is stored under the address that was asked for.
        asked = {*new, *(entry.url for entry in new.values())}
        known = set() if self.refetch else await store.known(sorted(asked))
        barred = await store.forgotten(asked)
        left_out = known | barred
        wanted = [entry for url, entry in new.items() if not left_out & {url, entry.url}]
        withheld = sum(bool(barred & {url, entry.url}) for url, entry in new.items())
        self._count(site, "known", len(new) - len(wanted) - withheld)
        if withheld:
            self._count(site, "forgotten", withheld)
        left = site.politeness.page_budget - self.requested.get(site.key, 0)
        self.requested[site.key] = self.requested.get(site.key, 0) + min(left, len(wanted))
        if len(wanted) > left:
            self._count(site, "over_budget", len(wanted) - left)
            self.logger.warning(
                "Site %s: page budget of %d is spent, %d articles are left for the next crawl",
                site.key,
                site.politeness.page_budget,
                len(wanted) - left,
            )
        elif not reading.further:
            # What names other sources is read every time: they change when it does not.
            store.watch(_source_url(source), source.headers, [entry.url for entry in wanted])
        for entry in wanted[:left]:
            yield Request(
                entry.url,
                callback=self.parse_article,
                errback=self.article_failed,
                cb_kwargs={"site": site.key, "claims": entry.claims},
                meta=_site_meta(site, site.hosts),
                # What was asked for is known from the database and from `seen`. Scrapy's own filter
                # remembers, in a JOBDIR, requests whose article never came to be stored.
                dont_filter=True,
            )

    def _limit(self, kind: Kind) -> int:
        name = "COPYDESK_SITEMAP_MAXSIZE" if kind == "sitemap" else "COPYDESK_FEED_MAXSIZE"
        return int(self.settings.getint(name))

    def _store(self) -> StorePipeline:
        store = self.crawler.get_item_pipeline(StorePipeline)
        if store is None:
            raise RuntimeError("the news spider needs crawler.item_pipeline.StorePipeline in ITEM_PIPELINES")
        return store

    def _count(self, site: Site, what: str, count: int = 1) -> None:
        self.crawler.stats.inc_value(f"site/{site.key}/{what}", count)


def read_source(response: Response, kind: Kind, site: Site, limit: int) -> Reading:
    """Read a source's response. Raises ValueError where it is not what it should be."""
    body = feeds.unpack(response.body, limit)
    if kind == "section":
        encoding = http_content_type_encoding(_content_type(response))
        found = sections.links(body, encoding, response.url)
        articles = (link for link in found if sections.is_article_link(link, site))
        further = [link.url for link in found if sections.is_section_link(link, site)]
        return Reading(
            tuple(feeds.Entry(link.url) for link in articles),
            tuple((url, kind) for url in further[:MAX_SECTIONS]),
        )
    if kind == "feed":
        return Reading(feeds.parse_feed(body, response.url, _content_type(response) or None))
    if urlsplit(response.url).path == "/robots.txt":
        named = feeds.sitemaps_in_robots(body, response.url)
        return Reading((), tuple((url, kind) for url in named[:MAX_SITEMAPS]))
    sitemap = feeds.parse_sitemap(body, response.url)
    entries = _newest_first(sitemap.entries, site.max_age_days)
    if sitemap.is_index:
        return Reading((), tuple((entry.url, kind) for entry in entries[:MAX_SITEMAPS]))
    return Reading(entries)


def _content_type(response: Response) -> str:
    return (response.headers.get("Content-Type") or b"").decode("latin-1")


def _site_meta(site: Site, hosts: frozenset[str]) -> dict[str, Any]:
    manners = site.politeness
    return {
        **hosts_meta(hosts),
        **politeness_meta(site.key, manners.delay, manners.concurrent_requests, manners.time_budget),
    }


def _newest_first(entries: Iterable[feeds.Entry], max_age_days: int) -> tuple[feeds.Entry, ...]:
    """Entries young enough, the newest first; those that give no date come last, in their own order."""
    oldest = datetime.now(UTC) - timedelta(days=max_age_days)
    dated = sorted(
        ((e.at, e) for e in entries if e.at is not None and e.at >= oldest), key=lambda p: p[0], reverse=True
    )
    return (*(entry for _, entry in dated), *(entry for entry in entries if entry.at is None))


def _source_url(response: Response) -> str:
    """The address that was asked for, before redirects."""
    return str((response.meta.get("redirect_urls") or [response.url])[0])
