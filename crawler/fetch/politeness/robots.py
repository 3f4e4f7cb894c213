"""Decides what a robots.txt means that is missing, cannot be fetched, or is very long (RFC 9309)."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
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
    (RFC 9309, 2.3.1.4). The host is suspended for this crawl then. A long robots.txt is cut.

    Settings: ROBOTSTXT_OBEY and ROBOTSTXT_PARSER of Scrapy's own middleware, which runs before this one and
    requests the file. `parsed` holds long files that were parsed in a thread, by their bytes, until
    `RobotsTxt` takes them.
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
        if len(body) > _PARSED_IN_THREAD_BYTES:
            self.parsed[body] = await asyncio.to_thread(RobotsTxt, body, self.crawler.spider)
        return response.replace(body=body)

    def process_exception(self, request: Request, exception: Exception) -> Response | None:
        if not is_robots_request(request):
            return None
        if isinstance(exception, RequestRefused) and request.meta.get("redirect_urls"):
            return self._nothing_allowed(request, f"it redirects, and {exception}")
        if isinstance(exception, IgnoreRequest):
            return None
        return self._nothing_allowed(request, type(exception).__name__)

    def _nothing_allowed(self, request: Request, why: str) -> Response:
        politeness = self.crawler.get_extension(Politeness)
        if politeness is not None:
            host = urlsplit(requested_url(request)).hostname or ""
            politeness.suspend(host, f"does not give its robots.txt ({why})")
        return Response(request.url, status=200, body=_NOTHING_ALLOWED, request=request)


class RobotsTxt(ProtegoRobotParser):
    """Scrapy's Protego parser (setting ROBOTSTXT_PARSER); takes what RobotsMiddleware parsed in a thread."""

    @classmethod
    def from_crawler(cls, crawler: Crawler, robotstxt_body: bytes) -> RobotsTxt:
        parsed = None
        if len(robotstxt_body) > _PARSED_IN_THREAD_BYTES:
            middleware = crawler.get_downloader_middleware(RobotsMiddleware)
            parsed = middleware.parsed.pop(robotstxt_body, None) if middleware is not None else None
        return parsed or super().from_crawler(crawler, robotstxt_body)
