"""Restricts where a crawl may go: public addresses, http(s), and the hosts that a site lists.

A page decides where its redirects, sitemap entries and links lead. A crawler that follows them anywhere is a
way into the network it runs in. So the host is checked on every request, redirects included. The address is
checked when the connection is made, on the addresses that name resolution returned, so that a name cannot be
public when it is checked and private when it is used.
"""

from crawler.fetch.guard.allowed_hosts import GuardMiddleware
from crawler.fetch.guard.private_address import PrivateAddressMiddleware
from crawler.fetch.guard.proxies import proxy_hosts
from crawler.fetch.guard.refusal import LOOPBACK_SETTING
from crawler.fetch.guard.resolver import PublicResolver

__all__ = [
    "LOOPBACK_SETTING",
    "GuardMiddleware",
    "PrivateAddressMiddleware",
    "PublicResolver",
    "proxy_hosts",
]
