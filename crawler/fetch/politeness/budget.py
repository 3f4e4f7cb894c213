"""Limits the time that a crawl spends on each site: since its first request, and in workers."""

from __future__ import annotations

from time import monotonic

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.utils.asyncio import CallLaterResult, call_later

from crawler.fetch.errors import PutOff
from crawler.fetch.politeness.hosts import Politeness
from crawler.fetch.request_meta import SITE, TIME_BUDGET


class SiteAccount:
    """The time that a crawl has spent on a site, of `budget` seconds.

    What is fetched within the budget is still processed after it, since it waits for the pages of other sites
    as well. That ends when workers have spent as many seconds on the site, or, after the budget, when one of
    its pages or sources has hung or killed its worker. So a site keeps a crawl, beyond its budget, no longer
    than the pages take that workers have in hand. charge, is_spent: as in `crawler.runs.Account`.
    """

    def __init__(self, budget: float) -> None:
        self.budget = budget
        self.worker_seconds = 0.0
        self._started = monotonic()
        self._has_failed = False

    def charge(self, seconds: float, *, has_failed: bool) -> None:
        self.worker_seconds += seconds
        self._has_failed = self._has_failed or has_failed

    @property
    def is_over(self) -> bool:
        """True if no further request may be made."""
        return monotonic() - self._started > self.budget or self.worker_seconds >= self.budget

    @property
    def is_spent(self) -> bool:
        """True if no further page may be processed."""
        return self.worker_seconds >= self.budget or (self._has_failed and self.is_over)


class BudgetMiddleware:
    """Downloader middleware that raises PutOff for sites whose time is spent, and for suspended hosts.

    Settings: none of its own. The budget is the site's `politeness.time_budget` in the sites file, which
    comes with each request (`politeness_meta`); a request without one has no limit.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.accounts: dict[str, SiteAccount] = {}
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
        account = self.accounts.get(site)
        if account is None:
            self.accounts[site] = SiteAccount(budget)
            if politeness is not None:
                self.timers.append(call_later(budget, self._put_off_queued, politeness, site, budget))
        elif account.is_over:
            raise PutOff(_spent_message(site, budget))

    def _put_off_queued(self, politeness: Politeness, site: str, budget: float) -> None:
        """End requests that wait in the downloader: with a long delay they would keep the crawl waiting."""
        politeness.put_off(_spent_message(site, budget), lambda request: request.meta.get(SITE) == site)


def account_of(crawler: Crawler, site: str) -> SiteAccount | None:
    """The account of a site in a crawl; None where its requests have no budget."""
    middleware = crawler.get_downloader_middleware(BudgetMiddleware)
    return None if middleware is None else middleware.accounts.get(site)


def _spent_message(site: str, budget: float) -> str:
    return f"the time budget of site {site} ({budget:.0f} s) is spent"
