"""Refuses requests to hosts that a crawl may not connect to."""

from __future__ import annotations

import logging

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.utils.httpobj import urlparse_cached

from crawler.fetch.contact import anonymous_message, has_contact
from crawler.fetch.errors import RequestRefused
from crawler.fetch.guard.proxies import has_unused_proxies, proxy_hosts
from crawler.fetch.guard.refusal import LOOPBACK_SETTING, not_public_message
from crawler.fetch.guard.resolver import install_public_resolver
from crawler.fetch.request_meta import HOSTS, is_robots_request
from crawler.public_addresses import is_private_host
from crawler.sites import is_allowed_host, is_loopback_host

logger = logging.getLogger(__name__)


class GuardMiddleware:
    """Downloader middleware that raises RequestRefused for a request that must not be made.

    It refuses schemes other than http(s), hosts that are not in the request's `copydesk_hosts` (a robots.txt
    has the hosts of the pages it is for), private addresses, and every host but loopback while the user agent
    names no contact.

    Settings: COPYDESK_ALLOW_LOOPBACK, COPYDESK_CONTACT, USER_AGENT, HTTPPROXY_ENABLED.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self.crawler = crawler
        self.allow_loopback = settings.getbool(LOOPBACK_SETTING)
        self.has_contact = has_contact(settings)
        self.proxies = proxy_hosts(settings)
        # By host and port: the hosts that its pages, and so its robots.txt, may redirect to.
        self.hosts_of_pages: dict[str, frozenset[str]] = {}
        self.is_missing_contact_logged = False
        if has_unused_proxies(settings):
            logger.info("The proxies of the environment are not used; COPYDESK_USE_PROXY=1 uses them")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GuardMiddleware:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        install_public_resolver(self.crawler)
        why = self._reason_to_refuse(request)
        if why is not None:
            self.crawler.stats.inc_value("guard/refused_host")
            raise RequestRefused(why)

    def _reason_to_refuse(self, request: Request) -> str | None:
        parts = urlparse_cached(request)
        host = parts.hostname or ""
        hosts = self._allowed_hosts(request, parts.netloc)
        if parts.scheme not in ("http", "https"):
            return f"scheme {parts.scheme}: is not fetched"
        if hosts is not None and not is_allowed_host(request.url, hosts):
            return f"{host} is none of the site's hosts"
        # Checked here as well because, if a proxy connects, the resolver sees neither name nor address.
        if is_private_host(host, allow_loopback=self.allow_loopback) or host in self.proxies:
            return not_public_message(host)
        if not self.has_contact and not is_loopback_host(host):
            why = anonymous_message(host)
            if not self.is_missing_contact_logged:  # `scrapy shell` does not show why a request was refused
                self.is_missing_contact_logged = True
                logger.warning(why)
            return why
        return None

    def _allowed_hosts(self, request: Request, netloc: str) -> frozenset[str] | None:
        """The hosts that the request may go to; None where it has no such list."""
        if is_robots_request(request) and HOSTS not in request.meta and netloc in self.hosts_of_pages:
            # In the request's meta, so that the redirects of the robots.txt have the list as well.
            request.meta[HOSTS] = sorted(self.hosts_of_pages[netloc])
        if HOSTS not in request.meta:
            return None
        hosts = frozenset(request.meta[HOSTS])
        if self.hosts_of_pages.get(netloc) != hosts:
            self.hosts_of_pages[netloc] = hosts | self.hosts_of_pages.get(netloc, frozenset())
        return hosts
