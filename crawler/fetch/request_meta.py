"""The keys of Request.meta that are Copydesk's own, and what can be read from them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import Response

# The site whose time budget the request is charged to: its key in the sites file.
SITE = "copydesk_site"
# Seconds for all requests to the site, counted from the first of them.
TIME_BUDGET = "copydesk_time_budget"
# Least seconds between two requests to the host.
DELAY = "copydesk_delay"
# Most requests to the host at a time.
CONCURRENCY = "copydesk_concurrency"
# The hosts that the request, and every redirect of it, may go to.
HOSTS = "copydesk_hosts"
# The process that made the request (a request in a JOBDIR may come from an earlier one).
SESSION = "copydesk_session"
# True where the request is for a tdmrep.json, which no spider asked for.
TDMREP = "copydesk_tdmrep"
# True where the request is for an article that is not stored yet.
ARTICLE = "copydesk_article"


def politeness_meta(site: str, delay: float, concurrency: int, time_budget: float) -> dict[str, Any]:
    """The Request.meta that applies a site's politeness to a request."""
    return {SITE: site, DELAY: delay, CONCURRENCY: concurrency, TIME_BUDGET: time_budget}


def hosts_meta(hosts: frozenset[str]) -> dict[str, Any]:
    """The Request.meta that restricts a request to those hosts."""
    return {HOSTS: sorted(hosts)}


def requested_url(message: Request | Response) -> str:
    """The URL that was requested at first, before any redirect."""
    return str((message.meta.get("redirect_urls") or [message.url])[0])


def is_robots_request(request: Request) -> bool:
    """True for a request for a robots.txt that Scrapy makes in order to obey it."""
    return bool(request.meta.get("dont_obey_robotstxt")) and urlsplit(requested_url(request)).path == (
        "/robots.txt"
    )
