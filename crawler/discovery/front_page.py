"""Reads a site's front page: the outlet's name, its language, and the feeds and sitemaps that it links to.

A front page is not trusted. Only http(s) addresses without credentials and lines of printable text are taken
from it, and only a limited part of the page is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal
from urllib.parse import urldefrag, urljoin, urlsplit

from lxml import html
from lxml.etree import ParserError
from w3lib.encoding import http_content_type_encoding

from crawler.discovery.hosts import site_key
from crawler.discovery.sources import Download
from crawler.sites import MAX_URL_LENGTH
from pipeline.document import MediaType
from pipeline.page import decode_body, without_excessive_attributes

# Link elements of a front page that are read.
MAX_LINK_ELEMENTS = 500
_MAX_NAME = 80
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
_BETWEEN_NAMES = re.compile(r"\s+[|–—·•:»-]+\s+|\s*[|»•]\s*|:\s+")
_NO_NAME = frozenset({"home", "homepage", "startseite", "accueil", "inicio", "index", "news", "front page"})


@dataclass(frozen=True, slots=True)
class SourceCandidate:
    """An address that may be a feed or sitemap. found: `link`, `robots.txt`, `usual place` or `given`."""

    url: str
    kind: Literal["feed", "sitemap"]
    found: str


@dataclass(frozen=True, slots=True)
class FrontPage:
    """What a front page says: the outlet's name, its language, and its feeds and sitemaps in their order."""

    name: str | None
    language: str | None
    candidates: tuple[SourceCandidate, ...]


def read_front_page(download: Download) -> FrontPage:
    """Read a front page. Never raises."""
    text = decode_body(download.body, http_content_type_encoding(download.content_type), MediaType.HTML)
    parser = html.HTMLParser(encoding="utf-8", no_network=True)
    try:
        page = without_excessive_attributes(text.encode("utf-8", "replace"))
        tree = html.document_fromstring(page, parser=parser)
    except (ParserError, ValueError):
        return FrontPage(None, None, ())
    base = next((b.get("href") for b in tree.iter("base") if b.get("href")), "")
    candidates = []
    for number, link in enumerate(tree.iter("link")):
        if number == MAX_LINK_ELEMENTS:
            break
        kind = _kind_of_link(link)
        href = (link.get("href") or "").strip()
        address = valid_address(href, download.url, base) if href else None
        if kind and address:
            candidates.append(SourceCandidate(address, kind, "link"))
    return FrontPage(_stated_name(tree, download.url), _stated_language(tree), tuple(candidates))


def _kind_of_link(link: Any) -> Literal["feed", "sitemap"] | None:
    rel = (link.get("rel") or "").lower().split()
    kind = (link.get("type") or "").lower().partition(";")[0].strip()
    if "alternate" in rel and kind in _FEED_TYPES:
        return "feed"
    return "sitemap" if "sitemap" in rel else None


def valid_address(href: str, page: str = "", base: str = "") -> str | None:
    """Return a link as an absolute http(s) address without fragment; None where it is none or has
    credentials.

    page: the address of the page that has the link; base: its base element, if any.
    """
    href = "".join(href.split("\0")).strip()
    try:
        url = urldefrag(urljoin(urljoin(page, base), href)).url
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    is_valid = url.isprintable() and " " not in url and len(url) <= MAX_URL_LENGTH
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or not is_valid:
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
    """The part of a front page's title that is most like its host's name; the first part where none is."""
    parts = [part for part in _BETWEEN_NAMES.split(title) if part.strip()] or [title]
    parts = [part for part in parts if part.strip().lower() not in _NO_NAME] or parts
    name = site_key(url)

    def likeness(part: str) -> float:
        letters = re.sub(r"[\W_]+", "", part).lower()
        return SequenceMatcher(None, letters, name, autojunk=False).ratio()

    best = max(parts, key=likeness)
    return _line(best if likeness(best) >= 0.5 else parts[0])


def _stated_language(tree: Any) -> str | None:
    return language_tag(tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or "")


def language_tag(said: str) -> str | None:
    """Return a language tag as a sites file has it, e.g. `de` or `pt-BR`; None for what is none."""
    language, _, region = said.strip().replace("_", "-").partition("-")
    tag = f"{language.lower()}-{region}" if region else language.lower()
    return tag if re.fullmatch(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", tag) and len(tag) < 20 else None


def _line(text: str, most: int = _MAX_NAME) -> str:
    """One line of printable text, not too long."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:5000]).split())[:most].strip()
