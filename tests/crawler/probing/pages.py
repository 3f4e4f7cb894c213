"""A client with the pages of a site in memory, which reads them in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin

from scrapy import Request
from scrapy.http import Response
from scrapy.settings import Settings

from crawler.fetched import document_or_rejection
from crawler.probing.client import NoPage
from crawler.sites import Site
from crawler.workers import PoolBroken
from pipeline.document import Claims, Document, Outcome
from pipeline.process import process_document
from pipeline.settings import Settings as PipelineSettings
from tests.crawler.probing.gazette import STORIES


class Pages:
    """Has the interface of `crawler.probing.client.Client`.

    requested: the URLs in the order of the requests, with the hosts they were restricted to. kills: URLs of
    pages that kill the worker process.
    """

    def __init__(self, pages: Mapping[str, bytes | Response], kills: frozenset[str] = frozenset()) -> None:
        self.pages = pages
        self.kills = kills
        self.requested: dict[str, frozenset[str]] = {}
        self.settings = Settings(
            {
                "COPYDESK_FEED_MAXSIZE": 100_000,
                "COPYDESK_SITEMAP_MAXSIZE": 100_000,
                "DOWNLOAD_MAXSIZE": 100_000,
            }
        )

    async def get(self, url: str, site: Site, hosts: frozenset[str], *, maxsize: int) -> Response:
        self.requested[url] = hosts
        found = self.pages.get(url)
        if found is None:
            raise NoPage("HTTP 404")
        media_type = "text/html" if url.startswith(STORIES) else "application/xml"
        response = (
            found
            if isinstance(found, Response)
            else Response(url, body=found, headers={"Content-Type": media_type}, request=Request(url))
        )
        if len(response.body) > maxsize:
            raise NoPage("too large")
        return response

    def robots_of(self, url: str) -> bytes:
        found = self.pages.get(urljoin(url, "/robots.txt"), b"")
        return found.body if isinstance(found, Response) else found

    async def judge(self, response: Response, site: Site, claims: Claims) -> Outcome:
        if response.url in self.kills:
            raise PoolBroken("the worker process was killed")
        found = document_or_rejection(response, publisher=site.name, claims=claims)
        return process_document(found, PipelineSettings()) if isinstance(found, Document) else found

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)
