"""Reads what a site says about its own news: RSS, Atom and JSON feeds, sitemaps and sitemap indexes.

Pure functions from bytes to records; the bytes come from strangers. An XML file that declares
entities is refused as a whole (no feed needs any, and that is how a kilobyte becomes a gigabyte),
compressed bytes are unpacked up to a limit, and text that is no feed raises ValueError with a line
that says why.
"""

from __future__ import annotations

import calendar
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import feedparser
from lxml import etree
from w3lib.encoding import http_content_type_encoding

from pipeline.document import Claims

# A feed is a list of what is new; whoever sends more than this sends an archive.
MAX_ENTRIES = 1000
# feedparser takes up to 6 s a megabyte on 5 MB of nested or unclosed elements, and some minutes on 5 MB of
# `<`; so it is given what libxml2 (0.1 s) found, without the descriptions, and no more than this.
MAX_REDUCED_BYTES = 1_500_000
MAX_TEXT = 2000
# The sitemap protocol's own limit for one file.
MAX_SITEMAP_ENTRIES = 50_000

_GZIP = b"\x1f\x8b"
_ENTITY = re.compile(rb"<!\s*ENTITY", re.IGNORECASE)
_DECLARED_ENCODING = re.compile(rb"encoding\s*=", re.IGNORECASE)
_LONE_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});)")
_WANTED = frozenset(
    {"rss", "rdf", "feed", "channel", "item", "entry", "title", "link", "guid", "id", "language"}
    | {"pubdate", "date", "published", "updated", "modified", "issued", "created"}
    | {"author", "creator", "contributor", "name", "origlink"}
)
_TEXT_SITEMAP_LINE = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One address that a feed or sitemap names.

    at: aware, UTC: when the entry says that it was last changed or published, if it does.
    claims: what the entry says of the article beside its address.
    """

    url: str
    at: datetime | None = None
    claims: Claims = field(default_factory=Claims)


@dataclass(frozen=True, slots=True)
class Sitemap:
    """A sitemap's entries; with is_index they are the addresses of other sitemaps."""

    entries: tuple[Entry, ...]
    is_index: bool = False


def unpack(body: bytes, limit: int) -> bytes:
    """Return the body, gunzipped where it is gzip (by its first bytes, whatever its name says).

    Raises ValueError where more than `limit` bytes come out, or the stream is broken at its start; what
    can be read of a stream that ends too early is returned.
    """
    if len(body) > limit:
        raise ValueError(f"{len(body)} bytes, more than {limit}")
    out = io.BytesIO()
    while body.startswith(_GZIP):
        member = zlib.decompressobj(wbits=31)
        try:
            out.write(member.decompress(body, limit + 1 - out.tell()))
        except zlib.error as error:
            if not out.tell():
                raise ValueError(f"broken gzip: {error}") from error
            break
        if out.tell() > limit:
            raise ValueError(f"more than {limit} bytes after decompression")
        body = member.unused_data
        if not member.eof:
            break
    return out.getvalue() or body


def parse_feed(body: bytes, url: str, content_type: str | None = None) -> tuple[Entry, ...]:
    """Return a feed's entries in the feed's order, their addresses absolute.

    url: where the feed came from; relative addresses are relative to it.
    Raises ValueError for what is no feed.
    """
    if body.lstrip()[:1] == b"{":
        return _json_feed(body, url)
    _refuse_entities(body)
    headers = {"content-location": url, "content-type": "application/xml; charset=utf-8"}
    # A stream, never the bytes themselves: feedparser opens a local file that is named by bytes.
    feed = feedparser.parse(
        io.BytesIO(_reduced(body, content_type)),
        response_headers=headers,
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not feed.get("version") and not feed.entries:
        raise ValueError(f"no RSS, Atom or JSON feed ({feed.get('bozo_exception') or 'no feed element'})")
    language = feed.feed.get("language")
    entries = (_feed_entry(entry, url, language) for entry in feed.entries[:MAX_ENTRIES])
    return tuple(entry for entry in entries if entry is not None)


def parse_sitemap(body: bytes, url: str) -> Sitemap:
    """Return the entries of a sitemap or sitemap index (XML, or text with an address a line).

    Raises ValueError for what is neither.
    """
    _refuse_entities(body)
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"<":
        lines = body[:10_000_000].decode("utf-8-sig", "replace").splitlines()
        addresses = [line.strip() for line in lines if _TEXT_SITEMAP_LINE.fullmatch(line.strip())]
        if not addresses:
            raise ValueError("no sitemap: neither XML nor a list of addresses")
        return Sitemap(tuple(Entry(a) for a in addresses[:MAX_SITEMAP_ENTRIES]))
    root = ""
    entries: list[Entry] = []
    for name, values in _elements(body):
        root = root or name
        if values is not None and (loc := values.get("loc")) and len(entries) < MAX_SITEMAP_ENTRIES:
            entries.append(_sitemap_entry(urljoin(url, loc), values))
    if root not in ("urlset", "sitemapindex"):
        raise ValueError(f"no sitemap: its root element is <{root[:40]}>" if root else "no sitemap: not XML")
    return Sitemap(tuple(entries), is_index=root == "sitemapindex")


def sitemaps_in_robots(body: bytes, url: str) -> tuple[str, ...]:
    """Return the addresses on the Sitemap lines of a robots.txt."""
    lines = (line.partition(":") for line in body[:500_000].decode("utf-8", "replace").splitlines())
    found = (value.strip() for key, _, value in lines if key.strip().lower() == "sitemap")
    return tuple(dict.fromkeys(urljoin(url, value) for value in found if value))


def _refuse_entities(body: bytes) -> None:
    # UTF-16 and UTF-32 spell it with NULs between.
    if _ENTITY.search(body) or _ENTITY.search(body[:100_000].replace(b"\0", b"")):
        raise ValueError("declares XML entities, which no feed or sitemap needs")


def _reduced(body: bytes, content_type: str | None) -> bytes:
    """Return the feed as well-formed UTF-8 with only the elements that `_feed_entry` asks for."""
    is_wide = body.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in body[:4]
    text = body if is_wide else _with_sound_ampersands(body.lstrip())
    encoding = (
        None if _DECLARED_ENCODING.search(body[:200]) else http_content_type_encoding(content_type or "")
    )
    parser = etree.XMLParser(
        encoding=encoding, recover=True, resolve_entities=False, no_network=True, load_dtd=False
    )
    try:
        root = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, LookupError, ValueError):
        root = None
    if root is None or _local(root) not in ("rss", "rdf", "feed"):
        raise ValueError("no RSS, Atom or JSON feed")
    seen = 0
    for element in list(root.iter()):
        seen += _local(element) in ("item", "entry")
        is_wanted = _local(element) in _WANTED and seen <= MAX_ENTRIES
        parent = element.getparent()
        if not is_wanted and parent is not None:
            parent.remove(element)
        elif element.text and len(element.text) > MAX_TEXT:
            element.text = element.text[:MAX_TEXT]
    reduced: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    if len(reduced) > MAX_REDUCED_BYTES:
        raise ValueError(
            f"no RSS, Atom or JSON feed that could be read: {len(reduced)} bytes of bare entries"
        )
    return reduced


def _with_sound_ampersands(body: bytes) -> bytes:
    """Escape each `&` that begins no XML entity (addresses are full of them), outside CDATA sections."""
    out: list[bytes] = []
    at = 0
    while at < len(body):
        start = body.find(b"<![CDATA[", at)
        start = len(body) if start < 0 else start
        out.append(_LONE_AMPERSAND.sub(b"&amp;", body[at:start]))
        end = body.find(b"]]>", start)
        at = len(body) if end < 0 else end + 3
        out.append(body[start:at])
    return b"".join(out)


def _feed_entry(entry: Any, url: str, language: str | None) -> Entry | None:
    link = entry.get("feedburner_origlink") or entry.get("link")
    if not link or not isinstance(link, str):
        return None
    stated = dict.get(entry, "published") or dict.get(entry, "updated")
    names = [author.get("name") for author in entry.get("authors", ()) if author]
    claims = Claims(
        title=entry.get("title") or None,
        published_at=stated or None,
        authors=tuple(dict.fromkeys(name for name in names if name)),
        language=language or None,
    )
    # Past feedparser's own lookup, which maps one onto the other and warns that it does.
    at = _moment(dict.get(entry, "updated_parsed") or dict.get(entry, "published_parsed"))
    return Entry(_absolute(url, link), at, claims)


def _json_feed(body: bytes, url: str) -> tuple[Entry, ...]:
    """JSON Feed 1.0 and 1.1 (jsonfeed.org)."""
    try:
        feed = json.loads(body)
        version, items = str(feed["version"]), feed["items"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"no JSON feed ({type(error).__name__}: {error})") from error
    if "jsonfeed.org" not in version or not isinstance(items, list):
        raise ValueError("no JSON feed")
    entries = []
    for item in items[:MAX_ENTRIES]:
        link = item.get("url") if isinstance(item, dict) else None
        if not isinstance(link, str) or not link:
            continue
        authors = item.get("authors") or [item.get("author")]
        names = [a.get("name") for a in authors if isinstance(a, dict)] if isinstance(authors, list) else []
        claims = Claims(
            title=_text(item.get("title")),
            published_at=_text(item.get("date_published")),
            authors=tuple(name for name in names if isinstance(name, str) and name),
            language=_text(item.get("language")) or _text(feed.get("language")),
        )
        at = _w3c_date(_text(item.get("date_modified")) or claims.published_at or "")
        entries.append(Entry(_absolute(url, link), at, claims))
    return tuple(entries)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _absolute(base: str, link: str) -> str:
    try:
        return urljoin(base, link.strip())
    except ValueError:
        return link


def _elements(body: bytes) -> Iterator[tuple[str, dict[str, str] | None]]:
    """Yield (root name, None), then (name, {child name: text}) for each <url> and <sitemap>."""
    parser = etree.iterparse(
        io.BytesIO(body),
        events=("start", "end"),
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
    )
    root: Any = None
    try:
        for event, element in parser:
            name = _local(element)
            if root is None:
                root = element
                yield name, None
            elif event == "end" and name in ("url", "sitemap"):
                values: dict[str, str] = {}
                for child in element.iter():
                    # The entry's own loc comes before those of its images and videos.
                    values.setdefault(_local(child), (child.text or "").strip())
                yield name, values
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except etree.XMLSyntaxError:
        return  # what was read until here stands


def _local(element: Any) -> str:
    tag = element.tag
    # A prefix that was never declared stays part of the name.
    return tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(tag, str) else ""


def _sitemap_entry(url: str, values: dict[str, str]) -> Entry:
    claims = Claims(
        title=values.get("title") or None,
        published_at=values.get("publication_date") or None,
        language=values.get("language") or None,
    )
    return Entry(url, _w3c_date(values.get("lastmod") or values.get("publication_date") or ""), claims)


def _w3c_date(text: str) -> datetime | None:
    """Parse a W3C date or time (2026-03-01, 2026-03-01T10:00Z); None for anything else."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None


def _moment(parsed: Any) -> datetime | None:
    """feedparser's nine-tuple in UTC as an aware time."""
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None
