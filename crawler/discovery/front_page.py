"""What a site's front page and the names of its hosts say: the outlet, its language, its feeds and sitemaps.

Pure, and all of it strangers' words: what is taken from a page is an address on http(s) without credentials,
or a line of printable text, and how much of it is looked at is limited.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urldefrag, urljoin, urlsplit

from lxml import html
from lxml.etree import ParserError
from scrapy.http import Response
from w3lib.encoding import http_content_type_encoding

from crawler.sites import MAX_URL_LENGTH
from pipeline.document import MediaType
from pipeline.page import decode

Kind = Literal["feed", "sitemap"]

# A page with more link elements than this is no front page.
MAX_LINKS = 500
MAX_NAME = 80
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
_BETWEEN_NAMES = re.compile(r"\s+[|–—·•:»-]+\s+|\s*[|»•]\s*|:\s+")
_NO_NAME = frozenset({"home", "homepage", "startseite", "accueil", "inicio", "index", "news", "front page"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address that may be a feed or sitemap. found: where, `link`, `robots.txt` or `usual place`."""

    url: str
    kind: Kind
    found: str


@dataclass(frozen=True, slots=True)
class Front:
    """What a front page says: the outlet's name, its language, and its feeds and sitemaps in their order."""

    name: str | None
    language: str | None
    candidates: tuple[Candidate, ...]


def read_front(response: Response) -> Front:
    """Read a front page; whatever it is, nothing is raised."""
    content_type = (response.headers.get("Content-Type") or b"").decode("latin-1")
    text = decode(response.body, http_content_type_encoding(content_type), MediaType.HTML)
    parser = html.HTMLParser(encoding="utf-8", no_network=True)
    try:
        tree = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (ParserError, ValueError):
        return Front(None, None, ())
    base = next((b.get("href") for b in tree.iter("base") if b.get("href")), "")
    candidates = []
    for number, link in enumerate(tree.iter("link")):
        if number == MAX_LINKS:
            break
        kind = _kind_of_link(link)
        href = (link.get("href") or "").strip()
        address = sound_address(href, response.url, base) if href else None
        if kind and address:
            candidates.append(Candidate(address, kind, "link"))
    return Front(_stated_name(tree, response.url), _stated_language(tree), tuple(candidates))


def _kind_of_link(link: Any) -> Kind | None:
    rel = (link.get("rel") or "").lower().split()
    kind = (link.get("type") or "").lower().partition(";")[0].strip()
    if "alternate" in rel and kind in _FEED_TYPES:
        return "feed"
    return "sitemap" if "sitemap" in rel else None


def sound_address(href: str, page: str = "", base: str = "") -> str | None:
    """An absolute http(s) address as it may be written down; None for what is none."""
    href = "".join(href.split("\0")).strip()
    try:
        url = urldefrag(urljoin(urljoin(page, base), href)).url
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    is_sound = url.isprintable() and " " not in url and len(url) <= MAX_URL_LENGTH
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or not is_sound:
        return None
    return url


def _stated_name(tree: Any, url: str) -> str | None:
    for meta in tree.iter("meta"):
        if (meta.get("property") or meta.get("name") or "").lower() in ("og:site_name", "application-name"):
            name = _line(meta.get("content") or "")
            if name:
                return name
    title = next((_line("".join(t.itertext()), 500) for t in tree.iter("title")), "")
    return _outlet_in(title, url) if title else None


def _outlet_in(title: str, url: str) -> str:
    """The part of a front page's title that is most like its host's name, the first where none is."""
    parts = [part for part in _BETWEEN_NAMES.split(title) if part.strip()] or [title]
    parts = [part for part in parts if part.strip().lower() not in _NO_NAME] or parts
    name = key_of(url)

    def likeness(part: str) -> float:
        letters = re.sub(r"[\W_]+", "", part).lower()
        return SequenceMatcher(None, letters, name, autojunk=False).ratio()

    best = max(parts, key=likeness)
    return _line(best if likeness(best) >= 0.5 else parts[0])


def _stated_language(tree: Any) -> str | None:
    return language_tag(tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or "")


def language_tag(said: str) -> str | None:
    """A language tag as sites files have it; None for what is none."""
    language, _, region = said.strip().replace("_", "-").partition("-")
    tag = f"{language.lower()}-{region}" if region else language.lower()
    return tag if re.fullmatch(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", tag) and len(tag) < 20 else None


def _line(text: str, most: int = MAX_NAME) -> str:
    """One line of printable text, not too long."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:5000]).split())[:most].strip()


def key_of(homepage: str) -> str:
    """A key for a site: its registered name without the ending, e.g. `gazette` for www.gazette.co.uk."""
    parts = urlsplit(homepage)
    host = parts.hostname or ""
    name = None if _is_number(host) else _registered_name(host)
    port = f"-{parts.port}" if parts.port and name is None else ""
    return re.sub(r"[^a-z0-9-]+", "-", name or host).strip("-") + port


def related(host: str, other: str) -> bool:
    """True for hosts under one registered name, and for one name under several endings (bbc.com, bbc.co.uk).

    By the public suffix list; addresses in numbers are related to nothing.
    """
    if _is_number(host) or _is_number(other):
        return False
    name = _registered_name(host)
    return name is not None and name == _registered_name(other)


@cache
def _suffixes() -> Any:
    # Its list comes with it: nothing is fetched.
    import tldextract

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def _registered_name(host: str) -> str | None:
    """The label before a host's public ending; where its ending is not public, the one before the last."""
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
