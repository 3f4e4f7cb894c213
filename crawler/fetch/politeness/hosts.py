"""Keeps the delay of each host, backs off from hosts that fail, and suspends those that go on failing."""

from __future__ import annotations

import logging
from calendar import timegm
from collections.abc import Callable
from email.utils import parsedate_tz
from time import monotonic, time
from typing import Any

from scrapy import Request, signals
from scrapy.core.downloader import Slot
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached

from crawler.fetch.errors import PutOff
from crawler.fetch.request_meta import CONCURRENCY, DELAY, TIME_BUDGET

logger = logging.getLogger(__name__)

# Characters of a Retry-After header that are read; the seconds of a wait until an impossible date.
_MAX_RETRY_AFTER = 100
_FOREVER = 1e9


class Politeness:
    """Extension that sets the delay of each host's downloader slot, and suspends hosts for this crawl.

    A host is suspended when it fails too often in a row, when its Retry-After is too long to wait for, when
    its Crawl-delay exceeds the site's time budget, or when its robots.txt cannot be read
    (`RobotsMiddleware`). Queued requests to it end with PutOff.

    Settings: COPYDESK_BACKOFF_SECONDS, COPYDESK_BACKOFF_MAX_SECONDS, COPYDESK_HOST_FAILURES,
    RETRY_HTTP_CODES, and ROBOTSTXT_USER_AGENT or USER_AGENT (for Crawl-delay). The site's own delay and
    concurrency come with each request (`politeness_meta`).
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self.crawler = crawler
        self.backoff_seconds = settings.getfloat("COPYDESK_BACKOFF_SECONDS")
        self.max_backoff_seconds = settings.getfloat("COPYDESK_BACKOFF_MAX_SECONDS")
        self.max_failures = settings.getint("COPYDESK_HOST_FAILURES")
        self.failure_codes = frozenset(int(code) for code in settings.getlist("RETRY_HTTP_CODES"))
        self.crawl_delays: dict[str, float] = {}
        # Failures in a row, by host.
        self.failures: dict[str, int] = {}
        # The reason, by host.
        self.suspended: dict[str, str] = {}
        crawler.signals.connect(self._robots_parsed, signal=signals.robots_parsed)
        crawler.signals.connect(self._request_reached_downloader, signal=signals.request_reached_downloader)
        # Runs after AutoThrottle, which has set the delay that the host's latency suggests.
        crawler.signals.connect(self._response_downloaded, signal=signals.response_downloaded)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Politeness:
        return cls(crawler)

    def record_failure(self, host: str, retry_after: float | None) -> None:
        """Back off from a host that sent an error or no response, or suspend it.

        retry_after: seconds that the host asked for; None if it did not.
        """
        count = self.failures[host] = self.failures.get(host, 0) + 1
        if retry_after is not None and retry_after > self.max_backoff_seconds:
            self.suspend(host, f"asked for a pause of {retry_after:.0f} s (Retry-After)")
        elif count >= self.max_failures:
            self.suspend(host, f"failed {count} times in a row")
        else:
            backoff = retry_after if retry_after is not None else self.backoff_seconds * 2 ** (count - 1)
            self._pause(host, min(backoff, self.max_backoff_seconds))

    def suspend(self, host: str, why: str) -> None:
        """Make no more requests to the host in this crawl, and put off those that are queued for it."""
        if host in self.suspended:
            return
        self.suspended[host] = why
        self.crawler.stats.inc_value("politeness/hosts_rested")
        logger.warning("%s %s: no more requests to it in this crawl", host, why)
        self.put_off(f"{host} {why}", lambda request: request.meta.get("download_slot") == host)

    def raise_if_suspended(self, request: Request) -> None:
        """Raise PutOff for a request to a suspended host."""
        host = urlparse_cached(request).hostname or ""
        if host in self.suspended:
            raise PutOff(f"{host} {self.suspended[host]}")

    def put_off(self, why: str, is_affected: Callable[[Request], bool]) -> None:
        """End those requests with PutOff that wait in the downloader's slots for their turn."""
        ended = []
        for slot in self.crawler.engine.downloader.slots.values():
            ended += [deferred for request, deferred in slot.queue if is_affected(request)]
            left = [entry for entry in slot.queue if not is_affected(entry[0])]
            slot.queue.clear()
            slot.queue.extend(left)
        for deferred in ended:  # after all queues are changed: each errback makes the downloader read them
            deferred.errback(PutOff(why))

    def _pause(self, host: str, seconds: float) -> None:
        slot = self._slot(host)
        if slot is not None and seconds > 0:
            logger.info("%s: waiting %.1f s before the next request", host, seconds)
            # The downloader waits until lastseen + delay, but only if the slot has a delay.
            slot.lastseen = max(slot.lastseen, monotonic() + seconds)
            slot.delay = max(slot.delay, 0.001)

    def _slot(self, host: str) -> Slot | None:
        return self.crawler.engine.downloader.slots.get(host)

    def _robots_parsed(self, robotparser: Any, request: Request) -> None:
        settings = self.crawler.settings
        agent = settings["ROBOTSTXT_USER_AGENT"] or settings["USER_AGENT"]
        delay = robotparser.crawl_delay(agent)  # None if it is not a number
        host = urlparse_cached(request).hostname
        if delay and host:
            self.crawl_delays[host] = delay
            if delay > request.meta.get(TIME_BUDGET, self.max_backoff_seconds):
                self.suspend(host, f"asks for {delay:.0f} s between two requests (Crawl-delay)")

    def _request_reached_downloader(self, request: Request) -> None:
        host = request.meta["download_slot"]
        slot = self._slot(host)
        if slot is not None:
            if CONCURRENCY in request.meta:
                slot.concurrency = request.meta[CONCURRENCY]
            self._raise_delay(slot, host, request)

    def _response_downloaded(self, response: Response, request: Request) -> None:
        # A signal and not a middleware: the next request leaves before middlewares see this response.
        host = request.meta.get("download_slot", "")
        if response.status in self.failure_codes:
            self.record_failure(host, retry_after(response))
        else:
            self.failures.pop(host, None)
        slot = self._slot(host)
        if slot is not None:
            self._raise_delay(slot, host, request)

    def _raise_delay(self, slot: Slot, host: str, request: Request) -> None:
        slot.delay = max(slot.delay, request.meta.get(DELAY, 0.0), self.crawl_delays.get(host, 0.0))


def retry_after(response: Response) -> float | None:
    """Seconds that a Retry-After header asks for; None if it is missing, unreadable or a date in the past.

    It is a number or a date. Impossible values mean a wait, too: 31 February is 3 March, and the 32nd month
    or the year 99999 is `_FOREVER` away.
    """
    value = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()[:_MAX_RETRY_AFTER]
    if value.isascii() and value.isdigit():
        return min(float(value), _FOREVER)
    try:
        until = parsedate_tz(value)
        seconds = timegm(until[:9]) - (until[9] or 0) - time() if until is not None else 0.0
    except (ValueError, OverflowError):
        return _FOREVER
    return min(seconds, _FOREVER) if seconds > 0 else None
