"""Where a crawl may go: public addresses, http(s), and the hosts that a site lists.

A page decides where its redirects, sitemap entries and links lead, so a crawler that follows them
anywhere is a way into the network it runs in. The host list is checked on every request, each
redirect included; the address is checked where the connection is made, on the very addresses that
name resolution returned, so that a name cannot be public when checked and private when used.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError, IgnoreRequest
from scrapy.resolver import CachingHostnameResolver
from scrapy.settings import BaseSettings
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.interfaces import IAddress, IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer

from crawler.fetch.contact import anonymous, has_contact
from crawler.sites import is_allowed_host, is_loopback_host

logger = logging.getLogger(__name__)

LOOPBACK_SETTING = "COPYDESK_ALLOW_LOOPBACK"

# Request.meta key: the hosts that this request, and whatever it is redirected to, may be on.
HOSTS = "copydesk_hosts"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Azure's platform channel answers on an address out of the public range.
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# What `is_global` of some Python leaves out of the IANA special-purpose registries: protocol assignments
# (metadata of one cloud among them), 6to4 relays, documentation, and what was site-local once.
_SPECIAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20", "fec0::/10")))


class RequestRefused(IgnoreRequest):
    """Raised for a request that the rules of this module forbid; the spider's errback receives it."""


def is_public(address: str, *, allow_loopback: bool = False) -> bool:
    """True for an IP address on the public internet; private, link-local, loopback, multicast, ... are not.

    IPv6 addresses that carry an IPv4 one (mapped, 6to4, Teredo, NAT64) are judged by the one carried.
    """
    try:
        ip: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    carried = _carried(ip)
    if carried is not None:
        ip = carried
    if ip.is_loopback:
        return allow_loopback
    is_special = ip in _METADATA or any(ip in network for network in _SPECIAL)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not is_special


def _carried(ip: Address) -> ipaddress.IPv4Address | None:
    if not isinstance(ip, ipaddress.IPv6Address):
        return None
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


def proxy_hosts(settings: BaseSettings) -> frozenset[str]:
    """Hosts of the proxies that the environment names; none where they are not used (HTTPPROXY_ENABLED).

    Each is the operator's choice and may be private; what the proxy itself connects to nobody sees here.
    """
    if not settings.getbool("HTTPPROXY_ENABLED"):
        return frozenset()
    urls = (proxy if "//" in proxy else f"//{proxy}" for proxy in getproxies().values())
    return frozenset(urlsplit(url).hostname or "" for url in urls) - {""}


class PublicResolver(CachingHostnameResolver):
    """Scrapy's caching resolver that gives public addresses only (setting TWISTED_DNS_RESOLVER).

    Literal addresses in URLs pass through name resolution as well, in whatever notation; those of the
    environment's proxies are not looked at.
    """

    def __init__(
        self, reactor: Any, cache_size: int, allow_loopback: bool, proxies: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(reactor, cache_size)
        self.allow_loopback = allow_loopback
        self.proxies = proxies
        self.refused: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: Any) -> PublicResolver:
        settings = crawler.settings
        cache_size = settings.getint("DNSCACHE_SIZE") if settings.getbool("DNSCACHE_ENABLED") else 0
        return cls(reactor, cache_size, settings.getbool(LOOPBACK_SETTING), proxy_hosts(settings))

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        receiver: Any = resolutionReceiver
        if hostName not in self.proxies:
            receiver = _PublicOnly(resolutionReceiver, hostName, self)
        return super().resolveHostName(receiver, hostName, portNumber, addressTypes, transportSemantics)


@implementer(IResolutionReceiver)
class _PublicOnly:
    """Hands on the public ones of the addresses that a resolution finds."""

    def __init__(self, receiver: Any, host: str, resolver: PublicResolver) -> None:
        self.receiver = receiver
        self.host = host
        self.resolver = resolver

    def resolutionBegan(self, resolution: IHostResolution) -> None:
        self.receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:
        if is_public(address.host, allow_loopback=self.resolver.allow_loopback):
            self.receiver.addressResolved(address)
        else:
            self.resolver.refused.add(self.host)

    def resolutionComplete(self) -> None:
        self.receiver.resolutionComplete()


class GuardMiddleware:
    """Downloader middleware: refuses other schemes than http(s), hosts that the request may not be on, and
    any host but loopback where the user agent names no contact.

    The robots.txt of a host may be on no other hosts than the pages for whose sake it is asked for.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self.crawler = crawler
        self.allow_loopback = settings.getbool(LOOPBACK_SETTING)
        self.has_contact = has_contact(settings)
        self.proxies = proxy_hosts(settings)
        self.hosts_of_pages: dict[str, frozenset[str]] = {}
        self.is_refusal_told = False
        if getproxies().keys() & {"http", "https"} and not settings.getbool("HTTPPROXY_ENABLED"):
            logger.info("The proxies of the environment are not used; COPYDESK_USE_PROXY=1 uses them")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GuardMiddleware:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        _resolve_publicly(self.crawler)
        parts = urlparse_cached(request)
        host = parts.hostname or ""
        hosts = self._hosts(request, parts.netloc)
        if parts.scheme not in ("http", "https"):
            why = f"scheme {parts.scheme}: is not fetched"
        elif hosts is not None and not is_allowed_host(request.url, hosts):
            why = f"{host} is none of the site's hosts"
        elif self._is_private_literal(host) or host in self.proxies:
            why = _not_public(host)
        elif not self.has_contact and not is_loopback_host(host):
            why = anonymous(host)
            if not self.is_refusal_told:  # the shell says nothing of a request that was refused
                self.is_refusal_told = True
                logger.warning(why)
        else:
            return
        self.crawler.stats.inc_value("guard/refused_host")
        raise RequestRefused(why)

    def _hosts(self, request: Request, netloc: str) -> frozenset[str] | None:
        if is_robots(request) and HOSTS not in request.meta and netloc in self.hosts_of_pages:
            # Stays with the request when it is redirected.
            request.meta[HOSTS] = sorted(self.hosts_of_pages[netloc])
        if HOSTS not in request.meta:
            return None
        hosts = frozenset(request.meta[HOSTS])
        if self.hosts_of_pages.get(netloc) != hosts:
            self.hosts_of_pages[netloc] = hosts | self.hosts_of_pages.get(netloc, frozenset())
        return hosts

    def _is_private_literal(self, host: str) -> bool:
        """Needed where a proxy connects for us: there no name is resolved here, and no address seen."""
        bare = host.partition("%")[0].rstrip(".")
        try:
            ipaddress.ip_address(bare)
        except ValueError:
            try:
                bare = socket.inet_ntoa(socket.inet_aton(bare))  # 2130706433, 0x7f.1 and the like
            except OSError:
                return is_loopback_host(bare) and not self.allow_loopback
        return not is_public(bare, allow_loopback=self.allow_loopback)


class PrivateAddressMiddleware:
    """Downloader middleware, nearer to the network than retries: names the host whose address was refused."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PrivateAddressMiddleware:
        return cls(crawler)

    def process_exception(self, request: Request, exception: Exception) -> None:
        from twisted.internet import reactor

        host = urlparse_cached(request).hostname
        refused = getattr(getattr(reactor, "nameResolver", None), "refused", ())
        if isinstance(exception, CannotResolveHostError) and host in refused:
            self.crawler.stats.inc_value("guard/refused_address")
            raise RequestRefused(_not_public(host or ""))


def _resolve_publicly(crawler: Crawler) -> None:
    """Put the resolver in place where the process has another: a program that brings its own reactor, say."""
    from twisted.internet import reactor as installed
    from twisted.internet._resolver import GAIResolver

    reactor: Any = installed
    if not isinstance(reactor.nameResolver, PublicResolver):
        resolver = PublicResolver.from_crawler(crawler, reactor)
        # Not what was there: Scrapy's own resolver keeps other things in the same cache.
        resolver.original_resolver = cast("IHostnameResolver", GAIResolver(reactor, reactor.getThreadPool))
        resolver.install_on_reactor()


def _not_public(host: str) -> str:
    return f"{host} is not on the public internet ({LOOPBACK_SETTING} allows loopback)"


def is_robots(request: Request) -> bool:
    """True for a request that asks for a robots.txt in order to obey it."""
    asked = (request.meta.get("redirect_urls") or [request.url])[0]
    return bool(request.meta.get("dont_obey_robotstxt")) and urlsplit(asked).path == "/robots.txt"


def hosts_meta(hosts: frozenset[str]) -> dict[str, Any]:
    """The Request.meta that holds a request to those hosts."""
    return {HOSTS: sorted(hosts)}
