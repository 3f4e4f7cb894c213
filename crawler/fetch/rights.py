"""Adds to each document what its site says of the rights to it: in robots.txt and in tdmrep.json."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.settings import BaseSettings

from crawler.fetch.request_meta import (
    ARTICLE,
    CONCURRENCY,
    DELAY,
    HOSTS,
    SITE,
    TDMREP,
    TIME_BUDGET,
    is_robots_request,
    requested_url,
)
from pipeline.document import Document, RightsStatement
from pipeline.metadata import (
    MAX_TDMREP_BYTES,
    TDMREP_PATH,
    RobotsRights,
    TdmRights,
    clean_rights,
    may_have_rights,
    read_robots_rights,
    read_tdm_rights,
)

logger = logging.getLogger(__name__)

# A small file that nothing may be kept waiting for.
_TIMEOUT = 10.0
# The politeness of the site, and the hosts that redirects may lead to.
_KEPT_META = (SITE, TIME_BUDGET, DELAY, CONCURRENCY, HOSTS)
_PRODUCT = re.compile(r"[^\s/()]+")


class SiteRights:
    """Spider middleware that adds the statements of a site to the claims of its documents.

    The robots.txt is the one that the crawl obeys. A tdmrep.json is requested once for each host of a crawl,
    when the first article of it is, by the rules that hold for every request: robots.txt, politeness, guard,
    budgets. A host without one, or one that does not answer, has no rules; it is no error, and not retried.

    Settings: COPYDESK_TDMREP; ROBOTSTXT_USER_AGENT or USER_AGENT, for the groups of robots.txt.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self.crawler = crawler
        self.is_tdmrep_read = settings.getbool("COPYDESK_TDMREP")
        self.agent = product_name(settings)
        # Both by scheme and host.
        self.robots: dict[str, asyncio.Future[RobotsRights]] = {}
        self.tdmreps: dict[str, asyncio.Future[TdmRights]] = {}
        crawler.signals.connect(self._response_received, signal=signals.response_received)
        crawler.signals.connect(self._request_reached_downloader, signal=signals.request_reached_downloader)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> SiteRights:
        return cls(crawler)

    async def process_spider_output(self, response: Response, result: Any) -> AsyncIterator[Any]:
        async for item in result:
            yield await self.with_site_rights(item, response) if isinstance(item, Document) else item

    async def with_site_rights(self, document: Document, response: Response) -> Document:
        """The document with what its site says in its claims, beside what the response says."""
        home = _home(response.url)
        said: tuple[RightsStatement, ...] = ()
        if home in self.robots:
            said = (await self.robots[home]).of(response.url)
        if self.is_tdmrep_read and response.request is not None:
            said += (await self._tdmrep(home, response.request)).of(response.url)
        if not said:
            return document
        claims = replace(document.claims, rights=clean_rights((*document.claims.rights, *said)))
        return replace(document, claims=claims)

    def _response_received(self, response: Response, request: Request) -> None:
        if is_robots_request(request) and may_have_rights(response.body):
            # In a thread, because a long file takes some hundredths of a second.
            reading = asyncio.to_thread(read_robots_rights, response.body, self.agent)
            self.robots[_home(requested_url(request))] = asyncio.ensure_future(reading)

    def _request_reached_downloader(self, request: Request) -> None:
        """Request the tdmrep.json with the first article, so that it does not wait behind all of them."""
        is_for_article = ARTICLE in request.meta or SITE not in request.meta
        is_own = TDMREP in request.meta or is_robots_request(request)
        if self.is_tdmrep_read and is_for_article and not is_own:
            self._tdmrep(_home(request.url), request)

    def _tdmrep(self, home: str, page: Request) -> asyncio.Future[TdmRights]:
        if home not in self.tdmreps:
            self.tdmreps[home] = asyncio.ensure_future(self._read_tdmrep(home, page))
        return self.tdmreps[home]

    async def _read_tdmrep(self, home: str, page: Request) -> TdmRights:
        """page: a request for a page of the host, whose politeness holds here as well."""
        kept = {name: page.meta[name] for name in _KEPT_META if name in page.meta}
        request = Request(
            home + TDMREP_PATH,
            callback=NO_CALLBACK,
            meta={
                **kept,
                TDMREP: True,
                "dont_retry": True,
                "download_timeout": _TIMEOUT,
                "download_maxsize": MAX_TDMREP_BYTES,
            },
        )
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:
            # Refused by robots.txt, put off, no answer: the articles do not depend on it.
            level = logging.DEBUG if isinstance(error, IgnoreRequest) else logging.INFO
            logger.log(level, "%s: no tdmrep.json: %s", home, error or type(error).__name__)
            return TdmRights()
        if response.status != 200:
            return TdmRights()
        return await asyncio.to_thread(read_tdm_rights, response.body)


def product_name(settings: BaseSettings) -> str:
    """The name of the crawler, by which a robots.txt addresses it."""
    agent = str(settings["ROBOTSTXT_USER_AGENT"] or settings["USER_AGENT"])
    product = _PRODUCT.match(agent)
    return product[0] if product else agent


def _home(url: str) -> str:
    """Scheme and host of a URL, as a robots.txt and a tdmrep.json hold for them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
