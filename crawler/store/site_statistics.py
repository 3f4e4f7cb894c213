"""Counts what a crawl requests and receives from each of its sites, for the view `site_runs`.

A request's site is its meta `copydesk_site`, which Copydesk's spiders set to the key in the sites file.
Without it the host is the site, so another spider needs to do nothing. Spiders count what only they know in
Scrapy's stats, as `site/NAME/WHAT`; WHAT is a field of `storage.crawls.SiteCounts`. Bytes and seconds are
measured here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from time import monotonic
from typing import Any

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.fetch import SITE, TDMREP, is_robots_request, requested_url
from pipeline.document import Document, Rejection
from pipeline.urls import site_of
from storage.base import storable_name
from storage.crawls import SiteCounts

# Of hosts without a site's key, so many are counted each by itself, and the rest together as OTHERS.
MAX_HOSTS = 1000
OTHERS = "others"

_COUNTED_BY_SPIDERS = frozenset(f.name for f in fields(SiteCounts)) - {"bytes", "seconds"}


@dataclass(slots=True)
class _Traffic:
    """Received bytes, and the times of the first and the last request or response (monotonic seconds)."""

    first: float
    last: float
    bytes: int = 0


class SiteStatistics:
    """Downloader middleware that counts the traffic of each site. Settings: none.

    It is the first middleware, so that it also sees requests that others refuse.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._site_by_url: dict[str, str] = {}
        self._hosts: set[str] = set()
        self._traffic: dict[str, _Traffic] = {}
        self._documents: Counter[str] = Counter()
        crawler.signals.connect(self._bytes_received, signal=signals.bytes_received)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> SiteStatistics:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        if not _is_of_no_spider(request):
            site = self._site(request)
            if SITE in request.meta:
                self._site_by_url[request.url] = site
            self._traffic_now(site)

    def process_response(self, request: Request, response: Response) -> Response:
        if not _is_of_no_spider(request):
            self._traffic_now(self._site(request))
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        if not _is_of_no_spider(request):
            self._traffic_now(self._site(request))

    def site_of(self, item: Document | Rejection) -> str:
        """Return the site of a spider's item, and count a document for it."""
        site = self._site_by_url.get(item.location)
        if site is None:
            site = self._host(site_of(item.location) or site_of(item.url or ""))
        if isinstance(item, Document):
            self._documents[site] += 1
        self._traffic_now(site)
        return site

    def counts(self) -> dict[str, SiteCounts]:
        """Return the counts of every site so far."""
        counted: dict[str, dict[str, int]] = {}
        for key, value in self.crawler.stats.get_stats().items():
            if key.startswith("site/"):
                site, _, what = key.removeprefix("site/").rpartition("/")
                if what in _COUNTED_BY_SPIDERS:
                    counted.setdefault(_storable(site), {})[what] = value
        found = {}
        for site in {*self._traffic, *counted}:
            traffic = self._traffic.get(site) or _Traffic(0, 0)
            # For a spider that counts nothing, its documents are what it fetched.
            found[site] = SiteCounts(
                **counted.get(site, {"fetched": self._documents[site]}),
                bytes=traffic.bytes,
                seconds=round(traffic.last - traffic.first, 1),
            )
        return found

    def _bytes_received(self, data: bytes, request: Request) -> None:
        if not _is_of_no_spider(request):
            self._traffic_now(self._site(request)).bytes += len(data)

    def _site(self, request: Request) -> str:
        if SITE in request.meta:
            return _storable(str(request.meta[SITE]))
        return self._host(site_of(requested_url(request)))

    def _host(self, host: str) -> str:
        name = _storable(host)
        if name not in self._hosts and len(self._hosts) >= MAX_HOSTS:
            return OTHERS
        self._hosts.add(name)
        return name

    def _traffic_now(self, site: str) -> _Traffic:
        now = monotonic()
        traffic = self._traffic.setdefault(site, _Traffic(now, now))
        traffic.last = now
        return traffic


def has_site_statistics(spider: Any) -> bool:
    """False for a spider that sets `site_statistics = False`: its hosts are not sites with a history."""
    return bool(getattr(spider, "site_statistics", True))


def _storable(name: str) -> str:
    return storable_name(name)[:300] or OTHERS


def _is_of_no_spider(request: Request) -> bool:
    """True for a tdmrep.json and a robots.txt to be obeyed; False for one that a site lists as a source."""
    return TDMREP in request.meta or (SITE not in request.meta and is_robots_request(request))


def no_source_was_read(stats: Mapping[str, Any]) -> bool:
    """True if every feed, sitemap and section page of every site in a crawl's statistics failed."""
    counts: Counter[str] = Counter()
    for key, value in stats.items():
        if key.startswith("site/"):
            counts[key.rpartition("/")[2]] += value
    return counts["sources_failed"] > 0 and not counts["sources"] and not counts["not_modified"]
