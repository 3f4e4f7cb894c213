"""Limits how often a crawl requests pages from a host, how many at a time, and when it stops.

Scrapy's AutoThrottle adapts the delay to a host's latency. The components here add the least delay that the
site's entry and its robots.txt (Crawl-delay) ask for, Retry-After, back-off of a host that fails repeatedly,
a time budget for each site, what a missing robots.txt means (RFC 9309), and a fair share of the downloader
for each host.
"""

from crawler.fetch.politeness.budget import BudgetMiddleware, SiteAccount, account_of
from crawler.fetch.politeness.fair_queue import FairPriorityQueue
from crawler.fetch.politeness.hosts import Politeness
from crawler.fetch.politeness.retry import PoliteRetryMiddleware
from crawler.fetch.politeness.robots import RobotsMiddleware, RobotsTxt

__all__ = [
    "BudgetMiddleware",
    "FairPriorityQueue",
    "PoliteRetryMiddleware",
    "Politeness",
    "RobotsMiddleware",
    "RobotsTxt",
    "SiteAccount",
    "account_of",
]
