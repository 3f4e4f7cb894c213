"""Limits the time that a crawl spends on each site."""

from __future__ import annotations

from time import monotonic

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.utils.asyncio import CallLaterResult, call_later

from crawler.fetch.errors import PutOff
from crawler.fetch.politeness.hosts import Politeness
from crawler.fetch.request_meta import SITE, TIME_BUDGET


class BudgetMiddleware:
    """Downloader middleware that raises PutOff for sites whose time is spent, and for suspended hosts.

    Settings: none of its own. The budget is the site's `politeness.time_budget` in the sites file, which
    comes with each request (`politeness_meta`); a request without one has no limit.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.started: dict[str, float] = {}
        self.timers: list[CallLaterResult] = []
        crawler.signals.connect(self._spider_closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> BudgetMiddleware:
        return cls(crawler)

    def _spider_closed(self) -> None:
        for timer in self.timers:
            timer.cancel()

    def process_request(self, request: Request) -> None:
        politeness = self.crawler.get_extension(Politeness)
        if politeness is not None:
            politeness.raise_if_suspended(request)
        site, budget = request.meta.get(SITE), request.meta.get(TIME_BUDGET)
        if site is None or budget is None:
            return
        if site not in self.started:
            self.started[site] = monotonic()
            if politeness is not None:
                self.timers.append(call_later(budget, self._put_off_queued, politeness, site, budget))
        elif monotonic() - self.started[site] > budget:
            raise PutOff(_spent_message(site, budget))

    def _put_off_queued(self, politeness: Politeness, site: str, budget: float) -> None:
        """End requests that wait in the downloader: with a long delay they would keep the crawl waiting."""
        politeness.put_off(_spent_message(site, budget), lambda request: request.meta.get(SITE) == site)


def _spent_message(site: str, budget: float) -> str:
    return f"the time budget of site {site} ({budget:.0f} s) is spent"
