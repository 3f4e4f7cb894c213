"""Decides what a robots.txt means that is missing, cannot be fetched, or is very long (RFC 9309)."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError, IgnoreRequest
from scrapy.http import Response
from scrapy.robotstxt import ProtegoRobotParser

from crawler.fetch.errors import RequestRefused
from crawler.fetch.politeness.hosts import Politeness
from crawler.fetch.request_meta import is_robots_request, requested_url

# RFC 9309, 2.5 allows a crawler to stop reading after 500 KiB. Protego needs a second for a megabyte.
MAX_ROBOTS_BYTES = 512_000
# A longer robots.txt is parsed in a thread.
_PARSED_IN_THREAD_BYTES = 10_000
_NOTHING_ALLOWED = b"User-agent: *\nDisallow: /\n"


class RobotsMiddleware:
    """Downloader middleware for robots.txt: none (4xx) allows everything, an unreachable one nothing.

    Unreachable means a server error, HTTP 429, no response, or a redirect to a host that is not allowed
    (RFC 9309, 2.3.1.4), or a file that cannot be parsed. The host is suspended for this crawl then. A long
    robots.txt is cut.

    Settings: ROBOTSTXT_OBEY and ROBOTSTXT_PARSER of Scrapy's own middleware, which runs before this one and
    requests the file. `parsed` holds files that were parsed here, the long ones in a thread, by their bytes,
    until `RobotsTxt` takes them.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.parsed: dict[bytes, RobotsTxt] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsMiddleware:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        politeness = self.crawler.get_extension(Politeness)
        if politeness is not None:  # the host may have been suspended while the request waited for robots.txt
            politeness.raise_if_suspended(request)

    async def process_response(self, request: Request, response: Response) -> Response:
        if not is_robots_request(request):
            return response
        if response.status >= 500 or response.status == 429:
            return self._nothing_allowed(request, f"HTTP {response.status}")
        if 400 <= response.status < 500:
            return response.replace(body=b"")
        body = response.body[:MAX_ROBOTS_BYTES]
        try:
            if len(body) > _PARSED_IN_THREAD_BYTES:
                self.parsed[body] = await asyncio.to_thread(RobotsTxt, body, self.crawler.spider)
            else:
                self.parsed[body] = RobotsTxt(body, self.crawler.spider)
        except Exception as error:  # Scrapy would allow everything
            return self._nothing_allowed(request, f"{type(error).__name__}: {error}")
        return response.replace(body=body)

    def process_exception(self, request: Request, exception: Exception) -> Response | None:
        if not is_robots_request(request):
            self._raise_if_suspended(request, exception)
            return None
        if isinstance(exception, RequestRefused) and request.meta.get("redirect_urls"):
            return self._nothing_allowed(request, f"it redirects, and {exception}")
        if isinstance(exception, IgnoreRequest):
            return None
        if isinstance(exception, CannotResolveHostError):
            return self._nothing_allowed(request, why=None)
        return self._nothing_allowed(request, type(exception).__name__)

    def _raise_if_suspended(self, request: Request, exception: Exception) -> None:
        """Raise PutOff in place of "Forbidden by robots.txt" if the host has no robots.txt that was read."""
        politeness = self.crawler.get_extension(Politeness)
        if politeness is not None and type(exception) is IgnoreRequest:
            politeness.raise_if_suspended(request)

    def _nothing_allowed(self, request: Request, why: str | None) -> Response:
        """Suspend the host. why: what is wrong with its robots.txt; None for a name that does not resolve."""
        politeness = self.crawler.get_extension(Politeness)
        if politeness is not None:
            host = urlsplit(requested_url(request)).hostname or ""
            fault = f"does not give its robots.txt ({why})" if why else "cannot be resolved to an address"
            politeness.suspend(host, fault)
        return Response(request.url, status=200, body=_NOTHING_ALLOWED, request=request)


class RobotsTxt(ProtegoRobotParser):
    """Scrapy's Protego parser (setting ROBOTSTXT_PARSER); takes what RobotsMiddleware has parsed."""

    @classmethod
    def from_crawler(cls, crawler: Crawler, robotstxt_body: bytes) -> RobotsTxt:
        parsed = None
        if robotstxt_body:
            middleware = crawler.get_downloader_middleware(RobotsMiddleware)
            parsed = middleware.parsed.pop(robotstxt_body, None) if middleware is not None else None
        return parsed or super().from_crawler(crawler, robotstxt_body)
