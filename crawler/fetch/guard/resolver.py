"""Resolves host names to public addresses only.

Settings: TWISTED_DNS_RESOLVER names the class; COPYDESK_ALLOW_LOOPBACK, DNSCACHE_ENABLED, DNSCACHE_SIZE and
HTTPPROXY_ENABLED steer it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from scrapy.crawler import Crawler
from scrapy.resolver import CachingHostnameResolver
from twisted.internet.interfaces import IAddress, IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer

from crawler.fetch.guard.proxies import proxy_hosts
from crawler.fetch.guard.refusal import LOOPBACK_SETTING
from crawler.public_addresses import is_public


class PublicResolver(CachingHostnameResolver):
    """Scrapy's caching resolver, which drops addresses that are not public.

    An address that is written in a URL passes name resolution as well, in whatever notation. The hosts of
    proxies are not checked. `refused` collects the hosts of which an address was dropped.
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
    """Passes on the public addresses of a resolution."""

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


def install_public_resolver(crawler: Crawler) -> None:
    """Install a PublicResolver on the reactor unless it has one.

    Needed where a program brings a reactor of its own, for which Scrapy does not read TWISTED_DNS_RESOLVER.
    """
    from twisted.internet import reactor as installed
    from twisted.internet._resolver import GAIResolver

    reactor: Any = installed
    if not isinstance(reactor.nameResolver, PublicResolver):
        resolver = PublicResolver.from_crawler(crawler, reactor)
        # Not the resolver that was installed: if it is Scrapy's, it keeps other things in the same cache.
        resolver.original_resolver = cast("IHostnameResolver", GAIResolver(reactor, reactor.getThreadPool))
        resolver.install_on_reactor()


def refused_hosts() -> set[str]:
    """Hosts of which the reactor's resolver has dropped an address."""
    from twisted.internet import reactor

    refused: set[str] = getattr(getattr(reactor, "nameResolver", None), "refused", set())
    return refused
