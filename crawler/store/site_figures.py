"""What a crawl counts of each of its sites, beside how their documents end: the figures of `site_runs`.

A site is what a request says in its meta (`copydesk_site`, which the spiders of Copydesk set to the key in
sites.toml); without that it is the host that was asked, so a spider of your own needs to do nothing. Spiders
count what only they know in Scrapy's stats, as `site/NAME/WHAT`, WHAT being a field of
`storage.crawls.site_runs.SiteCounts`; bytes and time are measured here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from time import monotonic
from typing import Any

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.fetch import SITE, is_robots_request, requested_url
from pipeline.document import Document, Rejection
from pipeline.urls import site_of
from storage.base import storable_name
from storage.crawls import SiteCounts

# Hosts of requests that name no site: so many get figures of their own, the rest one row, OTHERS.
MAX_HOSTS = 1000
OTHERS = "others"

_COUNTED = frozenset(f.name for f in fields(SiteCounts)) - {"bytes", "seconds"}


@dataclass(slots=True)
class _Traffic:
    first: float
    last: float
    bytes: int = 0


class Figures:
    """Downloader middleware that knows whose each request is, and measures what it brings.

    The first of all: what others refuse is somebody's as well.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._named: dict[str, str] = {}
        self._hosts: set[str] = set()
        self._traffic: dict[str, _Traffic] = {}
        self._documents: Counter[str] = Counter()
        crawler.signals.connect(self._bytes_received, signal=signals.bytes_received)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Figures:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        if not _is_robots(request):
            name = self._site(request)
            if SITE in request.meta:
                self._named[request.url] = name
            self._touch(name)

    def process_response(self, request: Request, response: Response) -> Response:
        if not _is_robots(request):
            self._touch(self._site(request))
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        if not _is_robots(request):
            self._touch(self._site(request))

    def site_of(self, item: Document | Rejection) -> str:
        """The site that an item of a spider is of, which is counted as fetched where it is a document."""
        name = self._named.get(item.location)
        if name is None:
            name = self._host(site_of(item.location) or site_of(item.url or ""))
        if isinstance(item, Document):
            self._documents[name] += 1
        self._touch(name)
        return name

    def counts(self) -> dict[str, SiteCounts]:
        """The counts of every site that was asked for something, or counted, since the crawl began."""
        counted: dict[str, dict[str, int]] = {}
        for key, value in self.crawler.stats.get_stats().items():
            if key.startswith("site/"):
                name, _, what = key.removeprefix("site/").rpartition("/")
                if what in _COUNTED:
                    counted.setdefault(_name(name), {})[what] = value
        found = {}
        for name in {*self._traffic, *counted}:
            traffic = self._traffic.get(name) or _Traffic(0, 0)
            # A spider that counts nothing fetched what it made documents of.
            found[name] = SiteCounts(
                **counted.get(name, {"fetched": self._documents[name]}),
                bytes=traffic.bytes,
                seconds=round(traffic.last - traffic.first, 1),
            )
        return found

    def _bytes_received(self, data: bytes, request: Request) -> None:
        if not _is_robots(request):
            self._touch(self._site(request)).bytes += len(data)

    def _site(self, request: Request) -> str:
        if SITE in request.meta:
            return _name(str(request.meta[SITE]))
        return self._host(site_of(requested_url(request)))

    def _host(self, host: str) -> str:
        name = _name(host)
        if name not in self._hosts and len(self._hosts) >= MAX_HOSTS:
            return OTHERS
        self._hosts.add(name)
        return name

    def _touch(self, name: str) -> _Traffic:
        now = monotonic()
        traffic = self._traffic.setdefault(name, _Traffic(now, now))
        traffic.last = now
        return traffic


def _name(name: str) -> str:
    return storable_name(name)[:300] or OTHERS


def _is_robots(request: Request) -> bool:
    """True where Scrapy reads the robots.txt; one that a site has among its sitemaps is a source."""
    return SITE not in request.meta and is_robots_request(request)


def has_figures(spider: Any) -> bool:
    """False for a spider that says so: the hosts of a list of addresses are no sites with a history."""
    return bool(getattr(spider, "site_figures", True))
