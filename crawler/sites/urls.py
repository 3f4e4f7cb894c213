"""Decides which of a site's URLs are worth a request. (`pipeline.urls` says which URLs are the same page.)"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from urllib.parse import urlsplit

from crawler.sites.site import Site
from crawler.sites.url_patterns import matches_url

# Longer URLs are crawler traps, or data in a query.
MAX_URL_LENGTH = 2000

# Files that are no article, whatever media type the server gives them.
_MEDIA = re.compile(
    r"\.(?:jpe?g|png|gif|webp|avif|svg|ico|bmp|tiff?|mp3|m4a|aac|ogg|wav|mp4|m4v|webm|mov|avi|mkv|m3u8"
    r"|pdf|docx?|xlsx?|pptx?|epub|zip|gz|tgz|bz2|xz|7z|rar|exe|dmg|apk|iso|css|js|json|xml|rss|atom|txt|csv|woff2?)$",
    re.IGNORECASE,
)


def is_allowed_host(url: str, hosts: frozenset[str]) -> bool:
    """True for an http(s) URL whose host is one of `hosts` or a subdomain of one."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not host:
        return False
    labels = host.removeprefix("www.").split(".")
    return any(".".join(labels[start:]) in hosts for start in range(len(labels)))


def is_article_url(url: str, site: Site) -> bool:
    """True if a URL may be an article of the site, judged by the URL alone.

    The front page, media files, traps, URLs on other hosts and matches of the site's `skip_urls` are none. If
    the site has `article_urls`, one of them must match.
    """
    if len(url) > MAX_URL_LENGTH or not is_allowed_host(url, site.hosts) or is_trap(url):
        return False
    parts = urlsplit(url)
    if _MEDIA.search(parts.path) or (parts.path in ("", "/") and not parts.query):
        return False
    if any(matches_url(pattern, url) for pattern in site.skip_urls):
        return False
    return not site.article_urls or any(matches_url(pattern, url) for pattern in site.article_urls)


def is_trap(url: str) -> bool:
    """True for the path of a crawler trap: very deep, or with a segment that is repeated."""
    segments = [segment for segment in urlsplit(url).path.split("/") if segment]
    return len(segments) > 12 or any(count > 2 for count in Counter(segments).values())


def is_loopback_host(host: str) -> bool:
    """True for `localhost` and for a literal loopback address; a name is not resolved."""
    bare = host.strip("[]").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False
