"""How a crawl treats the hosts that it asks: how often, how many at a time, and when it leaves them alone.

Scrapy's AutoThrottle adapts the pace to a host's latency. Added here: the least delay of the site's
entry and of robots.txt (Crawl-delay), Retry-After, back-off of a whole host when it fails repeatedly, a
time budget a site, a robots.txt that cannot be read taken as a no (RFC 9309, 2.3.1.4), and a fair share of
the downloader for every host.

A request that was put off, rather than refused or failed, raises PutOff: nothing is known about its
page, and the next crawl asks for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request, signals
from scrapy.core.downloader import Slot
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.pqueues import DownloaderAwarePriorityQueue, DownloaderInterface
from scrapy.robotstxt import ProtegoRobotParser
from scrapy.utils.asyncio import CallLaterResult, call_later
from scrapy.utils.httpobj import urlparse_cached

from crawler.fetch.guard import RequestRefused, is_robots

logger = logging.getLogger(__name__)

# Request.meta keys. SITE: whose budget the request is charged to. TIME_BUDGET: seconds from the site's first
# request. DELAY, CONCURRENCY: least seconds between, and most at a time of, the requests to one host.
SITE = "copydesk_site"
TIME_BUDGET = "copydesk_time_budget"
DELAY = "copydesk_delay"
CONCURRENCY = "copydesk_concurrency"

# RFC 9309, 2.5: a crawler may stop reading here, and Protego takes a second a megabyte.
MAX_ROBOTS_BYTES = 512_000
# What is longer is parsed in a thread.
_LONG_ROBOTS_BYTES = 10_000
_NOTHING_ALLOWED = b"User-agent: *\nDisallow: /\n"


class PutOff(IgnoreRequest):
    """Raised for a request that this crawl does not make any more, though nothing speaks against it."""


class Politeness:
    """Extension that keeps each host's least delay and its failures, and rests hosts that fail."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self.crawler = crawler
        self.first_hold = settings.getfloat("COPYDESK_BACKOFF_SECONDS")
        self.longest_hold = settings.getfloat("COPYDESK_BACKOFF_MAX_SECONDS")
        self.failures_to_rest = settings.getint("COPYDESK_HOST_FAILURES")
        self.failure_codes = frozenset(int(code) for code in settings.getlist("RETRY_HTTP_CODES"))
        self.crawl_delay: dict[str, float] = {}
        self.failures: dict[str, int] = {}
        self.resting: dict[str, str] = {}
        crawler.signals.connect(self._robots_parsed, signal=signals.robots_parsed)
        crawler.signals.connect(self._reached_downloader, signal=signals.request_reached_downloader)
        # After AutoThrottle, which has lowered the delay to what the host's latency suggests.
        crawler.signals.connect(self._response_downloaded, signal=signals.response_downloaded)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Politeness:
        return cls(crawler)

    def failed(self, host: str, retry_after: float | None) -> None:
        """The host gave an error, or nothing: hold everything for it, or leave it alone for this crawl.

        retry_after: seconds, as the host asked for; None where it did not.
        """
        count = self.failures[host] = self.failures.get(host, 0) + 1
        hold = retry_after if retry_after is not None else self.first_hold * 2 ** (count - 1)
        if retry_after is not None and retry_after > self.longest_hold:
            self.rest(host, f"asked to be left alone for {retry_after:.0f} s")
        elif count >= self.failures_to_rest:
            self.rest(host, f"failed {count} times in a row")
        else:
            self._hold(host, min(hold, self.longest_hold))

    def rest(self, host: str, why: str) -> None:
        """Ask this host for nothing more in this crawl; what is queued for it is put off."""
        if host in self.resting:
            return
        self.resting[host] = why
        self.crawler.stats.inc_value("politeness/hosts_rested")
        logger.warning("%s %s: nothing more is asked of it in this crawl", host, why)
        self._put_off(f"{host} {why}", lambda request: request.meta.get("download_slot") == host)

    def require_awake(self, request: Request) -> None:
        """Raise PutOff for a request to a host that is left alone."""
        host = urlparse_cached(request).hostname or ""
        if host in self.resting:
            raise PutOff(f"{host} {self.resting[host]}")

    def time_is_up(self, site: str, budget: float) -> None:
        """Put off what still waits for its turn: a long delay must not keep the crawl any longer."""
        self._put_off(spent(site, budget), lambda request: request.meta.get(SITE) == site)

    def _put_off(self, why: str, is_meant: Callable[[Request], bool]) -> None:
        ended = []
        for slot in self.crawler.engine.downloader.slots.values():
            ended += [waiting for request, waiting in slot.queue if is_meant(request)]
            left = [entry for entry in slot.queue if not is_meant(entry[0])]
            slot.queue.clear()
            slot.queue.extend(left)
        for waiting in ended:  # only now: each of them makes the downloader look at its queues
            waiting.errback(PutOff(why))

    def _hold(self, host: str, seconds: float) -> None:
        slot = self._slot(host)
        if slot is not None and seconds > 0:
            logger.info("%s: waiting %.1f s before the next request", host, seconds)
            # The downloader waits until lastseen + delay, and only where there is a delay at all.
            slot.lastseen = max(slot.lastseen, monotonic() + seconds)
            slot.delay = max(slot.delay, 0.001)

    def _slot(self, host: str) -> Slot | None:
        return self.crawler.engine.downloader.slots.get(host)

    def _robots_parsed(self, robotparser: Any, request: Request) -> None:
        settings = self.crawler.settings
        agent = settings["ROBOTSTXT_USER_AGENT"] or settings["USER_AGENT"]
        delay = robotparser.crawl_delay(agent)  # None as well for what is no number
        host = urlparse_cached(request).hostname
        if delay and host:
            self.crawl_delay[host] = delay
            if delay > request.meta.get(TIME_BUDGET, self.longest_hold):
                self.rest(host, f"asks for {delay:.0f} s between two requests (Crawl-delay)")

    def _reached_downloader(self, request: Request) -> None:
        host = request.meta["download_slot"]
        slot = self._slot(host)
        if slot is not None:
            if CONCURRENCY in request.meta:
                slot.concurrency = request.meta[CONCURRENCY]
            self._keep_least_delay(slot, host, request)

    def _response_downloaded(self, response: Response, request: Request) -> None:
        # Here and not in a middleware, because the next request leaves before middlewares see this answer.
        host = request.meta.get("download_slot", "")
        if response.status in self.failure_codes:
            self.failed(host, retry_after(response))
        else:
            self.failures.pop(host, None)
        slot = self._slot(host)
        if slot is not None:
            self._keep_least_delay(slot, host, request)

    def _keep_least_delay(self, slot: Slot, host: str, request: Request) -> None:
        slot.delay = max(slot.delay, request.meta.get(DELAY, 0.0), self.crawl_delay.get(host, 0.0))


class BudgetMiddleware:
    """Downloader middleware: puts off requests to resting hosts, and those of sites whose time is up."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.started: dict[str, float] = {}
        self.ends: list[CallLaterResult] = []
        crawler.signals.connect(self._spider_closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> BudgetMiddleware:
        return cls(crawler)

    def _spider_closed(self) -> None:
        for end in self.ends:
            end.cancel()

    def process_request(self, request: Request) -> None:
        politeness = self.crawler.get_extension(Politeness)
        if politeness is not None:
            politeness.require_awake(request)
        site, budget = request.meta.get(SITE), request.meta.get(TIME_BUDGET)
        if site is None or budget is None:
            return
        if site not in self.started:
            self.started[site] = monotonic()
            if politeness is not None:
                self.ends.append(call_later(budget, politeness.time_is_up, site, budget))
        elif monotonic() - self.started[site] > budget:
            raise PutOff(spent(site, budget))


class PoliteRetryMiddleware(RetryMiddleware):
    """Scrapy's retries; the whole host is held back meanwhile (Retry-After, else twice as long each time)."""

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        politeness = self.crawler.get_extension(Politeness)
        if politeness is not None and request.meta.get("download_slot") in politeness.resting:
            return response
        return super().process_response(request, response)

    def process_exception(  # type: ignore[override]
        self, request: Request, exception: Exception
    ) -> Request | Response | None:
        politeness = self.crawler.get_extension(Politeness)
        host = str(request.meta.get("download_slot", ""))
        if politeness is not None and host and isinstance(exception, self.exceptions_to_retry):
            politeness.failed(host, None)
            if host in politeness.resting:
                return None
        return super().process_exception(request, exception)


class RobotsMiddleware:
    """Downloader middleware: what a robots.txt means that is not there, cannot be had, or is endless.

    prepared: what long ones say, by their bytes, until `RobotsTxt` takes it.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.prepared: dict[bytes, RobotsTxt] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsMiddleware:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        politeness = self.crawler.get_extension(Politeness)
        if politeness is not None:  # the robots.txt for which the request waited may have changed that
            politeness.require_awake(request)

    async def process_response(self, request: Request, response: Response) -> Response:
        if not is_robots(request):
            return response
        if response.status >= 500 or response.status == 429:
            return self._unreachable(request, f"HTTP {response.status}")
        if 400 <= response.status < 500:
            return response.replace(body=b"")
        body = response.body[:MAX_ROBOTS_BYTES]
        if len(body) > _LONG_ROBOTS_BYTES:
            self.prepared[body] = await asyncio.to_thread(RobotsTxt, body, self.crawler.spider)
        return response.replace(body=body)

    def process_exception(self, request: Request, exception: Exception) -> Response | None:
        if not is_robots(request):
            return None
        if isinstance(exception, RequestRefused) and request.meta.get("redirect_urls"):
            return self._unreachable(request, f"it redirects, and {exception}")
        if isinstance(exception, IgnoreRequest):
            return None
        return self._unreachable(request, type(exception).__name__)

    def _unreachable(self, request: Request, why: str) -> Response:
        politeness = self.crawler.get_extension(Politeness)
        if politeness is not None:
            asked = (request.meta.get("redirect_urls") or [request.url])[0]
            politeness.rest(urlsplit(asked).hostname or "", f"does not give its robots.txt ({why})")
        return Response(request.url, status=200, body=_NOTHING_ALLOWED, request=request)


class RobotsTxt(ProtegoRobotParser):
    """Scrapy's parser of robots.txt; a long one was parsed in a thread, beside all other hosts."""

    @classmethod
    def from_crawler(cls, crawler: Crawler, robotstxt_body: bytes) -> RobotsTxt:
        prepared = None
        if len(robotstxt_body) > _LONG_ROBOTS_BYTES:
            middleware = crawler.get_downloader_middleware(RobotsMiddleware)
            prepared = middleware.prepared.pop(robotstxt_body, None) if middleware is not None else None
        return prepared or super().from_crawler(crawler, robotstxt_body)


class _WithRoom(DownloaderInterface):
    """The hosts that may be sent another request, with how many each has under way.

    A request counts from the moment it is taken from the queue, while it waits for robots.txt or for the
    host's delay. The downloader's own limit counts transfers, and those only as their tasks begin to run:
    requests that come at the same moment all find the slot free.
    """

    def stats(self, possible_slots: Iterable[str]) -> list[tuple[int, str]]:
        underway = Counter(self.get_slot_key(request) for request in self.downloader.active)
        return [(underway[key], key) for key in possible_slots if underway[key] < self._limit(key)]

    def _limit(self, key: str) -> int:
        slot = self.downloader.slots.get(key)
        return int(slot.concurrency if slot is not None else self.downloader.domain_concurrency)


class FairPriorityQueue(DownloaderAwarePriorityQueue):
    """Takes the next request from the host with the least under way, and none from a host that has enough.

    Requests that wait for a slow host count against CONCURRENT_REQUESTS; without a limit, one site with
    a long feed fills the downloader, and the quick ones wait for it.
    """

    def __init__(self, crawler: Crawler, *arguments: Any, **keywords: Any) -> None:
        super().__init__(crawler, *arguments, **keywords)
        self._downloader_interface = _WithRoom(crawler)


def spent(site: str, budget: float) -> str:
    """Why a request is put off whose site has had its time."""
    return f"the time budget of site {site} ({budget:.0f} s) is spent"


def retry_after(response: Response) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or a date; None without one or for nonsense."""
    value = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def politeness_meta(site: str, delay: float, concurrency: int, time_budget: float) -> dict[str, Any]:
    """The Request.meta that puts a request under a site's rules."""
    return {SITE: site, DELAY: delay, CONCURRENCY: concurrency, TIME_BUDGET: time_budget}
