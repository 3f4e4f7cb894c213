"""Which addresses may be the same page, for takedowns: a lookup that must not miss any.

An identity (`pipeline.urls`) must not take two pages for one. This is the other way round: it may match too
much, and is used only for what must not be stored again.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote_to_bytes, urlsplit

from pipeline.urls import bare_host, canonical_url, site_of, web_url

# Characters without width: what is pasted into a link has them at its end.
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))

# How often a URL is decoded: feeds and redirects encode what is encoded already.
_ROUNDS = 4

# Caches and viewers of AMP pages name the page in their path, without its scheme (`s` stands for https), and
# archives of the web name its URL. Hosts, and what stands before the page's address in the path.
_AMP_PATH = re.compile(r"/(?:[a-z]{1,3}/)?(?:s/)?(?=[^/]+\.[^/]+)")
_VIEWER_PATH = re.compile(r"/amp/(?:s/)?(?=[^/]+\.[^/]+)")
_ARCHIVE_PATH = re.compile(r"/(?:[\w*]{1,40}/){0,2}(?=https?:/|www\.)", re.IGNORECASE)
_AMP_HOSTS = re.compile(r"(?:[^/]{1,253}\.)?(?:cdn\.ampproject\.org|ampproject\.net|bing-amp\.com)")
_VIEWER_HOSTS = re.compile(r"(?:www\.)?google\.[a-z.]{2,6}")
_ARCHIVE_HOSTS = re.compile(r"web\.archive\.org|archive\.(?:today|ph|is|li|md|vn|fo)")
_SHOWN_BY = ((_AMP_HOSTS, _AMP_PATH), (_VIEWER_HOSTS, _VIEWER_PATH), (_ARCHIVE_HOSTS, _ARCHIVE_PATH))


def address_key(url: str) -> str:
    """Return a key that all possible addresses of one page share.

    Unlike the canonical form, the key is the same for http and https, for every port, for the www., m. and
    amp. twins of a host, for caches of AMP pages and archives, for a path with and without a trailing slash
    or repeated ones, and for whatever is percent-encoded or not (`%2F`). Letters of the path keep their case,
    and only known trackers are left out. For text that is not an http(s) URL it is `canonical_url`.
    """
    shown = shown_page(url)
    parts = urlsplit(shown) if site_of(shown) else None
    if parts is None or not parts.hostname:
        return shown
    path, _, more = _decoded(parts.path).partition("?")
    query = "&".join(filter(None, (more, parts.query)))
    if more:  # an encoded query may begin with a tracker
        query = urlsplit(canonical_url(f"https://a.example/?{query}")).query
    pairs = [_decoded(pair.replace("+", " ")) for pair in query.split("&") if pair]
    pairs.sort(key=lambda pair: pair.partition("=")[0])
    names = [name for name in path.split("/") if name.strip() not in ("", ".")]
    kept: list[str] = []
    for name in names:
        kept[len(kept) - (name == "..") :] = [] if name == ".." else [name.strip()]
    return "/".join([bare_host(parts.hostname), *kept]) + ("?" if pairs else "") + "&".join(pairs)


def shown_page(url: str) -> str:
    """Return the canonical URL of the page that a cache or an archive shows; of any other URL its own."""
    canonical = canonical_url(web_url(url) or url)
    for _ in range(_ROUNDS):
        site = site_of(canonical)
        for hosts, before in _SHOWN_BY:
            if hosts.fullmatch(site):
                parts = urlsplit(canonical)
                start = before.match(parts.path)
                named = parts.path[start.end() :] if start else ""
                shown = web_url(named if named.startswith("http") else f"https://{named}")
                if shown:
                    query = f"?{parts.query}" if parts.query else ""
                    canonical = canonical_url(shown + query)
                    break
        else:
            break
    return canonical


def sites_of(url: str) -> list[str]:
    """Return the sites that a URL is under: its host's, that of the page it shows, and those above them."""
    found: dict[str, None] = {}
    for site in (site_of(url), site_of(shown_page(url))):
        found.update(dict.fromkeys(sites_above(site)))
    return list(found)


def sites_above(site: str) -> list[str]:
    """Return the site, and every site that it is under: `news.example.com`, `example.com`, `com`."""
    labels = site.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))] if site else []


def is_url_of_site(site: str, url: str) -> bool:
    """Whether the URL is one of the site, or of a site under it, or shows such a page."""
    return site in sites_of(url)


def _decoded(text: str) -> str:
    """Decode percent-encoding until there is none; in the composed form of Unicode."""
    raw = text.encode("utf-8", "surrogatepass")
    for _ in range(_ROUNDS):
        if b"%" not in raw:
            break
        raw = unquote_to_bytes(raw)
    return unicodedata.normalize("NFC", raw.decode("utf-8", "surrogateescape").translate(_UNSEEN))
