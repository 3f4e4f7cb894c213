"""Asks for single pages outside of a crawl, through everything that a crawl's requests go through.

`copydesk sites add` and `sites check` look at sites with it: robots.txt, delays, user agent, size limits, and
the guard against foreign hosts and private addresses hold as in a crawl. Nothing is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from types import SimpleNamespace
from typing import Any, TypeVar
from urllib.parse import urlsplit

import scrapy
from scrapy import Request
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.settings import Settings

from crawler import settings as own
from crawler.fetch import Politeness, hosts_meta, politeness_meta, require_contact
from crawler.fetched import document_or_rejection, failure_to_rejection
from crawler.runs import PoolBroken, TaskFailed, WorkerPool
from crawler.sites import Site, site_rulebook
from pipeline.document import Claims, Document, Outcome
from pipeline.settings import Settings as PipelineSettings
from pipeline.sites import SiteRulebook

T = TypeVar("T")
Work = Callable[["Asker"], Awaitable[None]]

_POLITENESS = "crawler.fetch.politeness.Politeness"


class NoAnswer(Exception):
    """Raised where a request brings no page, or reading it does not end well; the message is one line that
    says why.

    Caught by what asked for the page.
    """


class Asker:
    """What a piece of work asks with: pages of the web, and the pipeline's judgement on them."""

    def __init__(self, crawler: Crawler, rules: SiteRulebook) -> None:
        self.settings = crawler.settings
        self._rules = rules
        self._crawler = crawler
        self._pool: WorkerPool | None = None
        self._starting = asyncio.Lock()

    async def get(self, url: str, site: Site, hosts: frozenset[str], *, maxsize: int) -> Response:
        """Return the page at a URL, after redirects, all of which must be on those hosts.

        site: whose manners hold. maxsize: in bytes. Raises NoAnswer, for every status that is no success too.
        """
        manners = site.politeness
        request = Request(
            url,
            meta={
                **hosts_meta(hosts),
                **politeness_meta(site.key, manners.delay, manners.concurrent_requests, manners.time_budget),
                "download_maxsize": maxsize,
                # A robots.txt allows itself to be read (RFC 9309, 2.2.2).
                "dont_obey_robotstxt": is_robots_url(url),
            },
        )
        try:
            response: Response = await self._crawler.engine.download_async(request)
        except Exception as error:
            raise NoAnswer(self._why(error, request)) from error
        if not 200 <= response.status < 300:
            raise NoAnswer(f"HTTP {response.status}")
        return response

    def _why(self, error: Exception, request: Request) -> str:
        """Why there is no response; a host that gives no robots.txt forbids nothing, it does not work."""
        politeness = self._crawler.get_extension(Politeness)
        host = urlsplit(request.url).hostname or ""
        if isinstance(error, IgnoreRequest) and politeness is not None and host in politeness.suspended:
            return f"{host} {politeness.suspended[host]}"
        return failure_to_rejection(SimpleNamespace(value=error, request=request)).detail

    async def judge(self, response: Response, site: Site, claims: Claims) -> Outcome:
        """Return what the pipeline makes of an article's page, in a process that a page may kill."""
        found = document_or_rejection(response, publisher=site.name, claims=claims)
        if not isinstance(found, Document):
            return found
        return await asyncio.wrap_future((await self._workers()).submit(found))

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function that reads a stranger's bytes, in a process that they may kill.

        Raises what the function raises, and NoAnswer where it did not return.
        """
        try:
            return await asyncio.wrap_future((await self._workers()).run(function, *arguments))
        except (TaskFailed, PoolBroken) as error:
            raise NoAnswer(f"cannot be read: {error}") from error

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
    """Does one piece of work; no spider of a project, as it needs to be given that."""

    name = "probe"

    def __init__(self, work: Work, rules: SiteRulebook, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.work = work
        self.rules = rules
        self.error: Exception | None = None

    async def start(self) -> AsyncIterator[Any]:
        asker = Asker(self.crawler, self.rules)
        try:
            await self.work(asker)
        except Exception as error:
            self.error = error
        finally:
            await asker.close()
        if False:
            yield  # there is nothing to crawl, but it must be a generator


def probe(work: Work, sites: Collection[Site], *, settings: Mapping[str, Any] | None = None) -> None:
    """Run the work to its end, in a crawl without a database; once a process, as every crawl.

    sites: whose hosts are asked, and whose rules hold for their pages. settings: override crawler.settings.
    Raises what the work raises, OperatorError for a missing contact address, and KeyboardInterrupt where a
    signal ended it.
    """
    project = Settings()
    project.setmodule("crawler.settings", priority="project")
    project.update(
        {
            "ITEM_PIPELINES": dict.fromkeys(own.ITEM_PIPELINES),
            "EXTENSIONS": {**dict.fromkeys(own.EXTENSIONS), _POLITENESS: own.EXTENSIONS[_POLITENESS]},
            "RETRY_TIMES": 1,
            "LOG_LEVEL": "ERROR",
            "LOG_VERSIONS": [],
            "STATS_DUMP": False,
            **(settings or {}),
        },
        priority="cmdline",
    )
    require_contact(project, sites)
    process = AsyncCrawlerProcess(project)
    crawler = process.create_crawler(ProbeSpider)
    task = process.crawl(crawler, work=work, rules=site_rulebook(sites))
    process.start()
    if not task.done():
        raise KeyboardInterrupt  # a second Ctrl-C: stopped without waiting for anything
    task.result()
    assert isinstance(crawler.spider, ProbeSpider)
    if crawler.spider.error is not None:
        raise crawler.spider.error
    if crawler.stats.get_value("finish_reason") != "finished":
        raise KeyboardInterrupt


def is_robots_url(url: str) -> bool:
    """True for the address of a host's robots.txt."""
    return url.partition("://")[2].partition("/")[2] == "robots.txt"
