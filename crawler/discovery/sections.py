"""Reads section pages: which of their links lead to articles, and which to further sections.

A link is judged by its address and text alone, before anything is fetched. An article that is missed comes
with a later page. A page that is no article is rejected by the pipeline, but costs a request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urldefrag, urljoin, urlsplit

from lxml import html
from lxml.etree import ParserError

from crawler.sites import Site, is_allowed_host, is_article_url, is_trap
from pipeline.page import without_excessive_attributes

# What is read of a page: bytes, links with different addresses, anchors, and pieces of text of one anchor.
MAX_BYTES = 4_000_000
MAX_LINKS = 3000
MAX_ANCHORS = 4 * MAX_LINKS
MAX_PIECES = 50

_DATE_IN_PATH = re.compile(r"/(?:19|20)\d{2}[/-]?(?:0?[1-9]|1[0-2]|[a-z]{3})(?:[/-]|$)", re.IGNORECASE)
_ID = re.compile(r"\d{5,}")
_WORDS_IN_SLUG = re.compile(r"[^\W\d_]+(?:[-_][^\W_]+){3,}")
_NO_ARTICLE = re.compile(
    r"/(?:log-?in|sign-?in|sign-?up|register|account|subscribe|subscription|newsletters?|search|tags?|authors?"
    r"|about|contact|imprint|impressum|privacy|terms|cookies?|jobs|careers|shop|advertis\w*|help|faq"
    r"|calendar|weather|horoscopes?|games?|podcasts?|video|live|gallery|photos?)(?:[/.-]|$)",
    re.IGNORECASE,
)
# Some outlets keep all of their articles under /archive/, but a section of that name has old news only.
_ARCHIVE = re.compile(r"/archive(?:[/.-]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a page: the absolute address without fragment; the text with single spaces."""

    url: str
    text: str


def links(body: bytes, encoding: str | None, url: str) -> tuple[Link, ...]:
    """Return a page's links in document order, each address once with its longest text.

    encoding: as the server gave it; None for the page's own. url: the page's address.
    """
    try:
        tree = html.document_fromstring(
            without_excessive_attributes(body[:MAX_BYTES]),
            parser=html.HTMLParser(encoding=encoding, no_network=True),
        )
    except (ParserError, ValueError, LookupError):
        return ()
    base = next((b.get("href") for b in tree.iter("base") if b.get("href")), None)
    found: dict[str, str] = {}
    for anchor in islice(tree.iter("a"), MAX_ANCHORS):
        href = (anchor.get("href") or "").strip()
        if not href or href.startswith("#") or "nofollow" in (anchor.get("rel") or ""):
            continue
        try:
            target = urldefrag(urljoin(urljoin(url, base or ""), href)).url
        except ValueError:
            continue
        text = " ".join(" ".join(islice(anchor.itertext(), MAX_PIECES)).split())
        if target.startswith(("http://", "https://")) and len(text) >= len(found.get(target, "")):
            found[target] = text
            if len(found) >= MAX_LINKS:
                break
    return tuple(Link(target, text) for target, text in found.items())


def is_article_link(link: Link, site: Site) -> bool:
    """True where a link looks like one to an article.

    A site's own `article_urls` decide. Without them, a slug of several words in the path is enough, and so
    are two of the other signs: a date in the path, a long number, a text as long as a headline.
    """
    if not is_article_url(link.url, site):
        return False
    if site.article_urls:
        return True
    path = urlsplit(link.url).path
    if _NO_ARTICLE.search(path):
        return False
    signs = (
        bool(_DATE_IN_PATH.search(path)),
        bool(_ID.search(path)) or bool(_ID.search(urlsplit(link.url).query)),
        bool(_WORDS_IN_SLUG.search(path.rstrip("/").rpartition("/")[2])),
        len(link.text.split()) >= 5 or len(link.text) >= 30,
    )
    return sum(signs) >= 2 or signs[2]


def is_section_link(link: Link, site: Site) -> bool:
    """True where a link looks like one to another section: a short name and a short path, no query."""
    parts = urlsplit(link.url)
    segments = [segment for segment in parts.path.split("/") if segment]
    return (
        is_allowed_host(link.url, site.hosts)
        and not parts.query
        and 1 <= len(segments) <= 3
        and 1 <= len(link.text.split()) <= 3
        and not any(character.isdigit() for character in parts.path)
        and not _NO_ARTICLE.search(parts.path)
        and not _ARCHIVE.search(parts.path)
        and not is_trap(link.url)
        and not is_article_link(link, site)
    )
