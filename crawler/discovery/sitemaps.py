"""Reads sitemaps and sitemap indexes (sitemaps.org), XML or text, and the Sitemap lines of robots.txt."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lxml import etree

from crawler.discovery.entries import SourceEntry, absolute, refuse_entities, w3c_date
from pipeline.document import Claims

# The sitemap protocol's own limit for one file.
MAX_SITEMAP_ENTRIES = 50_000
# Characters of a value. Longer than crawler.sites.MAX_URL_LENGTH, as in feeds.
_MAX_TEXT = 2100
# Tags that begin before one ends. For each, libxml2's iterative parser looks for the end of all.
_MAX_OPEN_TAGS = 20
_MAX_ROBOTS_BYTES = 500_000

_XML_START = re.compile(rb"[\xef\xbb\xbf\xff\xfe\0\s]*<")
# A bare `&`, of which addresses are full, and CDATA sections, where it is allowed.
_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});)")
_CDATA_OR_AMPERSAND = re.compile(rb"(<!\[CDATA\[.*?\]\]>)|" + _AMPERSAND.pattern, re.DOTALL)
_TEXT_SITEMAP_LINE = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Sitemap:
    """A sitemap's entries; with is_index they are the addresses of other sitemaps."""

    entries: tuple[SourceEntry, ...]
    is_index: bool = False


def parse_sitemap(body: bytes, url: str) -> Sitemap:
    """Return the entries of a sitemap or sitemap index (XML, or text with one address on each line).

    url: where it came from; relative addresses are relative to it. Raises ValueError if it is neither.
    """
    refuse_entities(body)
    if _XML_START.match(body):
        return _xml_sitemap(body, url)
    lines = (line.decode("utf-8-sig", "replace").strip() for line in io.BytesIO(body))
    addresses = (line for line in lines if _TEXT_SITEMAP_LINE.fullmatch(line))
    entries = tuple(SourceEntry(address) for address in islice(addresses, MAX_SITEMAP_ENTRIES))
    if not entries:
        raise ValueError("no sitemap: neither XML nor a list of addresses")
    return Sitemap(entries)


def _xml_sitemap(body: bytes, url: str) -> Sitemap:
    """Read element by element and drop what was read. A damaged file is read as far as libxml2 can."""
    is_utf_16 = body.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in body[:4]
    if not is_utf_16:
        body = _with_escaped_ampersands(body.lstrip())
    events = etree.iterparse(
        io.BytesIO(_up_to_open_tags(body)),
        events=("start", "end"),
        recover=True,
        resolve_entities=False,
        no_network=True,
    )
    root = None
    entries: list[SourceEntry] = []
    try:
        for event, element in events:
            name = _local_name(element)
            if root is None:
                root = name
                if root not in ("urlset", "sitemapindex"):
                    raise ValueError(f"no sitemap: its root element is <{root[:40]}>")
            if event == "end" and name in ("url", "sitemap"):
                if entry := _entry(element, url):
                    entries.append(entry)
                if len(entries) == MAX_SITEMAP_ENTRIES:
                    break
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except etree.XMLSyntaxError:
        pass
    if root is None:
        raise ValueError("no sitemap: not XML")
    return Sitemap(tuple(entries), is_index=root == "sitemapindex")


def _up_to_open_tags(body: bytes) -> bytes:
    """The XML up to where tags begin and do not end."""
    at = 0
    while at < len(body):
        end = body.find(b">", at) + 1 or len(body)
        if body.count(b"<", at, end) > _MAX_OPEN_TAGS:
            return body[:at]
        at = end
    return body


def _with_escaped_ampersands(body: bytes) -> bytes:
    """The XML with its bare ampersands escaped; a CDATA section that nothing closes is none."""
    closed = body.rfind(b"]]>") + 3 if b"]]>" in body else 0
    whole = _CDATA_OR_AMPERSAND.sub(lambda found: found[1] or b"&amp;", body[:closed])
    return whole + _AMPERSAND.sub(b"&amp;", body[closed:])


def _entry(element: Any, url: str) -> SourceEntry | None:
    """The entry in a <url> or <sitemap>. The first <loc> counts: others are of its images and videos."""
    values: dict[str, str] = {}
    for child in element.iter(etree.Element):
        text = (child.text or "").strip()[:_MAX_TEXT]
        if text:
            values.setdefault(_local_name(child), text)
    if "loc" not in values:
        return None
    claims = Claims(
        title=values.get("title"),
        published_at=values.get("publication_date"),
        language=values.get("language"),
    )
    at = w3c_date(values.get("lastmod") or values.get("publication_date") or "")
    return SourceEntry(absolute(url, values["loc"]), at, claims)


def _local_name(element: Any) -> str:
    name: str = etree.QName(element).localname
    return name.lower()


def sitemaps_in_robots(body: bytes, url: str) -> tuple[str, ...]:
    """Return the addresses on the Sitemap lines of a robots.txt."""
    lines = (line.partition(":") for line in body[:_MAX_ROBOTS_BYTES].decode("utf-8", "replace").splitlines())
    found = (value.strip() for key, _, value in lines if key.strip().lower() == "sitemap")
    return tuple(dict.fromkeys(absolute(url, value) for value in found if value))
