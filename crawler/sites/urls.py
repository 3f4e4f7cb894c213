"""Which of a site's URLs are worth a request. Pure; `pipeline.urls` says which URLs are one page."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from functools import lru_cache
from urllib.parse import urlsplit

from crawler.sites.records import Site

# Longer URLs are traps, or files smuggled into a query.
MAX_URL_LENGTH = 2000

# Names of files that are no article, whatever the server calls them.
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
    """True where a URL may be an article of the site, judged by the URL alone.

    The front page, media files, traps, other hosts, and what the site's own `skip_urls` match are not; where
    the site has `article_urls`, one of them must match.
    """
    if len(url) > MAX_URL_LENGTH or not is_allowed_host(url, site.hosts) or is_trap(url):
        return False
    parts = urlsplit(url)
    if _MEDIA.search(parts.path) or (parts.path in ("", "/") and not parts.query):
        return False
    if any(_compiled(p).search(url) for p in site.skip_urls):
        return False
    return not site.article_urls or any(_compiled(p).search(url) for p in site.article_urls)


def is_trap(url: str) -> bool:
    """True for a path that grows without end: very deep, or made of the same pieces again and again."""
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


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
