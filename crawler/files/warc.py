"""Reads WARC files (ISO 28500): the pages among the records, also of damaged files.

The records are split here and not by warcio's ArchiveIterator, which ends at the first damaged record,
refuses files that are compressed as a whole, and unpacks bodies without a limit. warcio parses the headers.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser

from crawler.files.position import (
    MAX_URL,
    SKIP_BYTES,
    DocumentOrRejection,
    FilePosition,
    plausible_time,
    printable,
    valid_text,
)
from crawler.files.unpack import Reader, unpack_body
from crawler.files.window import Window
from pipeline.document import Claims, Document, MediaType, Origin, Reason
from pipeline.metadata import SiteFiles, clean_rights, header_rights, is_site_file
from pipeline.page import (
    SOURCE_HEADER,
    document_of_source,
    kept_headers,
    restored_headers,
    sniff_media_type,
)
from pipeline.urls import web_url

# The product name whose group of a robots.txt holds for what is read here.
_AGENT = "copydesk"
# Most bytes of the headers of a WARC record or an HTTP response.
_HEADER_BYTES = 1 << 18
_WARC_VERSIONS = ["WARC/1.1", "WARC/1.0", "WARC/0.18", "WARC/0.17"]
_warc_headers = StatusAndHeadersParser(_WARC_VERSIONS, verify=False)
_http_headers = StatusAndHeadersParser(["HTTP/"], verify=False)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_HTML_TYPES = ("text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml")
_UNKNOWN_TYPES = ("", "application/octet-stream", "application/unknown", "unknown/unknown")
_NEXT_RECORD = re.compile(rb"\n()WARC/[01]\.\d")
_RECORD_START = re.compile(rb"WARC/[01]\.\d")
# How much is looked at to tell whether a record begins.
_BOUNDARY_BYTES = 64
# Of the charset and the outlet that a record names.
_LONGEST_NAME = 300
# Content codings of one body that are taken off.
_MAX_CODINGS = 4


def read_warc(reader: Reader, position: FilePosition) -> Iterator[DocumentOrRejection]:
    """Yield the pages of a WARC file; other records (requests, images) are skipped.

    Of the records before a page, a robots.txt and a tdmrep.json of its host say what its rights are.
    """
    limit = position.settings.max_body_bytes + _HEADER_BYTES
    stream = Window(reader)
    sites = SiteFiles()
    number = 0
    while line := stream.line(_HEADER_BYTES):
        if not line.strip():
            continue
        number += 1
        here = position.record(number)
        headers = _header_block(line, stream)
        length = _content_length(headers) if headers else None
        if headers is None or length is None:
            if _skip_to_record(stream) or not position.fault:
                yield here.rejection(
                    Reason.MALFORMED_RECORD,
                    f"record {number} has no WARC header with a Content-Length: skipped",
                )
            continue
        if not _is_page(headers) or length > limit:
            is_whole = stream.skip(length) == length
            if is_whole and not _is_at_boundary(stream, 0):
                yield here.rejection(Reason.MALFORMED_RECORD, f"record {number} is not as long as it says")
                _skip_to_record(stream)
                continue
            if is_whole and _is_page(headers):
                yield here.too_large(f"record {number}")
        else:
            is_whole = stream.fill(length) >= length
            if not (is_whole and _is_at_boundary(stream, length)):
                # Its length is false, or the file is cut: the next record may begin inside of it.
                found = stream.find(_NEXT_RECORD, length)
                if found or is_whole:
                    detail = f"record {number} is not as long as it says"
                    yield here.rejection(Reason.MALFORMED_RECORD, detail)
                    stream.skip(stream.distance(found.end(1)) if found else length)
                    if not found:
                        _skip_to_record(stream)
                    continue
            else:
                item = _warc_document(headers, stream.take(length), here, sites)
                if item is not None:
                    yield item
        if not is_whole:
            if not position.fault:
                detail = f"the file ends inside record {number}: fetch or copy it again"
                yield position.rejection(Reason.UNREADABLE, detail)
            break
    if position.fault:
        detail = f"{position.fault}, after {number} records: fetch or copy the file again"
        yield position.rejection(Reason.UNREADABLE, detail)


def _is_at_boundary(stream: Window, distance: int) -> bool:
    """True if a record may end at this distance: there is an empty line, the next record, or the end."""
    stream.fill(distance + _BOUNDARY_BYTES)
    following = stream.peek(distance, distance + _BOUNDARY_BYTES).partition(b"\n")[0]
    return not following.strip() or following.startswith(b"WARC/")


def _skip_to_record(stream: Window) -> bool:
    """Move to the next line that begins a record; False if there is none before the end of the file."""
    if stream.fill(_BOUNDARY_BYTES) and _RECORD_START.match(stream.peek(0, _BOUNDARY_BYTES)):
        return True
    while held := stream.fill(SKIP_BYTES):
        if found := stream.find(_NEXT_RECORD, held):
            stream.skip(stream.distance(found.end(1)))
            return True
        is_end = held < SKIP_BYTES
        stream.skip(
            held if is_end else held - _BOUNDARY_BYTES
        )  # the end may have a part of what is looked for
    return False


def _header_block(first: bytes, stream: Window) -> StatusAndHeaders | None:
    """Read the headers that follow the line `first`; None if that is no version line."""
    if not first.startswith(b"WARC/"):
        return None
    lines = [first]
    size = len(first)
    while (line := stream.line(_HEADER_BYTES)).strip():
        lines.append(line)
        size += len(line)
        if size > _HEADER_BYTES:
            return None
    return _warc_headers.parse(io.BytesIO(b"".join(lines) + b"\r\n"))


def _content_length(headers: StatusAndHeaders) -> int | None:
    value = headers.get_header("Content-Length") or ""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else None


def _is_page(headers: StatusAndHeaders) -> bool:
    """Tell whether a record may hold a page: a response, or a resource or conversion that is HTML or text.

    A tdmrep.json is looked at as pages are.
    """
    kind = headers.get_header("WARC-Type")
    content_type = _media_type_of(headers)
    if kind == "response":
        return content_type in ("application/http", "")
    is_text = content_type in (*_HTML_TYPES, "text/plain")
    return kind in ("resource", "conversion") and (is_text or is_site_file(_target(headers)))


def _warc_document(
    headers: StatusAndHeaders, block: bytes, position: FilePosition, sites: SiteFiles
) -> DocumentOrRejection | None:
    """Return the page in a record; None where the record holds something else, such as an image.

    sites: what the robots.txt and tdmrep.json of hosts have said so far; such a record is added to it.
    """
    target = _target(headers)
    is_long = len(target) > MAX_URL
    url = (None if is_long else web_url(printable(target))) or position.url
    date = _warc_date(headers.get_header("WARC-Date") or "", position)
    position = replace(position, fetched_at=date)
    if (line := headers.get_header(SOURCE_HEADER)) and (own := _own_document(line, headers, block, date)):
        return own if len(own.body) <= position.settings.max_body_bytes else position.too_large("the page")
    body, content_type, fault = block, headers, None
    response_headers: list[tuple[str, str]] = []
    if headers.get_header("WARC-Type") == "response":
        split = re.search(rb"\r?\n\r?\n", block[:_HEADER_BYTES])
        if not block.startswith(b"HTTP/") or not split:
            return position.rejection(Reason.MALFORMED_RECORD, "the record is no HTTP response")
        content_type = _http_headers.parse(io.BytesIO(block[: split.end()]))
        response_headers = [(name, valid_text(value)) for name, value in content_type.headers]
        is_other = _media_type_of(content_type) not in (*_HTML_TYPES, *_UNKNOWN_TYPES)
        if is_other and not is_site_file(url):
            return None
        status = content_type.get_statuscode()
        if status.startswith(("1", "3")) or status == "204" or (is_other and not status.startswith("2")):
            return None  # no page: the page that it leads to has its own record
        if not status.startswith("2"):
            return position.rejection(Reason.ERROR_PAGE, f"the server answered HTTP {status[:40]}")
        body, fault = _http_body(content_type, block[split.end() :], position)
    if is_site_file(url):
        sites.add(url, body, _AGENT)
        return None
    if len(body) > position.settings.max_body_bytes:
        return position.too_large("the page")
    if fault:
        return position.rejection(Reason.UNREADABLE, f"{fault} in the HTTP body: fetch the page again")
    media_type = sniff_media_type(body) if body.strip() else MediaType.TEXT
    if media_type is None or (
        media_type is MediaType.TEXT and body.strip() and _media_type_of(content_type) in _UNKNOWN_TYPES
    ):
        return position.rejection(Reason.UNSUPPORTED, "neither HTML nor text")
    if is_long:
        return position.long_url("the record")
    charset = _CHARSET.search(content_type.get_header("Content-Type") or "")
    return Document(
        location=position.location,
        url=url,
        body=body,
        media_type=media_type,
        fetched_at=position.fetched_at,
        origin=Origin.WARC,
        encoding=charset[1] if charset else None,
        claims=Claims(rights=clean_rights((*header_rights(response_headers, url), *sites.rights_of(url)))),
        headers=kept_headers(response_headers),
    )


def _target(headers: StatusAndHeaders) -> str:
    target: str = headers.get_header("WARC-Target-URI") or ""
    return target.strip().strip("<>").replace(" ", "%20")


def _own_document(line: str, headers: StatusAndHeaders, block: bytes, date: datetime) -> Document | None:
    """The page of a record that `storage.upkeep.export_pages` wrote; None if it is none."""
    received: tuple[tuple[str, str], ...] = ()
    if headers.get_header("WARC-Type") == "response":
        split = re.search(rb"\r?\n\r?\n", block[:_HEADER_BYTES])
        if not block.startswith(b"HTTP/") or not split:
            return None
        answer = _http_headers.parse(io.BytesIO(block[: split.end()]))
        received = restored_headers((name, valid_text(value)) for name, value in answer.headers)
        block = block[split.end() :]
    found = document_of_source(line, block, date, received)
    return found if found is not None and _is_plausible(found) else None


def _is_plausible(document: Document) -> bool:
    """Whether the values that a record gives itself are such as a file or a crawl would have given it."""
    addresses = (document.location, document.url)
    names = (document.encoding or "", document.publisher or "")
    return (
        all(0 < len(address) <= MAX_URL and printable(address) == address for address in addresses)
        and (document.url.startswith("file:") or web_url(document.url) is not None)
        and all(len(name) <= _LONGEST_NAME and valid_text(name) == name for name in names)
    )


def _media_type_of(headers: StatusAndHeaders) -> str:
    value: str = headers.get_header("Content-Type") or ""
    return value.partition(";")[0].strip().lower()


def _http_body(headers: StatusAndHeaders, body: bytes, position: FilePosition) -> tuple[bytes, str | None]:
    """Return the body without transfer and content codings, and what is wrong with them, if anything."""
    if "chunked" in (headers.get_header("Transfer-Encoding") or "").lower():
        body = _dechunked(body)
    codings = [c.strip().lower() for c in (headers.get_header("Content-Encoding") or "").split(",")]
    if len(codings) > _MAX_CODINGS:
        return body, f"more than {_MAX_CODINGS} content codings"
    for coding in reversed(codings):
        coding = coding.removeprefix("x-")
        if coding in ("gzip", "deflate", "br", "zstd"):
            body, fault = unpack_body(body, coding, position.settings.max_body_bytes + 1)
            if fault and len(body) <= position.settings.max_body_bytes:
                return body, fault
        elif coding not in ("", "identity", "none", "utf-8"):
            return body, f"unknown content coding {coding[:20]}"
    return body, None


def _dechunked(body: bytes) -> bytes:
    """Join the chunks of an HTTP/1.1 body (RFC 9112, 7.1); a body without chunks is returned as it is."""
    pieces: list[bytes] = []
    at = 0
    while match := _CHUNK_HEAD.match(body, at):
        size = int(match[1], 16)
        if size == 0:
            return b"".join(pieces)
        pieces.append(body[match.end() : match.end() + size])
        at = match.end() + size
        at += 2 if body.startswith(b"\r\n", at) else 0
    # A body that is cut inside a chunk gives what there is. Without any chunk, the header is wrong.
    return b"".join(pieces) if pieces and at >= len(body) else body


_CHUNK_HEAD = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]{0,4096})?\r\n")


def _warc_date(value: str, position: FilePosition) -> datetime:
    try:
        date = datetime.fromisoformat(value.strip())
    except ValueError:
        return position.fetched_at
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return plausible_time(date.timestamp(), position.now)
