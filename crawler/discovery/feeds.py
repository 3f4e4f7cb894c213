"""Reads RSS and Atom feeds with feedparser, and JSON Feed (jsonfeed.org, versions 1.0 and 1.1).

feedparser takes seconds for a megabyte of broken XML. Feeds are therefore read in a worker process with
limits of time and memory (`crawler.runs.WorkerPool.run`), and never in the process that crawls.
"""

from __future__ import annotations

import calendar
import io
import json
import re
from datetime import UTC, datetime
from typing import Any

import feedparser
from w3lib.encoding import http_content_type_encoding

from crawler.discovery.entries import SourceEntry, absolute, refuse_entities, w3c_date
from pipeline.document import Claims

# A feed lists what is new; one with more entries than this is an archive.
MAX_ENTRIES = 1000
# Characters of a title, date, name or address. Longer than crawler.sites.MAX_URL_LENGTH, so that an address
# that is cut here is still too long to be fetched.
MAX_TEXT = 2100

_JSON_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{")
_DECLARED_ENCODING = re.compile(rb"encoding\s*=", re.IGNORECASE)
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]{1,8})|(\d{1,9}));")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|br|em|font|i|mark|small|span|strong|sub|sup|u|wbr)(?:\s[^<>]*)?/?>", re.I
)


def parse_feed(body: bytes, url: str, content_type: str | None = None) -> tuple[SourceEntry, ...]:
    """Return a feed's entries in the feed's order, their addresses absolute.

    url: where the feed came from; relative addresses are relative to it. content_type: as in the HTTP header.
    Raises ValueError if it is not a feed.
    """
    if _JSON_START.match(body):
        return _json_feed(body, url)
    refuse_entities(body)
    is_declared = _DECLARED_ENCODING.search(body[:400])
    charset = None if is_declared else http_content_type_encoding(content_type or "")
    # Not the type that the server gave: feedparser takes `text/xml` without a charset for ASCII.
    feed_type = f"application/xml; charset={charset}" if charset else "application/xml"
    try:
        feed = feedparser.parse(
            # A stream, and not the bytes: feedparser opens the file or address that bytes name.
            io.BytesIO(_REFERENCE.sub(_if_allowed, body)),
            response_headers={"content-location": url, "content-type": feed_type},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except MemoryError:
        raise
    except Exception as error:  # damaged input raises many kinds of errors
        raise ValueError(f"no RSS or Atom feed that can be read ({type(error).__name__}: {error})") from error
    if not feed.get("version") and not feed.entries:
        raise ValueError("no RSS, Atom or JSON feed")
    language = _text(feed.feed.get("language"))
    entries = (_feed_entry(entry, url, language) for entry in feed.entries[:MAX_ENTRIES])
    return tuple(entry for entry in entries if entry is not None)


def _if_allowed(reference: re.Match[bytes]) -> bytes:
    """A character reference, or nothing where XML forbids the character: feedparser fails on some."""
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    return b"" if code > 0x10FFFF or _FORBIDDEN.match(chr(code)) else reference[0]


def _feed_entry(entry: Any, url: str, language: str | None) -> SourceEntry | None:
    link = _text(entry.get("feedburner_origlink")) or _text(entry.get("link"))
    if not link:
        return None
    # dict.get: feedparser's own lookup maps `published` and `updated` onto each other, with a warning.
    published, updated = _text(dict.get(entry, "published")), _text(dict.get(entry, "updated"))
    names = [_text(author.get("name")) for author in entry.get("authors", ()) if author]
    title = _text(entry.get("title"))
    claims = Claims(
        title=_text(_INLINE_TAG.sub("", title)) if title else None,
        published_at=published or updated,
        authors=tuple(dict.fromkeys(name for name in names if name)),
        language=language,
    )
    at = _moment(dict.get(entry, "updated_parsed") or dict.get(entry, "published_parsed"))
    return SourceEntry(absolute(url, link), at, claims)


def _json_feed(body: bytes, url: str) -> tuple[SourceEntry, ...]:
    try:
        feed = json.loads(body)
        version, items = str(feed["version"]), feed["items"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"no JSON feed ({type(error).__name__}: {error})") from error
    if "jsonfeed.org" not in version or not isinstance(items, list):
        raise ValueError("no JSON feed")
    entries = []
    for item in items[:MAX_ENTRIES]:
        link = _text(item.get("url")) if isinstance(item, dict) else None
        if link is None:
            continue
        authors = item.get("authors") or [item.get("author")]
        names = [a.get("name") for a in authors if isinstance(a, dict)] if isinstance(authors, list) else []
        claims = Claims(
            title=_text(item.get("title")),
            published_at=_text(item.get("date_published")),
            authors=tuple(name for name in map(_text, names) if name),
            language=_text(item.get("language")) or _text(feed.get("language")),
        )
        at = w3c_date(_text(item.get("date_modified")) or claims.published_at or "")
        entries.append(SourceEntry(absolute(url, link), at, claims))
    return tuple(entries)


def _text(value: Any) -> str | None:
    """A text without control characters, cut to MAX_TEXT; None for what is none, or blank."""
    if not isinstance(value, str):
        return None
    return _FORBIDDEN.sub("", value[:MAX_TEXT]).strip() or None


def _moment(parsed: Any) -> datetime | None:
    """feedparser's time, nine numbers in UTC, as an aware datetime."""
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None
