"""Fetches single pages outside of a crawl, for `copydesk sites add` and `sites check`.

Everything that applies to a crawl's requests applies here: robots.txt, delays, user agent, size limits, and
the guard against private addresses and hosts that are not the site's. What is in quarantine is not requested
either. Nothing is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from types import SimpleNamespace
from typing import Any, TypeVar
from urllib.parse import urldefrag, urlsplit

import scrapy
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.fetch import (
    Politeness,
    SiteRights,
    hosts_meta,
    is_robots_request,
    politeness_meta,
    requested_url,
    require_contact,
)
from crawler.fetched import document_or_rejection, failure_to_rejection
from crawler.probing.crawling import crawl_to_end, require_finished, settings_without_database
from crawler.sites import Site, site_rulebook
from crawler.workers import PoolBroken, TaskFailed, WorkerPool
from pipeline.document import Claims, Document, Outcome
from pipeline.settings import Settings as PipelineSettings
from pipeline.sites import SiteRulebook

S = TypeVar("S")
T = TypeVar("T")
Work = Callable[["Client"], Awaitable[None]]

# Sites that are looked at at the same time; each gets one request at a time.
SITES_AT_A_TIME = 16


class NoPage(Exception):
    """A page could not be fetched or read; the message is one line that says why.

    status: of the answer, if it was the reason. Raised by `Client`, caught by the checks and the search.
    """

    def __init__(self, why: str, status: int | None = None) -> None:
        super().__init__(why)
        self.status = status


class Client:
    """Fetches pages, and takes them through the pipeline in a worker process.

    held: URLs in quarantine, each with the reason.
    """

    def __init__(self, crawler: Crawler, rules: SiteRulebook, held: Mapping[str, str] | None = None) -> None:
        self.settings = crawler.settings
        self._rules = rules
        self._held = held or {}
        self._crawler = crawler
        self._pool: WorkerPool | None = None
        self._starting = asyncio.Lock()
        # By scheme and host, as robots.txt holds for them.
        self._robots: dict[tuple[str, str], bytes] = {}
        crawler.signals.connect(self._keep_robots, signal=signals.response_received)

    async def get(self, url: str, site: Site, hosts: frozenset[str], *, maxsize: int) -> Response:
        """Return the page at a URL, after redirects, all of which must be on those hosts.

        site: whose politeness holds. maxsize: in bytes. Raises NoPage, also for a status other than 2xx, and
        for a URL in quarantine, which is not requested.
        """
        limits = site.politeness
        request = Request(
            url,
            meta={
                **hosts_meta(hosts),
                **politeness_meta(site.key, limits.delay, limits.concurrent_requests, limits.time_budget),
                "download_maxsize": maxsize,
                # A robots.txt allows itself to be read (RFC 9309, 2.2.2).
                "dont_obey_robotstxt": is_robots_url(url),
            },
        )
        if why := self._held.get(urldefrag(request.url).url):
            raise NoPage(f"in quarantine: {why}")
        try:
            response: Response = await self._crawler.engine.download_async(request)
        except Exception as error:
            raise NoPage(self._why(error, request)) from error
        if not 200 <= response.status < 300:
            raise NoPage(f"HTTP {response.status}", response.status)
        if is_robots_url(url) and (why := self._suspension(url)):
            raise NoPage(why)  # the response is none of the host's: RobotsMiddleware made it
        return response

    def _why(self, error: Exception, request: Request) -> str:
        """Why there is no response. A suspended host (no robots.txt, for example) does not work."""
        if isinstance(error, IgnoreRequest) and (why := self._suspension(request.url)):
            return why
        return failure_to_rejection(SimpleNamespace(value=error, request=request)).detail

    def robots_of(self, url: str) -> bytes:
        """The robots.txt that was read before the URL was requested; empty if there is none."""
        return self._robots.get(urlsplit(url)[:2], b"")

    def _keep_robots(self, response: Response, request: Request) -> None:
        if is_robots_request(request):
            self._robots[urlsplit(requested_url(request))[:2]] = response.body

    def _suspension(self, url: str) -> str | None:
        """Why the host of a URL is suspended; None if it is not."""
        politeness = self._crawler.get_extension(Politeness)
        host = urlsplit(url).hostname or ""
        if politeness is None or host not in politeness.suspended:
            return None
        return f"{host} {politeness.suspended[host]}"

    async def judge(self, response: Response, site: Site, claims: Claims) -> Outcome:
        """Take an article's page through the pipeline, in a worker process; returns its outcome."""
        found = document_or_rejection(response, publisher=site.name, claims=claims)
        if not isinstance(found, Document):
            return found
        rights = self._crawler.get_spider_middleware(SiteRights)
        if rights is not None:
            found = await rights.with_site_rights(found, response)
        return await asyncio.wrap_future((await self._workers()).submit(found))

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function that reads fetched bytes, in a worker process.

        Raises what the function raises, and NoPage if the bytes killed or blocked the process.
        """
        try:
            return await asyncio.wrap_future((await self._workers()).run(function, *arguments))
        except (TaskFailed, PoolBroken) as error:
            raise NoPage(f"cannot be read: {error}") from error

    async def _workers(self) -> WorkerPool:
        async with self._starting:
            if self._pool is None:
                pool = WorkerPool(PipelineSettings(site_rules=self._rules), 1)
                self._pool = await asyncio.to_thread(pool.__enter__)
            return self._pool

    async def close(self) -> None:
        """End the worker process, if there is one."""
        if self._pool is not None:
            self._pool.kill()
            await asyncio.to_thread(self._pool.__exit__, None, None, None)


class ProbeSpider(scrapy.Spider):
    """Runs one function. It is not a spider of the project, because the caller passes the function."""

    name = "probe"

    def __init__(
        self, work: Work, rules: SiteRulebook, held: Mapping[str, str] | None = None, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self.work = work
        self.rules = rules
        self.held = held
        self.error: Exception | None = None

    async def start(self) -> AsyncIterator[Any]:
        client = Client(self.crawler, self.rules, self.held)
        try:
            await self.work(client)
        except Exception as error:
            self.error = error
        finally:
            await client.close()
        if False:
            yield  # there is nothing to crawl, but it must be a generator


def probe(
    work: Work,
    sites: Collection[Site],
    *,
    held: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Run the work to its end, in a crawl without a database; only once in a process, like every crawl.

    sites: those that are requested; their rules apply to their pages. held: URLs in quarantine, which are not
    requested, each with the reason. settings: override crawler.settings.
    Raises what the work raises, OperatorError for a missing contact address, and KeyboardInterrupt if a
    signal ended it.
    """
    project = settings_without_database(settings)
    require_contact(project, sites)
    crawler = crawl_to_end(project, ProbeSpider, work=work, rules=site_rulebook(sites), held=held)
    assert isinstance(crawler.spider, ProbeSpider)
    if crawler.spider.error is not None:
        raise crawler.spider.error
    require_finished(crawler)


async def some_at_a_time(items: Iterable[S], work: Callable[[S], Awaitable[None]]) -> None:
    """Do the work on all items, on SITES_AT_A_TIME of them at the same time. Raises what it raises."""
    waiting = iter(items)

    async def one_after_another() -> None:
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(SITES_AT_A_TIME):
            group.create_task(one_after_another())


def is_robots_url(url: str) -> bool:
    """True for the address of a host's robots.txt."""
    return url.partition("://")[2].partition("/")[2] == "robots.txt"
