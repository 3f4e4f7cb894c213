"""Derives a short key for a site from its host name, and decides which hosts belong together."""

from __future__ import annotations

import re
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit


def site_key(homepage: str) -> str:
    """Return a site's registered name without the ending, e.g. `gazette` for https://www.gazette.co.uk/."""
    parts = urlsplit(homepage)
    host = parts.hostname or ""
    name = None if _is_number(host) else _registered_name(host)
    port = f"-{parts.port}" if parts.port and name is None else ""
    return re.sub(r"[^a-z0-9-]+", "-", name or host).strip("-") + port


def are_related_hosts(host: str, other: str) -> bool:
    """True for hosts under one registered name, also with different endings (bbc.com, bbc.co.uk).

    Registered names are found with the public suffix list. An IP address is related to nothing.
    """
    if _is_number(host) or _is_number(other):
        return False
    name = _registered_name(host)
    return name is not None and name == _registered_name(other)


def registered_domain(host: str) -> str:
    """The name that an outlet registered, e.g. `gazette.co.uk`, or the last two labels; a number itself."""
    name = None if _is_number(host) else _registered_name(host)
    if name is None:
        return host
    suffix: str = _suffixes()(host, include_psl_private_domains=True).suffix
    return f"{name}.{suffix or host.rstrip('.').rpartition('.')[2]}"


@cache
def _suffixes() -> Any:
    # Uses the list that comes with the library; nothing is fetched.
    import tldextract

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def _registered_name(host: str) -> str | None:
    """The label before a host's public suffix; without a public suffix, the last label but one."""
    found = _suffixes()(host, include_psl_private_domains=True)
    if found.suffix:
        return found.domain or None
    labels = host.rstrip(".").split(".")
    return labels[-2] if len(labels) > 1 else None


def _is_number(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
