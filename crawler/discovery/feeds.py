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
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, islice
from time import thread_time
from typing import Any
from urllib.parse import urljoin

import feedparser
from lxml import etree
from w3lib.encoding import http_content_type_encoding

from crawler.files import Unpacked
from pipeline.document import Claims

# A feed is a list of what is new; whoever sends more than this sends an archive.
MAX_ENTRIES = 1000
# feedparser takes up to 6 s a megabyte on 5 MB of nested or unclosed elements, and some minutes on 5 MB of
# `<`; so it is given what libxml2 (0.1 s) found, without the descriptions, and no more than this.
MAX_REDUCED_BYTES = 1_500_000
# More than crawler.sites.urls.MAX_URL_LENGTH: an address that is cut here is still too long to be asked for.
MAX_TEXT = 2100
# Elements within elements: deeper than this nothing is meant.
MAX_DEPTH = 256
# Processor time that the XML of one source gets; what was read by then stands. 100 MB of sitemap take 2 s.
MAX_SECONDS = 10.0
# The sitemap protocol's own limit for one file.
MAX_SITEMAP_ENTRIES = 50_000

# A JSON feed is read as a whole, into some ten times its size.
MAX_JSON_BYTES = 10_000_000

_GZIP = b"\x1f\x8b"
_PIECE = 1 << 16
_BLANKS = re.compile(rb"\s*")
_BLANKS_AND_BRACE = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{")
_BLANKS_AND_TAG = re.compile(rb"[\xef\xbb\xbf\s]*<")
_ENTITY = re.compile(rb"<!\s*ENTITY", re.IGNORECASE)
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]{1,6})|(\d{1,7}));")
_DECLARED_ENCODING = re.compile(rb"encoding\s*=", re.IGNORECASE)
_LONE_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});)")
_WANTED = frozenset(
    {"rss", "rdf", "feed", "channel", "item", "entry", "title", "link", "guid", "id", "language"}
    | {"pubdate", "date", "published", "updated", "modified", "issued", "created"}
    | {"author", "creator", "contributor", "name", "origlink"}
)
_ATTRIBUTES = frozenset({"href", "rel", "type", "isPermaLink", "version"})
_XML_NAMESPACE = "{http://www.w3.org/XML/1998/namespace}"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SITEMAP_KEYS = frozenset({"loc", "lastmod", "publication_date", "title", "language"})
# What these names are in, where a feed forgets to say so: then the parser leaves the prefix out.
_USUAL_NAMESPACES = {
    "creator": "{http://purl.org/dc/elements/1.1/}creator",
    "date": "{http://purl.org/dc/elements/1.1/}date",
    "origLink": "{http://rssnamespace.org/feedburner/ext/1.0}origLink",
}
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


def parse_feed(body: bytes, url: str, content_type: str | None = None) -> tuple[Entry, ...]:
    """Return a feed's entries in the feed's order, their addresses absolute.

    url: where the feed came from; relative addresses are relative to it.
    Raises ValueError for what is no feed.
    """
    if _BLANKS_AND_BRACE.match(body):
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
    if not _BLANKS_AND_TAG.match(body):
        lines = (line.decode("utf-8-sig", "replace").strip() for line in io.BytesIO(body))
        addresses = (line for line in lines if _TEXT_SITEMAP_LINE.fullmatch(line))
        named = tuple(Entry(address) for address in islice(addresses, MAX_SITEMAP_ENTRIES))
        if not named:
            raise ValueError("no sitemap: neither XML nor a list of addresses")
        return Sitemap(named)
    found = _SitemapTarget()
    _read_xml(body, found, None)
    root = found.root
    if root not in ("urlset", "sitemapindex"):
        raise ValueError(f"no sitemap: its root element is <{root[:40]}>" if root else "no sitemap: not XML")
    entries = (_sitemap_entry(_absolute(url, values["loc"]), values) for values in found.entries)
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
    is_declared = _DECLARED_ENCODING.search(body[:400])
    found = _FeedTarget()
    _read_xml(body, found, None if is_declared else http_content_type_encoding(content_type or ""))
    if found.root is None or _local(found.root.tag) not in ("rss", "rdf", "feed"):
        raise ValueError("no RSS, Atom or JSON feed")
    reduced: bytes = etree.tostring(found.root, encoding="utf-8", xml_declaration=True)
    if len(reduced) > MAX_REDUCED_BYTES:
        raise ValueError(
            f"no RSS, Atom or JSON feed that could be read: {len(reduced)} bytes of bare entries"
        )
    return reduced


class _Enough(Exception):
    """Raised by what is told of a document's elements, when it needs to know no more."""


class _FeedTarget:
    """Takes of a feed what `_feed_entry` asks for, as the parser tells of it; no tree of the rest is made.

    root: None where there was no element. Elements of other names go with all that is in them, but for those
    in a title, of which the text stays.
    """

    def __init__(self) -> None:
        self.root: Any = None
        self._open: list[Any] = []
        self._skipped = 0
        self._entries = 0
        self._text = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = _local(tag)
        if self._skipped + len(self._open) > MAX_DEPTH:
            raise _Enough
        if self._skipped or (self._open and name not in _WANTED):
            self._skipped += 1
            return
        self._entries += name in ("item", "entry")
        self._text += len(name) + sum(len(value) for value in attributes.values())
        if self._entries > MAX_ENTRIES or self._text > MAX_REDUCED_BYTES:
            raise _Enough
        kept = {
            key: _sound(value[:MAX_TEXT])
            for key, value in attributes.items()
            if key.startswith(_XML_NAMESPACE) or key in _ATTRIBUTES
        }
        try:
            element = etree.Element(_USUAL_NAMESPACES.get(tag, tag), kept)
        except ValueError:  # a namespace that is no address
            self._skipped += 1
            return
        if self._open:
            self._open[-1].append(element)
        else:
            self.root = element
        self._open.append(element)

    def data(self, text: str) -> None:
        if not self._open or (self._skipped and _local(self._open[-1].tag) != "title"):
            return
        element = self._open[-1]
        if len(element) == 0:
            said = element.text or ""
            element.text = said + _sound(text[: max(0, MAX_TEXT - len(said))])
            self._text += len(element.text) - len(said)

    def end(self, tag: str) -> None:
        if self._skipped:
            self._skipped -= 1
        elif self._open:
            self._open.pop()

    def close(self) -> None:
        pass


class _SitemapTarget:
    """Takes of a sitemap the texts of each <url> and <sitemap>, the first of each name.

    So the entry's own loc comes before those of its images and videos. root: "" where there was no element.
    """

    def __init__(self) -> None:
        self.root = ""
        self.entries: list[dict[str, str]] = []
        self._values: dict[str, str] | None = None
        self._name = ""
        self._text = ""
        self._depth = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = _local(tag)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Enough
        if not self.root:
            self.root = name
            if name not in ("urlset", "sitemapindex"):
                raise _Enough
        elif name in ("url", "sitemap"):
            self._values = {}
        self._name, self._text = name, ""

    def data(self, text: str) -> None:
        if self._values is not None and len(self._text) < MAX_TEXT:
            self._text += text[:MAX_TEXT]

    def end(self, tag: str) -> None:
        name = _local(tag)
        self._depth -= 1
        if self._values is None:
            return
        if name == self._name and name in _SITEMAP_KEYS:
            self._values.setdefault(name, self._text.strip())
        elif name in ("url", "sitemap"):
            self.close()
            if len(self.entries) >= MAX_SITEMAP_ENTRIES:
                raise _Enough

    def close(self) -> None:
        """Take the entry that is being read, also where the sitemap ends in the middle of it."""
        if self._values and self._values.get("loc"):
            self.entries.append(self._values)
        self._values = None


def _read_xml(body: bytes, target: _FeedTarget | _SitemapTarget, encoding: str | None) -> None:
    """Tell the target of the document's elements, as far as it can be read and the target wants to know.

    Raises ValueError for an encoding that is unknown.
    """
    try:
        parser = etree.XMLParser(
            target=target,
            encoding=encoding,
            recover=True,
            # There are none but XML's own five; False would leave those of attributes as references.
            resolve_entities="internal",
            no_network=True,
            load_dtd=False,
            huge_tree=False,
        )
    except LookupError as error:
        raise ValueError(str(error)) from error
    is_wide = body.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in body[:4]
    pieces = _pieces(body) if is_wide else _with_sound_ampersands(body)
    until = thread_time() + MAX_SECONDS
    with suppress(etree.XMLSyntaxError, _Enough):  # what was read until here stands
        for piece in pieces:
            parser.feed(piece)
            if thread_time() > until:
                break
        else:
            parser.close()
    target.close()


def _pieces(body: bytes, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes from start to end, some at a time; no `&` is parted from what follows it closely."""
    end = len(body) if end is None else end
    while start < end:
        upto = min(start + _PIECE, end)
        if upto < end and (ampersand := body.rfind(b"&", upto - 16, upto)) > start:
            upto = ampersand
        yield body[start:upto]
        start = upto


def _with_sound_ampersands(body: bytes) -> Iterator[bytes]:
    """The body in pieces, each `&` that begins no XML entity escaped (addresses are full of them).

    References to characters that XML forbids go: libxml2 loses what follows them, or gives no text at all.
    CDATA sections are left as they are; blanks before the XML declaration go.
    """
    at = _BLANKS.match(body).end()  # type: ignore[union-attr]
    waiting = bytearray()
    while at < len(body):
        start = body.find(b"<![CDATA[", at)
        start = len(body) if start < 0 else start
        end = body.find(b"]]>", start)
        end = len(body) if end < 0 else end + 3
        sound = (
            _REFERENCE.sub(_if_allowed, _LONE_AMPERSAND.sub(b"&amp;", piece))
            for piece in _pieces(body, at, start)
        )
        for piece in chain(sound, _pieces(body, start, end)):
            waiting += piece
            if len(waiting) >= _PIECE:
                yield bytes(waiting)
                waiting.clear()
        at = end
    yield bytes(waiting)


def _if_allowed(reference: re.Match[bytes]) -> bytes:
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    return b"" if code > 0x10FFFF or _FORBIDDEN.match(chr(code)) else reference[0]


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
    if len(body) > MAX_JSON_BYTES:
        raise ValueError(f"no JSON feed that could be read: {len(body)} bytes")
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


def _local(tag: str) -> str:
    return tag.rpartition("}")[2].lower()


def _sound(text: str) -> str:
    """The text without characters that XML forbids: a reference to one (`&#27;`) still gives one."""
    return _FORBIDDEN.sub("", text)


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
