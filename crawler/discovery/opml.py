"""Reads OPML: the lists of feeds that feed readers export, and makes sites of them.

An OPML file comes from elsewhere. It is bounded in size and number of feeds, entities are not read, and only
http(s) addresses and lines of printable text are taken from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from crawler.discovery.entries import refuse_entities
from crawler.discovery.front_page import valid_address
from crawler.discovery.hosts import registered_domain, site_key

# Bytes of a file that is read, and feeds in it. Each feed is fetched before anything is written.
MAX_OPML_BYTES = 5_000_000
MAX_OPML_FEEDS = 2000
_MAX_TITLE = 80
# Hosts that only serve feeds: the front page is on the name below.
_FEED_HOSTS = ("feeds.", "feed.", "rss.")


@dataclass(frozen=True, slots=True)
class OpmlFeed:
    """A feed that an OPML file names. title, homepage: as it says; None if it does not."""

    url: str
    title: str | None
    homepage: str | None


@dataclass(frozen=True, slots=True)
class Opml:
    """feeds: each address once, in the file's order. unusable: addresses in it that are not http(s)."""

    feeds: tuple[OpmlFeed, ...]
    unusable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FeedSite:
    """The feeds of one site in an OPML file. name: None if no title is that of all of its feeds."""

    key: str
    name: str | None
    homepage: str
    feeds: tuple[str, ...]


def read_opml(body: bytes) -> Opml:
    """Read an OPML file of any version, in any encoding that it declares.

    Raises ValueError, with one line that says why, for what is none, is damaged, declares entities, is too
    large, or names no feed.
    """
    if len(body) > MAX_OPML_BYTES:
        raise ValueError(f"larger than {MAX_OPML_BYTES // 1_000_000} MB")
    refuse_entities(body)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ValueError(f"no OPML: {error}") from error
    if root is None or root.tag != "opml":
        raise ValueError(f"no OPML: its first element is {'none' if root is None else root.tag}")
    # `refuse_entities` does not see into encodings that do not write < as ASCII does.
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and any(True for _ in declared.iterentities()):
        raise ValueError("declares XML entities, which no OPML needs")
    feeds: dict[str, OpmlFeed] = {}
    unusable: list[str] = []
    for outline in root.iter("outline"):
        said = {name.lower(): str(value).strip() for name, value in outline.attrib.items()}
        if not (link := said.get("xmlurl")):
            continue
        scheme, _, rest = link.partition(":")
        # feed://host and feed:https://host mean the same as http.
        if scheme.lower() == "feed":
            link = rest if rest.startswith(("http:", "https:")) else f"http:{rest}"
        url = valid_address(link)
        if url is None:
            unusable.append(link)
            continue
        feeds.setdefault(url, OpmlFeed(url, _title(said), valid_address(said.get("htmlurl", ""))))
    if len(feeds) > MAX_OPML_FEEDS:
        raise ValueError(f"names more than {MAX_OPML_FEEDS:,} feeds; take some out")
    if not feeds:
        raise ValueError("names no feed with an http(s) address")
    return Opml(tuple(feeds.values()), tuple(unusable))


def _title(said: dict[str, Any]) -> str | None:
    text = said.get("title") or said.get("text") or ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_MAX_TITLE].strip() or None


def sites_of_feeds(feeds: Iterable[OpmlFeed]) -> list[FeedSite]:
    """The sites that feeds belong to: those whose front pages are under one registered name are of one site.

    The homepage is what all of a site's feeds name, else the root of the host that most of them name; of a
    feed that names none, the root of its own host. Each site has another key.
    """
    by_domain: dict[str, list[OpmlFeed]] = {}
    for feed in feeds:
        host = urlsplit(feed.homepage or feed.url).hostname or ""
        by_domain.setdefault(registered_domain(host), []).append(feed)
    keys = Counter(site_key(f"http://{domain}/") for domain in by_domain)
    sites: list[FeedSite] = []
    taken: set[str] = set()
    for domain, own in by_domain.items():
        key = site_key(f"http://{domain}/")
        key = key if keys[key] == 1 else domain.replace(".", "-")
        key = next(
            one for one in (key, *(f"{key}-{n}" for n in range(2, len(taken) + 3))) if one not in taken
        )
        taken.add(key)
        titles = {feed.title for feed in own}
        name = own[0].title if len(titles) == 1 else None
        sites.append(FeedSite(key, name, _homepage(own), tuple(feed.url for feed in own)))
    return sites


def _homepage(feeds: Sequence[OpmlFeed]) -> str:
    stated = Counter(feed.homepage for feed in feeds if feed.homepage)
    if len(stated) == 1:
        return next(iter(stated))
    roots = Counter(_root(feed.homepage or feed.url) for feed in feeds)
    return roots.most_common(1)[0][0]


def _root(url: str) -> str:
    """The root of the address's host, without what only serves feeds."""
    parts = urlsplit(url)
    host = parts.netloc
    for prefix in _FEED_HOSTS:
        if host.startswith(prefix) and registered_domain(parts.hostname or "") != parts.hostname:
            host = host.removeprefix(prefix)
    return f"{parts.scheme}://{host}/"
