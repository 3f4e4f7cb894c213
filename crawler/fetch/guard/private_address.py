"""Reports a host whose addresses the resolver dropped as refused, and not as a name that does not exist.

It is nearer to the network than retries, because a private address does not become public.
"""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError
from scrapy.utils.httpobj import urlparse_cached

from crawler.fetch.errors import RequestRefused
from crawler.fetch.guard.refusal import not_public_message
from crawler.fetch.guard.resolver import refused_hosts


class PrivateAddressMiddleware:
    """Downloader middleware that raises RequestRefused for a host that resolves to private addresses only.

    Its setting is that of the resolver: COPYDESK_ALLOW_LOOPBACK.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PrivateAddressMiddleware:
        return cls(crawler)

    def process_exception(self, request: Request, exception: Exception) -> None:
        host = urlparse_cached(request).hostname
        if isinstance(exception, CannotResolveHostError) and host in refused_hosts():
            self.crawler.stats.inc_value("guard/refused_address")
            raise RequestRefused(not_public_message(host or ""))
