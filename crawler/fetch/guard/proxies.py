"""Proxies of the environment (HTTP_PROXY, HTTPS_PROXY), which are used only if a setting allows it."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies

from scrapy.settings import BaseSettings


def proxy_hosts(settings: BaseSettings) -> frozenset[str]:
    """Hosts of the proxies that the environment names; none unless HTTPPROXY_ENABLED.

    The operator chose them, so they may have private addresses. Which addresses a proxy connects to cannot be
    checked here.
    """
    if not settings.getbool("HTTPPROXY_ENABLED"):
        return frozenset()
    urls = (proxy if "//" in proxy else f"//{proxy}" for proxy in getproxies().values())
    return frozenset(urlsplit(url).hostname or "" for url in urls) - {""}


def has_unused_proxies(settings: BaseSettings) -> bool:
    """True where the environment names proxies and the settings do not allow them."""
    return bool(getproxies().keys() & {"http", "https"}) and not settings.getbool("HTTPPROXY_ENABLED")
