"""Where a crawl may go: public addresses, http(s), and the hosts that a site lists.

A page decides where its redirects, sitemap entries and links lead, so a crawler that follows them
anywhere is a way into the network it runs in. The host list is checked on every request, each
redirect included; the address is checked where the connection is made, on the very addresses that
name resolution returned, so that a name cannot be public when checked and private when used.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError, IgnoreRequest
from scrapy.resolver import CachingHostnameResolver
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.interfaces import IAddress, IHostResolution, IResolutionReceiver
from zope.interface import implementer

from crawler.urls import is_allowed_host

LOOPBACK_SETTING = "COPYDESK_ALLOW_LOOPBACK"

# Request.meta key: the hosts that this request, and whatever it is redirected to, may be on.
HOSTS = "copydesk_hosts"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Azure's platform channel answers on an address out of the public range.
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


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
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and ip not in _METADATA


def _carried(ip: Address) -> ipaddress.IPv4Address | None:
    if not isinstance(ip, ipaddress.IPv6Address):
        return None
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


class PublicResolver(CachingHostnameResolver):
    """Scrapy's caching resolver that gives public addresses only (setting TWISTED_DNS_RESOLVER).

    Literal addresses in URLs pass through name resolution as well, in whatever notation. The host
    of a proxy that the environment names is the operator's choice and may be private.
    """

    def __init__(self, reactor: Any, cache_size: int, allow_loopback: bool) -> None:
        super().__init__(reactor, cache_size)
        self.allow_loopback = allow_loopback
        self.proxies = frozenset(
            urlsplit(p if "//" in p else f"//{p}").hostname for p in getproxies().values()
        )
        self.refused: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: Any) -> PublicResolver:
        settings = crawler.settings
        cache_size = settings.getint("DNSCACHE_SIZE") if settings.getbool("DNSCACHE_ENABLED") else 0
        return cls(reactor, cache_size, settings.getbool(LOOPBACK_SETTING))

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
    """Downloader middleware: refuses other schemes than http(s), and hosts that the request may not be on."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.allow_loopback = crawler.settings.getbool(LOOPBACK_SETTING)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GuardMiddleware:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        parts = urlparse_cached(request)
        hosts = request.meta.get(HOSTS)
        if parts.scheme not in ("http", "https"):
            why = f"scheme {parts.scheme}: is not fetched"
        elif hosts is not None and not is_allowed_host(request.url, frozenset(hosts)):
            why = f"{parts.hostname} is none of the site's hosts"
        elif self._is_private_literal(parts.hostname or ""):
            why = _not_public(parts.hostname or "")
        else:
            return
        self.crawler.stats.inc_value("guard/refused_host")
        raise RequestRefused(why)

    def _is_private_literal(self, host: str) -> bool:
        """Needed where a proxy connects for us: there no name is resolved here, and no address seen."""
        try:
            ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return host == "localhost" and not self.allow_loopback
        return not is_public(host, allow_loopback=self.allow_loopback)


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


def _not_public(host: str) -> str:
    return f"{host} is not on the public internet ({LOOPBACK_SETTING} allows loopback)"


def hosts_meta(hosts: frozenset[str]) -> dict[str, Any]:
    """The Request.meta that holds a request to those hosts."""
    return {HOSTS: sorted(hosts)}
