"""The local-file source: paths in, documents out, one at a time.

What a file is, is judged by its content; its name is a second opinion only for text, where a style
sheet and an article look alike. Compression (gzip, zstd, bzip2, xz) is looked through, archives (zip,
tar) are read member by member without unpacking anything to disk, JSONL and WARC record by record:
only the document in hand is in memory, and that is at most `Settings.max_body_bytes`.

What cannot be read is a `Rejection`, never an exception. Where a container is cut short, what stands
before the damage is delivered, and one rejection names the container.

Not read: names that begin with a dot and `__MACOSX` (of folders and archives; a path that is given
is always read), links inside archives, archives inside archives inside archives. Folders are walked in
order of name, each once, also where links lead to it again.
"""

from __future__ import annotations

import io
import json
import os
import re
import stat
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, BinaryIO, cast
from urllib.parse import quote, urlsplit

from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser

from crawler.unpack import BUFFER, Chained, Reader, Unpacked, compression, unpack_body
from pipeline.decode import sniff
from pipeline.document import Claims, Document, MediaType, Origin, Reason, Rejection, Stage
from pipeline.errors import OperatorError
from pipeline.settings import Settings

# Bytes looked at to tell what a file is.
_HEAD = 1 << 16
# An archive inside an archive that must be copied to a temporary file to be read (zip) is limited to this.
_NESTED_BYTES = 1 << 30
# Layers of compression that are looked through (.tar.gz inside .gz happens by accident).
_LAYERS = 3
_SKIP = 1 << 20
# Header block of one WARC record or HTTP response: real ones have a few hundred bytes, cookies a few KiB.
_HEADER_BYTES = 1 << 18

Item = Document | Rejection


def read_paths(paths: Sequence[str], settings: Settings) -> Iterator[Item]:
    """Yield the documents of files and folders, in the order given, folders in order of name.

    "-" is standard input. The order and every location and URL are the same whenever the same files
    are read. Raises OperatorError at once, before anything is read, where a path does not exist.
    """
    for path in paths:
        if path != "-" and not os.path.lexists(path):
            raise OperatorError(f"{_printable(path)}: no such file or folder")
    return _read_all(paths, settings, datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where bytes stand: how it is written (`location`), addressed (`url`), and how old it is.

    inner: what follows the file's path in the location, e.g. `!member#3`.
    faults: the compressed streams that the bytes come through, outermost first.
    """

    path: str
    url_base: str
    name: str
    fetched_at: datetime
    now: datetime
    settings: Settings
    inner: str = ""
    faults: tuple[Unpacked, ...] = ()
    archives: int = 0

    @property
    def location(self) -> str:
        return _printable(self.path + self.inner)

    @property
    def url(self) -> str:
        inner = self.inner.removeprefix("#")
        return f"{self.url_base}#{_quoted(inner)}" if inner else self.url_base

    @property
    def fault(self) -> str | None:
        return next((unpacked.fault for unpacked in self.faults if unpacked.fault), None)

    def record(self, number: int) -> _Place:
        return replace(self, inner=f"{self.inner}#{number}")

    def member(self, name: str, modified: float | None) -> _Place:
        return replace(
            self,
            inner=f"{self.inner}!{name}",
            name=name,
            fetched_at=self.fetched_at if modified is None else _plausible(modified, self.now),
            faults=(),  # the archive's own: a member that came through whole is whole
            archives=self.archives + 1,
        )

    def rejection(self, reason: Reason, detail: str) -> Rejection:
        return Rejection(
            location=self.location,
            url=self.url,
            stage=Stage.SOURCE,
            reason=reason,
            detail=_printable(detail)[:500],
            at=self.fetched_at,
            rules_version=self.settings.rules_version,
        )

    def too_large(self, what: str) -> Rejection:
        limit = self.settings.max_body_bytes
        return self.rejection(Reason.TOO_LARGE, f"{what} is longer than {limit} bytes (max_body_bytes)")


def _read_all(paths: Sequence[str], settings: Settings, now: datetime) -> Iterator[Item]:
    for path in paths:
        if path == "-":
            yield from _read_standard_input(settings, now)
        elif os.path.isdir(path):
            yield from _read_folder(path, settings, now, set())
        else:
            yield from _read_file(path, settings, now, is_given=True)


def _read_standard_input(settings: Settings, now: datetime) -> Iterator[Item]:
    place = _Place("-", "file:///dev/stdin", "-", now, now, settings)
    # A file object of its own: the interpreter closes sys.stdin's buffer while another thread may read it.
    with io.FileIO(sys.stdin.fileno(), closefd=False) as raw:
        reader = io.BufferedReader(raw, BUFFER)
        head = reader.peek(_HEAD)  # what has arrived: a producer may be slow
        try:
            if head.lstrip().startswith(b"{"):
                yield from _read_jsonl(reader, place)
            elif head:
                yield from _read_stream(reader, place)
        except OSError as error:
            yield place.rejection(Reason.UNREADABLE, _os_error(error))


def _read_folder(
    folder: str, settings: Settings, now: datetime, seen: set[tuple[int, int]]
) -> Iterator[Item]:
    try:
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as entries:
            names = sorted((entry.name for entry in entries if not _is_hidden(entry.name)), key=os.fsencode)
    except OSError as error:
        yield _file_place(folder, now, now, settings).rejection(Reason.UNREADABLE, _os_error(error))
        return
    for name in names:
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            yield from _read_folder(path, settings, now, seen)
        else:
            yield from _read_file(path, settings, now, is_given=False)


def _read_file(path: str, settings: Settings, now: datetime, *, is_given: bool) -> Iterator[Item]:
    place = _file_place(path, now, now, settings)
    try:
        status = os.stat(path)
        place = replace(place, fetched_at=_plausible(status.st_mtime, now))
        # A pipe that is given (`<(zcat …)`) is read; one that is met would block the run for ever.
        if not stat.S_ISREG(status.st_mode) and not (is_given and stat.S_ISFIFO(status.st_mode)):
            yield place.rejection(Reason.UNSUPPORTED, "neither a file nor a folder")
            return
        size = min(BUFFER, max(status.st_size, 4096)) if stat.S_ISREG(status.st_mode) else BUFFER
        with io.BufferedReader(io.FileIO(path), size) as file:
            yield from _read_stream(file, place)
    except OSError as error:
        yield place.rejection(Reason.UNREADABLE, _os_error(error))


def _file_place(path: str, fetched_at: datetime, now: datetime, settings: Settings) -> _Place:
    return _Place(
        path, Path(os.path.abspath(path)).as_uri(), os.path.basename(path), fetched_at, now, settings
    )


def _read_stream(reader: Reader, place: _Place) -> Iterator[Item]:
    """Yield the documents of one stream, whatever it is."""
    head, reader = _look(reader)
    packed = compression(head)
    if packed and len(place.faults) < _LAYERS:
        unpacked = Unpacked(reader, packed)
        place = replace(place, faults=(*place.faults, unpacked), name=_without_suffix(place.name))
        yield from _read_stream(io.BufferedReader(unpacked, BUFFER), place)
    elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        yield from _read_zip(reader, place)
    elif _is_tar(head):
        yield from _read_tar(reader, place)
    elif head.lstrip(b"\r\n").startswith(b"WARC/"):
        yield from _read_warc(reader, place)
    elif _is_jsonl(head, place.name):
        yield from _read_jsonl(reader, place)
    else:
        yield _read_document(reader, place)


def _look(reader: Reader) -> tuple[bytes, Reader]:
    """Return the stream's first bytes, and the stream with them still to be read."""
    head = reader.read(_HEAD)
    if isinstance(reader.raw, io.FileIO) and reader.seekable():
        reader.seek(0)
        return head, reader
    return head, io.BufferedReader(Chained(head, reader), BUFFER)


# --- one document a file ---------------------------------------------------------------------------

# Text by its bytes, but written for machines. Named here because nothing in the bytes tells for sure.
_NOT_COPY = frozenset(
    [
        "css",
        "scss",
        "less",
        "js",
        "mjs",
        "cjs",
        "jsx",
        "ts",
        "tsx",
        "json",
        "xml",
        "xsl",
        "xsd",
        "csv",
        "tsv",
        "sql",
        "py",
        "pyc",
        "rb",
        "php",
        "pl",
        "java",
        "c",
        "h",
        "cc",
        "cpp",
        "hpp",
        "cs",
        "go",
        "rs",
        "sh",
        "bat",
        "ps1",
        "yml",
        "yaml",
        "toml",
        "ini",
        "cfg",
        "conf",
        "properties",
        "lock",
        "map",
        "svg",
        "ics",
        "vcf",
        "eml",
        "mht",
        "mhtml",
        "rtf",
        "tex",
        "bib",
    ]
)


def _read_document(reader: Reader, place: _Place) -> Item:
    limit = place.settings.max_body_bytes
    body = reader.read(limit + 1)
    if len(body) > limit:
        return place.too_large("the document")
    if place.fault:
        return place.rejection(Reason.UNREADABLE, f"{place.fault}: fetch or copy the file again")
    if not body.strip(b"\0 \t\r\n\f\xef\xbb\xbf"):
        return place.rejection(Reason.EMPTY, "the file is empty")
    media_type = sniff(body)
    if media_type is None:
        return place.rejection(Reason.UNSUPPORTED, "neither HTML nor text")
    suffix = place.name.rpartition(".")[2].lower()
    if media_type is MediaType.TEXT and suffix in _NOT_COPY:
        return place.rejection(Reason.UNSUPPORTED, f"a .{suffix} file, not a page or copied text")
    if media_type is MediaType.TEXT and _JSON_START.match(body):
        return place.rejection(
            Reason.UNSUPPORTED, 'JSON, but not JSON Lines: write one object a line, with "text" or "html"'
        )
    return Document(place.location, place.url, body, media_type, place.fetched_at, Origin.FILE)


# --- JSON Lines ------------------------------------------------------------------------------------

_JSON_START = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*"[^"\n]{0,200}"\s*:|\[\s*[\[{"])')
_JSON_BODY_KEY = re.compile(rb'[{,]\s*"(?:text|html)"\s*:')
_JSONL_SUFFIXES = ("jsonl", "ndjson", "jsonlines")


def _is_jsonl(head: bytes, name: str) -> bool:
    """Tell JSON Lines by the first lines, or by the name where they are damaged or go on beyond the head."""
    lines = [line for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    if not lines:
        return False
    is_whole = len(lines) > 1 or len(head) < _HEAD
    if is_whole and lines[0].lstrip().startswith(b"{"):
        try:
            record = json.loads(lines[0])
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            return "text" in record or "html" in record or name.rpartition(".")[2].lower() in _JSONL_SUFFIXES
    elif not is_whole and _JSON_START.match(lines[0]) and _JSON_BODY_KEY.search(lines[0]):
        return True
    return name.rpartition(".")[2].lower() in _JSONL_SUFFIXES


def _read_jsonl(reader: Reader, place: _Place) -> Iterator[Item]:
    limit = place.settings.max_body_bytes
    number = record = 0
    while line := reader.readline(limit + 2):
        number += 1
        is_cut = len(line) > limit and not line.endswith(b"\n")
        if is_cut:
            _skip_line(reader)
        elif number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        record += 1
        here = place.record(record)
        if is_cut:
            yield here.too_large(f"line {number}")
        elif not line.endswith(b"\n") and place.fault:
            break  # the last line is cut where the file is
        else:
            yield _json_document(line, number, here)
    if place.fault:
        detail = f"{place.fault}, after {record} records: fetch or copy the file again"
        yield place.rejection(Reason.UNREADABLE, detail)


def _skip_line(reader: Reader) -> None:
    while (piece := reader.readline(_SKIP)) and not piece.endswith(b"\n"):
        pass


def _json_document(line: bytes, number: int, place: _Place) -> Item:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        return place.rejection(Reason.MALFORMED_RECORD, f"line {number} is no JSON: {error}")
    if not isinstance(record, dict):
        return place.rejection(Reason.MALFORMED_RECORD, f"line {number} is JSON, but no object")
    html, text = record.get("html"), record.get("text")
    body = html if isinstance(html, str) and html.strip() else text
    if not isinstance(body, str):
        return place.rejection(Reason.MALFORMED_RECORD, f'line {number} has no "text" and no "html"')
    for key in ("url", "title", "language"):
        if not isinstance(record.get(key), str | None):
            return place.rejection(Reason.MALFORMED_RECORD, f'line {number}: "{key}" is no text')
    encoded = _sound(body).encode()
    if len(encoded) > place.settings.max_body_bytes:
        return place.too_large(f"line {number}")
    return Document(
        location=place.location,
        url=_record_url(record, encoded, place),
        body=encoded,
        media_type=MediaType.HTML if body is html else MediaType.TEXT,
        fetched_at=place.fetched_at,
        origin=Origin.JSONL,
        encoding="utf-8",
        publisher=_name_of(record.get("publisher")),
        claims=Claims(
            title=_text_of(record.get("title")),
            published_at=_date_of(record.get("published_at", record.get("date"))),
            authors=_authors_of(record.get("authors", record.get("author"))),
            language=_text_of(record.get("language")),
        ),
    )


def _record_url(record: dict[str, object], body: bytes, place: _Place) -> str:
    url = _text_of(record.get("url"))
    if url and _is_web(url):
        return url
    identifier = record.get("id")
    if isinstance(identifier, str | int) and str(identifier).strip():
        container = place.inner.rpartition("#")[0]
        return replace(place, inner=f"{container}#id={_sound(str(identifier))}").url
    if place.path == "-":
        # The third line of one pipe has nothing to do with the third line of the next.
        return f"{place.url_base}#crc={zlib.crc32(body):08x}-{len(body)}"
    return place.url


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url.strip())
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _text_of(value: object) -> str | None:
    return _sound(value).strip() or None if isinstance(value, str) else None


def _name_of(value: object) -> str | None:
    if isinstance(value, dict):  # as in schema.org: {"name": …}
        value = value.get("name")
    return _text_of(value)


def _authors_of(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(name for name in map(_name_of, values) if name)


def _date_of(value: object) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):  # seconds or milliseconds since 1970
        try:
            return datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC).isoformat()
        except (ValueError, OverflowError, OSError):
            return None
    return _text_of(value)


# --- WARC ------------------------------------------------------------------------------------------

_WARC_VERSIONS = ["WARC/1.1", "WARC/1.0", "WARC/0.18", "WARC/0.17"]
_warc_headers = StatusAndHeadersParser(_WARC_VERSIONS, verify=False)
_http_headers = StatusAndHeadersParser(["HTTP/"], verify=False)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_HTML_TYPES = ("text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml")
_UNKNOWN_TYPES = ("", "application/octet-stream", "application/unknown", "unknown/unknown")
_NEXT_RECORD = re.compile(rb"\r?\nWARC/[01]\.\d")


def _read_warc(reader: Reader, place: _Place) -> Iterator[Item]:
    """Yield the pages of a WARC file; records that are no documents (requests, images) are passed over.

    Framed here and not by warcio's ArchiveIterator, which ends at the first broken record, refuses
    files that are compressed as a whole, and unpacks without a limit.
    """
    limit = place.settings.max_body_bytes + _HEADER_BYTES
    number = 0
    line = b""
    while line := line or reader.readline(_HEADER_BYTES):
        if not line.strip():
            line = b""
            continue
        number += 1
        here = place.record(number)
        headers = _header_block(line, reader)
        length = _content_length(headers) if headers else None
        if headers is None or length is None:
            line = _next_warc_line(reader)
            if line or not place.fault:
                yield here.rejection(
                    Reason.MALFORMED_RECORD,
                    f"record {number} has no WARC header with a Content-Length: skipped",
                )
            continue
        is_wanted = _is_page(headers)
        block = reader.read(length) if is_wanted and length <= limit else b""
        if (len(block) if block else _skip(reader, length)) < length:
            if block and (found := _NEXT_RECORD.search(block)):
                yield here.rejection(Reason.MALFORMED_RECORD, f"record {number} is shorter than it says")
                reader, line = _back(block[found.start() :], reader), b""
                continue
            if not place.fault:
                detail = f"the file ends inside record {number}: fetch or copy it again"
                yield place.rejection(Reason.UNREADABLE, detail)
            break
        line = reader.readline(_HEADER_BYTES)
        if line.strip() and not line.startswith(b"WARC/"):
            yield here.rejection(Reason.MALFORMED_RECORD, f"record {number} is not as long as it says")
            if found := _NEXT_RECORD.search(block):
                reader, line = _back(block[found.start() :] + line, reader), b""
            else:
                line = _next_warc_line(reader)
        elif is_wanted and length > limit:
            yield here.too_large(f"record {number}")
        elif is_wanted:
            item = _warc_document(headers, block, here)
            if item is not None:
                yield item
    if place.fault:
        detail = f"{place.fault}, after {number} records: fetch or copy the file again"
        yield place.rejection(Reason.UNREADABLE, detail)


def _header_block(first: bytes, reader: Reader) -> StatusAndHeaders | None:
    """Read the header lines that follow `first`, which should be the version line; None if it is not."""
    if not first.startswith(b"WARC/"):
        return None
    lines = [first]
    size = len(first)
    while (line := reader.readline(_HEADER_BYTES)).strip():
        lines.append(line)
        size += len(line)
        if size > _HEADER_BYTES:
            return None
    return _warc_headers.parse(io.BytesIO(b"".join(lines) + b"\r\n"))


def _content_length(headers: StatusAndHeaders) -> int | None:
    value = headers.get_header("Content-Length") or ""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else None


def _next_warc_line(reader: Reader) -> bytes:
    """Skip to the next line that begins a record and return it; b"" at the end of the file."""
    is_line_start = True
    while line := reader.readline(_SKIP):
        if is_line_start and re.match(rb"WARC/[01]\.\d", line):
            return line
        is_line_start = line.endswith(b"\n")
    return b""


def _back(data: bytes, reader: Reader) -> Reader:
    return io.BufferedReader(Chained(data.lstrip(b"\r\n"), reader), BUFFER)


def _skip(reader: Reader, length: int) -> int:
    """Read `length` bytes and forget them. Returns how many there were."""
    skipped = 0
    while skipped < length and (piece := reader.read(min(_SKIP, length - skipped))):
        skipped += len(piece)
    return skipped


def _is_page(headers: StatusAndHeaders) -> bool:
    """Tell whether a record may hold a page: a response, or a resource or conversion that is HTML or text."""
    kind = headers.get_header("WARC-Type")
    content_type = _media_type_of(headers)
    if kind == "response":
        return content_type in ("application/http", "")
    return kind in ("resource", "conversion") and content_type in (*_HTML_TYPES, "text/plain")


def _warc_document(headers: StatusAndHeaders, block: bytes, place: _Place) -> Item | None:
    """Return the page in a record; None where the record holds something else, such as an image."""
    target = (headers.get_header("WARC-Target-URI") or "").strip().strip("<>").replace(" ", "%20")
    url = _printable(target) if _is_web(target) else place.url
    date = _warc_date(headers.get_header("WARC-Date") or "", place)
    place = replace(place, fetched_at=date)
    body, content_type, fault = block, headers, None
    if headers.get_header("WARC-Type") == "response":
        split = re.search(rb"\r?\n\r?\n", block[:_HEADER_BYTES])
        if not block.startswith(b"HTTP/") or not split:
            return place.rejection(Reason.MALFORMED_RECORD, "the record is no HTTP response")
        content_type = _http_headers.parse(io.BytesIO(block[: split.end()]))
        if _media_type_of(content_type) not in (*_HTML_TYPES, *_UNKNOWN_TYPES):
            return None
        status = content_type.get_statuscode()
        if status.startswith(("1", "3")) or status == "204":
            return None  # no page of its own: the page it leads to has a record
        if not status.startswith("2"):
            return place.rejection(Reason.ERROR_PAGE, f"the server answered HTTP {status[:40]}")
        body, fault = _http_body(content_type, block[split.end() :], place)
    if len(body) > place.settings.max_body_bytes:
        return place.too_large("the page")
    if fault:
        return place.rejection(Reason.UNREADABLE, f"{fault} in the HTTP body: fetch the page again")
    media_type = sniff(body) if body.strip() else MediaType.TEXT
    if media_type is None or (
        media_type is MediaType.TEXT and body.strip() and _media_type_of(content_type) in _UNKNOWN_TYPES
    ):
        return place.rejection(Reason.UNSUPPORTED, "neither HTML nor text")
    charset = _CHARSET.search(content_type.get_header("Content-Type") or "")
    return Document(
        location=place.location,
        url=url,
        body=body,
        media_type=media_type,
        fetched_at=place.fetched_at,
        origin=Origin.WARC,
        encoding=charset[1] if charset else None,
    )


def _media_type_of(headers: StatusAndHeaders) -> str:
    value: str = headers.get_header("Content-Type") or ""
    return value.partition(";")[0].strip().lower()


def _http_body(headers: StatusAndHeaders, body: bytes, place: _Place) -> tuple[bytes, str | None]:
    """Return the body without transfer and content codings, and what was wrong with them."""
    if "chunked" in (headers.get_header("Transfer-Encoding") or "").lower():
        body = _dechunked(body)
    codings = [c.strip().lower() for c in (headers.get_header("Content-Encoding") or "").split(",")]
    for coding in reversed(codings):
        coding = coding.removeprefix("x-")
        if coding in ("gzip", "deflate", "br", "zstd"):
            body, fault = unpack_body(body, coding, place.settings.max_body_bytes + 1)
            if fault and len(body) <= place.settings.max_body_bytes:
                return body, fault
        elif coding not in ("", "identity", "none", "utf-8"):
            return body, f"unknown content coding {coding[:20]}"
    return body, None


def _dechunked(body: bytes) -> bytes:
    """Join the chunks of an HTTP/1.1 body (RFC 9112, 7.1); a body that has none is returned as it is."""
    pieces: list[bytes] = []
    at = 0
    while match := _CHUNK_HEAD.match(body, at):
        size = int(match[1], 16)
        if size == 0:
            return b"".join(pieces)
        pieces.append(body[match.end() : match.end() + size])
        at = match.end() + size
        at += 2 if body.startswith(b"\r\n", at) else 0
    # Cut inside a chunk: what there is; never a chunk at all: the header is wrong.
    return b"".join(pieces) if pieces and at >= len(body) else body


_CHUNK_HEAD = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]{0,4096})?\r\n")


def _warc_date(value: str, place: _Place) -> datetime:
    try:
        date = datetime.fromisoformat(value.strip())
    except ValueError:
        return place.fetched_at
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return _plausible(date.timestamp(), place.now)


# --- archives --------------------------------------------------------------------------------------


class _BrokenTar(Exception):
    """Raised by `_TarHeader`, caught by `_read_tar`: tarfile takes a broken header for the end."""


class _TarHeader(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _TarHeader:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if isinstance(error, tarfile.EOFHeaderError):  # type: ignore[attr-defined]
                raise
            raise _BrokenTar(f"the tar archive is damaged or cut short ({error})") from error
        # tarfile reads these into memory whole, whatever size they claim.
        if header.type in b"xgLKX" and header.size > _SKIP:
            raise _BrokenTar(f"an extended header of {header.size} bytes")
        return header


def _is_tar(head: bytes) -> bool:
    if len(head) < 512 or not head[0]:
        return False
    try:
        tarfile.TarInfo.frombuf(head[:512], "utf-8", "surrogateescape")  # verifies the checksum
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def _read_tar(reader: Reader, place: _Place) -> Iterator[Item]:
    if place.archives > 1:
        yield _too_deep(place)
        return
    count = 0
    try:
        with tarfile.open(fileobj=reader, mode="r|", bufsize=BUFFER, tarinfo=_TarHeader) as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # a million of them is a million objects
                if not member.isfile() or _is_hidden_member(member.name):
                    continue
                count += 1
                content = archive.extractfile(member)
                if content is not None:
                    yield from _read_member(content, place.member(member.name, member.mtime))
    except (_BrokenTar, tarfile.TarError, OSError, ValueError, EOFError) as error:
        detail = f"{place.fault or error}, after {count} members: fetch or copy the archive again"
        yield place.rejection(Reason.UNREADABLE, detail)
        return
    if place.fault:
        detail = f"{place.fault}, after {count} members: fetch or copy the archive again"
        yield place.rejection(Reason.UNREADABLE, detail)


def _read_member(content: IO[bytes], place: _Place) -> Iterator[Item]:
    """Yield a member's documents; a broken member costs itself, a broken archive the rest."""
    yield from _read_stream(io.BufferedReader(cast(io.RawIOBase, content), BUFFER), place)


def _read_zip(reader: Reader, place: _Place) -> Iterator[Item]:
    if place.archives > 1:
        yield _too_deep(place)
    elif place.faults or place.archives or not reader.seekable():
        # Its table of contents stands at the end, so out of a stream it has to be copied first.
        with tempfile.TemporaryFile() as copy:
            if (rejection := _copy_zip(reader, copy, place)) is not None:
                yield rejection
            else:
                yield from _read_zip_members(cast(BinaryIO, copy), place)
    else:
        yield from _read_zip_members(reader, place)


def _copy_zip(reader: Reader, copy: IO[bytes], place: _Place) -> Rejection | None:
    size = 0
    while piece := reader.read(_SKIP):
        size += len(piece)
        if size > _NESTED_BYTES:
            detail = f"a zip inside another file is read up to {_NESTED_BYTES} bytes: unpack it"
            return place.rejection(Reason.TOO_LARGE, detail)
        copy.write(piece)
    if place.fault:
        return place.rejection(Reason.UNREADABLE, f"{place.fault}: fetch or copy the archive again")
    copy.seek(0)
    return None


def _read_zip_members(file: BinaryIO, place: _Place) -> Iterator[Item]:
    try:
        archive = zipfile.ZipFile(file)
    except _ZIP_ERRORS as error:
        detail = f"the zip archive is damaged ({error}): fetch or copy it again"
        yield place.rejection(Reason.UNREADABLE, detail)
        return
    with archive:
        if _NOT_PAGES & set(archive.namelist()):
            yield place.rejection(Reason.UNSUPPORTED, "an office document, e-book or program in a zip")
            return
        for info in archive.infolist():
            if info.is_dir() or _is_hidden_member(info.filename):
                continue
            here = place.member(info.filename, _zip_time(info))
            try:
                with archive.open(info) as content:
                    yield from _read_member(content, here)
            except _ZIP_ERRORS as error:
                detail = "needs a password" if info.flag_bits & 1 else f"is damaged ({error})"
                yield here.rejection(Reason.UNREADABLE, f"the archive's member {detail}: unpack it by hand")


_NOT_PAGES = {"[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"}
# RuntimeError: a password is needed; NotImplementedError: a compression method of the last years.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    ValueError,
    EOFError,
    RuntimeError,
    NotImplementedError,
)


def _too_deep(place: _Place) -> Rejection:
    return place.rejection(
        Reason.UNSUPPORTED, "an archive inside an archive inside an archive: unpack it first"
    )


def _zip_time(info: zipfile.ZipInfo) -> float | None:
    try:
        year, month, day, hour, minute, second = info.date_time
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None


# --- names and times -------------------------------------------------------------------------------

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


def _plausible(timestamp: float, now: datetime) -> datetime:
    """Return the time, or `now` where no page was fetched then: before the web, or in the future."""
    try:
        time = datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return time if _EARLIEST <= time <= now else now


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _is_hidden_member(name: str) -> bool:
    return any(_is_hidden(part) and part not in (".", "..") for part in name.split("/"))


_PACKED_SUFFIXES = ("gz", "gzip", "zst", "zstd", "bz2", "xz")


def _without_suffix(name: str) -> str:
    stem, _, suffix = name.rpartition(".")
    return stem if stem and suffix.lower() in _PACKED_SUFFIXES else name


def _os_error(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file is gone, or a link to nothing"
    return f"{error.strerror or error}: make the file readable, then run again"


def _quoted(text: str) -> str:
    quoted: str = quote(os.fsencode(text), safe="/!:@,;=~+")
    return quoted


def _printable(text: str) -> str:
    """Return a name as it can be stored: bytes that are no UTF-8, and NUL, as backslash escapes."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _sound(text: str) -> str:
    """Join surrogate pairs (JSON escapes) and replace what remains of them; drop NUL."""
    text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
