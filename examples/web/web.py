"""Every address of the world and what answers there, edition by edition."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from . import pages, sources
from .world import Article, Clock, Outlet, articles, began, outlets

# Where a counter of clicks leads that leads to no article.
_LEADS_TO = {
    "to another site": "http://www.velmoraherald.example/",
    "to the metadata service": "http://169.254.169.254/latest/meta-data/",
    "to a file": "file:///etc/passwd",
    "to the front page": "/",
}

_FEEDS = {
    "rss": (sources.rss, "application/rss+xml"),
    "rdf": (sources.rdf, "application/rdf+xml"),
    "atom": (sources.atom, "application/atom+xml"),
    "json": (sources.json_feed, "application/feed+json"),
}


@dataclass(frozen=True, slots=True)
class Resource:
    """What answers at one address.

    location: where a redirect leads. modified: when this answer was last another one.
    validators: what it can be asked again with: "both", "etag" or "last-modified"; "" for none.
    """

    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    location: str = ""
    validators: str = ""
    modified: datetime | None = None

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'


Pages = Mapping[str, Resource]


def pages_of(edition: int, clock: Clock, before: Pages) -> Pages:
    """The whole web of an edition, by address; before: that of the edition before it."""
    current: dict[str, Resource] = {}
    for outlet in outlets().values():
        current.update(_outlet_pages(outlet, articles(outlet, edition, clock), began(clock)))
    return {url: _dated(page, before.get(url), clock[edition]) for url, page in current.items()}


def _dated(page: Resource, before: Resource | None, at: datetime) -> Resource:
    is_same = before is not None and (before.body, before.status) == (page.body, page.status)
    return replace(page, modified=before.modified if before and is_same else at)


def _outlet_pages(outlet: Outlet, carried: list[Article], now: datetime) -> Iterator[tuple[str, Resource]]:
    for article in carried:
        yield from _article_pages(article)
    shown = [article for article in carried if not article.gone]
    yield outlet.base + "/", _html(outlet, pages.list_page(outlet, outlet.name, _links(shown)))
    if outlet.robots:
        lines = "\n".join(outlet.robots).encode()
        yield outlet.base + "/robots.txt", Resource(lines, "text/plain", validators=outlet.validators)
    for path, what in outlet.oddities:
        yield outlet.base + path, _oddity(outlet, what, shown)
    for number in range(outlet.expired):
        page = pages.notice_page(outlet, "expired")
        yield outlet.base + f"/notices/{4000 + number}", replace(_html(outlet, page), status=410)
    for path, kind in outlet.feeds:
        yield from _source_pages(outlet, path, kind, shown, now)


def _article_pages(article: Article) -> Iterator[tuple[str, Resource]]:
    """The article at its own address and at every other that leads to it."""
    outlet, url, address = article.outlet, article.url, article.address
    if article.gone:
        gone = replace(_html(outlet, pages.notice_page(outlet, "missing")), status=article.gone)
        yield url, gone
        yield address, gone
        return
    page = _html(outlet, pages.article_page(article))
    yield url, page
    yield outlet.twin("amp") + article.path, _html(outlet, pages.article_page(article, "amp"))
    if article.links == "print":
        yield address, _html(outlet, pages.article_page(article, "print"))
    elif article.links in ("slashless", "moved", "out"):
        status = 302 if article.links == "out" else 301
        yield address, Resource(status=status, location=url)
    elif article.links != "amp":
        yield address, page


def _oddity(outlet: Outlet, what: str, shown: list[Article]) -> Resource:
    if what in _LEADS_TO:
        return Resource(status=302, location=_LEADS_TO[what])
    match what:
        case "empty":
            return Resource()
        case "sound":
            return Resource(b"ID3\x04" + bytes(500), "audio/mpeg")
        case "section":
            return _html(outlet, pages.list_page(outlet, "All the news", _links(shown) * 8))
        case "article":
            return _html(outlet, pages.article_page(shown[0]))
        case "missing":
            return replace(_html(outlet, pages.notice_page(outlet, what)), status=404)
    return _html(outlet, pages.notice_page(outlet, what))


def _source_pages(
    outlet: Outlet, path: str, kind: str, shown: list[Article], now: datetime
) -> Iterator[tuple[str, Resource]]:
    url = outlet.base + path
    if kind == "sections":
        half = len(shown) // 2
        north = (f"{path}/north", "The north")
        yield url, _html(outlet, pages.list_page(outlet, "Coast", [*_links(shown[half:]), north]))
        yield url + "/north", _html(outlet, pages.list_page(outlet, "The north", _links(shown[:half])))
        return
    entries = [
        sources.Entry(article.address, article.title, article.modified, article.story.author)
        for article in sorted(shown, key=lambda a: a.modified, reverse=True)
        if not article.only
    ]
    at = now - timedelta(hours=40)
    entries += (sources.Entry(outlet.base + p, what.capitalize(), at) for p, what in outlet.oddities)
    entries += (
        sources.Entry(f"{outlet.base}/notices/{4000 + n}", f"Notice {4000 + n}", at)
        for n in range(outlet.expired)
    )
    if kind == "index":
        # One sitemap for what came first, one for what came since; the first one stays as it is.
        first = [entry for entry in entries if entry.at <= now - timedelta(hours=10)]
        days = []
        for name, part in (("tuesday", [e for e in entries if e not in first]), ("monday", first)):
            child = f"{outlet.base}/sitemaps/{name}.xml.gz"
            days.append((child, max(entry.at for entry in part)))
            body = gzip.compress(sources.news_sitemap(outlet.name, outlet.language, part), mtime=0)
            yield child, Resource(body, "application/gzip", validators=outlet.validators)
        yield url, Resource(sources.sitemap_index(days), "application/xml", validators=outlet.validators)
        return
    if kind == "news-sitemap":
        body, content_type = sources.news_sitemap(outlet.name, outlet.language, entries), "application/xml"
    else:
        write, content_type = _FEEDS[kind]
        body = write(outlet.name, outlet.base + "/", outlet.language, entries)
    yield url, Resource(body, content_type, validators=outlet.validators)


def _links(shown: list[Article]) -> list[tuple[str, str]]:
    return [(article.path, article.title) for article in shown]


def _html(outlet: Outlet, body: bytes) -> Resource:
    charset = f"; charset={outlet.charset}" if outlet.charset_in == "header" else ""
    return Resource(body, f"text/html{charset}", validators=outlet.validators)
