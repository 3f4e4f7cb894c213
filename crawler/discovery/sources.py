"""Reads a source, that is a feed, sitemap or section page: the articles and further sources that it names.

The bytes come from strangers. `read_source`, `recognise_source` and `read_front_page` are therefore called in
a worker process (`crawler.runs.WorkerPool.run`): their arguments and results can be pickled.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from w3lib.encoding import http_content_type_encoding

from crawler.discovery.entries import SourceEntry
from crawler.discovery.feeds import parse_feed
from crawler.discovery.sections import is_article_link, is_section_link, links
from crawler.discovery.sitemaps import Sitemap, parse_sitemap, sitemaps_in_robots
from crawler.files import Unpacked
from crawler.sites import Site

SourceKind = Literal["feed", "sitemap", "section"]

# Sitemaps of one index that are read, newest first: archives list one for each month since the nineties.
MAX_SITEMAPS = 20
# Further sections of one page that are read.
MAX_SECTIONS = 30

_GZIP = b"\x1f\x8b"
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Download:
    """What a server sent. url: after redirects. content_type: as in the header, "" for none."""

    body: bytes
    url: str
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source names: articles, and further sources with what each is."""

    entries: tuple[SourceEntry, ...]
    further: tuple[tuple[str, SourceKind], ...] = ()


def read_source(download: Download, kind: SourceKind, site: Site, limit: int) -> Listing:
    """Read a source of a site.

    limit: in bytes, after decompression. Raises ValueError, which says why, if it is something else.
    """
    body, url = unpack(download.body, limit), download.url
    if kind == "section":
        found = links(body, http_content_type_encoding(download.content_type), url)
        articles = (link for link in found if is_article_link(link, site))
        sections = [link.url for link in found if is_section_link(link, site)]
        return Listing(
            tuple(SourceEntry(link.url) for link in articles),
            tuple((section, kind) for section in sections[:MAX_SECTIONS]),
        )
    if kind == "feed":
        return Listing(parse_feed(body, url, download.content_type))
    if urlsplit(url).path == "/robots.txt":
        return Listing((), tuple((named, kind) for named in sitemaps_in_robots(body, url)[:MAX_SITEMAPS]))
    sitemap = parse_sitemap(body, url)
    entries = _newest_first(sitemap.entries, site.max_age_days)
    if sitemap.is_index:
        return Listing((), tuple((entry.url, kind) for entry in entries[:MAX_SITEMAPS]))
    return Listing(entries)


def recognise_source(
    download: Download, expected: Literal["feed", "sitemap"] | None, limit: int
) -> tuple[Literal["feed", "sitemap"], Sitemap]:
    """Tell by its content whether a download is a feed or a sitemap, and return its entries.

    expected: which of the two it is read as where its start does not tell; None if it is neither then.
    limit: as for `read_source`. Raises ValueError if it is neither.
    """
    body = unpack(download.body, limit)
    start = body[:4000].lower()
    is_map = b"<urlset" in start or b"<sitemapindex" in start
    is_feed = any(sign in start for sign in (b"<rss", b"<feed", b"<rdf:rdf")) or start.lstrip()[:1] == b"{"
    if expected is None and not is_map and not is_feed:
        raise ValueError("neither a feed nor a sitemap")
    if is_map or (expected == "sitemap" and not is_feed):
        return "sitemap", parse_sitemap(body, download.url)
    return "feed", Sitemap(parse_feed(body, download.url, download.content_type))


def unpack(body: bytes, limit: int) -> bytes:
    """Return the body, gunzipped where it is gzip (by its first bytes, whatever its name says).

    Raises ValueError where more than `limit` bytes come out, or the stream is broken at its start; what
    can be read of a stream that ends too early is returned.
    """
    if len(body) > limit:
        raise ValueError(f"{len(body)} bytes, more than {limit}")
    if not body.startswith(_GZIP):
        return body
    stream = Unpacked(io.BytesIO(body), "gzip")
    out = io.BytesIO()
    while piece := stream.read(_PIECE):
        out.write(piece)
        if out.tell() > limit:
            raise ValueError(f"more than {limit} bytes after decompression")
    if stream.fault and not out.tell():
        raise ValueError(f"broken gzip: {stream.fault}")
    return out.getvalue()


def _newest_first(entries: Iterable[SourceEntry], max_age_days: int) -> tuple[SourceEntry, ...]:
    """Entries young enough, the newest first; entries without a date come last, in their own order."""
    oldest = datetime.now(UTC) - timedelta(days=max_age_days)
    dated = sorted(
        ((e.at, e) for e in entries if e.at is not None and e.at >= oldest), key=lambda p: p[0], reverse=True
    )
    return (*(entry for _, entry in dated), *(entry for entry in entries if entry.at is None))
