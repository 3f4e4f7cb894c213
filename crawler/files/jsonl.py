"""Reads records: JSON Lines, arrays of JSON, rows of tables, with the keys that docs/how-to/files.md names.

A line that cannot be read gives a rejection with its number. A line that is longer than a document may be is
skipped without being held in memory.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from crawler.files.fields import BODY_KEYS, known_fields
from crawler.files.position import (
    MAX_URL,
    SKIP_BYTES,
    DocumentOrRejection,
    FilePosition,
    standard_input,
    valid_text,
)
from crawler.files.tables import BrokenTable, csv_header, csv_rows, parquet_rows
from crawler.files.unpack import Reader
from crawler.files.values import BrokenValue, json_values
from pipeline.document import Claims, Document, MediaType, Origin, Reason
from pipeline.metadata import clean_description, clean_image_url, clean_keywords, clean_rights, clean_section
from pipeline.settings import Settings
from pipeline.urls import web_url

# Bytes of the start of a stream by which its format is recognised.
HEAD_BYTES = 1 << 16
JSON_START = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*"[^"\n]{0,200}"\s*:|\[\s*[\[{"])')
_JSON_KEY = re.compile(rb'[{,]\s*"([^"\n\\]{1,200})"\s*:')
_JSONL_SUFFIXES = ("jsonl", "ndjson", "jsonlines")


def is_jsonl(head: bytes, position: FilePosition) -> bool:
    """Recognise JSON Lines by the first line, or by the name if that line is damaged or too long."""
    name, bodies = position.name, _body_keys(position)
    lines = [line for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    if not lines:
        return False
    is_whole = len(lines) > 1 or len(head) < HEAD_BYTES
    if is_whole and lines[0].lstrip().startswith(b"{"):
        try:
            record = json.loads(lines[0])
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            return bool(record.keys() & bodies) or name.rpartition(".")[2].lower() in _JSONL_SUFFIXES
    elif not is_whole and lines[0].lstrip().startswith(b"{") and _has_body(lines[0], bodies):
        return True
    return name.rpartition(".")[2].lower() in _JSONL_SUFFIXES


def is_json(head: bytes, position: FilePosition) -> bool:
    """Recognise an array of records, and records on many lines each, by a key of a body."""
    return _has_body(head, _body_keys(position))


def is_table(head: bytes, position: FilePosition) -> bool:
    """Recognise Parquet by its first bytes, and CSV by its name and a column with the body of a record."""
    return head.startswith(b"PAR1") or bool(
        _body_keys(position).intersection(csv_header(head, position.name))
    )


def _has_body(head: bytes, bodies: frozenset[str]) -> bool:
    return JSON_START.match(head) is not None and any(
        found[1].decode("utf-8", "replace") in bodies for found in _JSON_KEY.finditer(head)
    )


def _body_keys(position: FilePosition) -> frozenset[str]:
    named = dict(position.settings.reading.fields)
    return frozenset((*BODY_KEYS, *(named[ours] for ours in ("text", "html") if ours in named)))


def read_json(reader: Reader, position: FilePosition) -> Iterator[DocumentOrRejection]:
    """The documents of an array of records, or of records that follow each other on many lines each."""
    values = json_values(reader, position.settings.max_body_bytes)
    yield from _documents_of(values, "value", position)


def read_table(reader: Reader, position: FilePosition) -> Iterator[DocumentOrRejection]:
    """The documents of the rows of a table, CSV or Parquet."""
    if position.name.lower().endswith((".csv", ".tsv")):
        rows = csv_rows(reader, position.settings.max_body_bytes)
    else:
        rows = parquet_rows(reader, position.settings.max_body_bytes)
    yield from _documents_of(rows, "row", position)


def _documents_of(
    records: Iterable[object], what: str, position: FilePosition
) -> Iterator[DocumentOrRejection]:
    number = 0
    try:
        for number, record in enumerate(records, 1):
            here = position.record(number)
            if isinstance(record, Mapping):
                yield _document_of(record, f"{what} {number}", here)
            else:
                yield here.rejection(Reason.MALFORMED_RECORD, f"{what} {number} is JSON, but no object")
    except (BrokenValue, BrokenTable) as error:
        if not position.fault:
            detail = f"after {number} records: {error}"
            yield position.rejection(Reason.MALFORMED_RECORD, detail)
    if position.fault:
        detail = f"{position.fault}, after {number} records: fetch or copy the file again"
        yield position.rejection(Reason.UNREADABLE, detail)


def read_jsonl(reader: Reader, position: FilePosition) -> Iterator[DocumentOrRejection]:
    limit = position.settings.max_body_bytes
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
        here = position.record(record)
        if is_cut:
            yield here.too_large(f"line {number}")
        elif not line.endswith(b"\n") and position.fault:
            break  # the last line is cut where the file is
        else:
            yield _json_document(line, number, here)
    if position.fault:
        detail = f"{position.fault}, after {record} records: fetch or copy the file again"
        yield position.rejection(Reason.UNREADABLE, detail)


def read_records(
    records: Iterable[Mapping[str, object]], settings: Settings
) -> Iterator[DocumentOrRejection]:
    """The documents of records that a program gives, as if they were lines on standard input."""
    position = standard_input(settings, datetime.now(UTC))
    for number, record in enumerate(records, 1):
        yield _document_of(record, f"record {number}", position.record(number))


def _skip_line(reader: Reader) -> None:
    while (piece := reader.readline(SKIP_BYTES)) and not piece.endswith(b"\n"):
        pass


def _json_document(line: bytes, number: int, position: FilePosition) -> DocumentOrRejection:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        return position.rejection(Reason.MALFORMED_RECORD, f"line {number} is no JSON: {error}")
    if not isinstance(record, dict):
        return position.rejection(Reason.MALFORMED_RECORD, f"line {number} is JSON, but no object")
    return _document_of(record, f"line {number}", position)


def _document_of(record: Mapping[str, object], what: str, position: FilePosition) -> DocumentOrRejection:
    """The document of a record. what: names it in rejections."""
    record = known_fields(record, dict(position.settings.reading.fields))
    html, text = record.get("html"), record.get("text")
    body = html if isinstance(html, str) and html.strip() else text
    if not isinstance(body, str):
        return position.rejection(Reason.MALFORMED_RECORD, f'{what} has no "text" and no "html"')
    for key in ("url", "title", "language"):
        if not isinstance(record.get(key), str | None):
            return position.rejection(Reason.MALFORMED_RECORD, f'{what}: "{key}" is no text')
    url = record.get("url")
    if isinstance(url, str) and len(url) > MAX_URL:
        return position.long_url(what)
    if isinstance(url, str) and not _is_address(url):
        return position.rejection(Reason.MALFORMED_RECORD, f'{what}: "url" is no http(s) address')
    encoded = valid_text(body).encode()
    if len(encoded) > position.settings.max_body_bytes:
        return position.too_large(what)
    return Document(
        location=position.location,
        url=_record_url(record, encoded, position),
        body=encoded,
        media_type=MediaType.HTML if body is html else MediaType.TEXT,
        fetched_at=position.fetched_at,
        origin=Origin.JSONL,
        encoding="utf-8",
        publisher=_name_of(record.get("publisher")),
        claims=Claims(
            title=_text_of(record.get("title")),
            published_at=_date_of(record.get("published_at", record.get("date"))),
            authors=_authors_of(record.get("authors", record.get("author"))),
            language=_text_of(record.get("language")),
            description=clean_description(_text_of(record.get("description"))),
            section=clean_section(_text_of(record.get("section"))),
            keywords=clean_keywords(_texts_of(record.get("keywords"))),
            image_url=clean_image_url(record.get("image_url")),
            rights=clean_rights(record.get("rights")),
        ),
    )


def _is_address(url: str) -> bool:
    """Whether it is an address on the web, none at all, or that of a local page, as an export has it."""
    written = valid_text(url).strip()
    return not written or written.lower().startswith("file:") or bool(web_url(written))


def _record_url(record: Mapping[str, object], body: bytes, position: FilePosition) -> str:
    url = web_url(_text_of(record.get("url")) or "")
    if url:
        return url
    identifier = record.get("id")
    if isinstance(identifier, str | int) and 0 < len(str(identifier).strip()) <= MAX_URL:
        container = position.inner.rpartition("#")[0]
        return position.url_of(f"{container}#id={valid_text(str(identifier))}")
    if position.path == "-":
        # The third line of one pipe and the third line of the next are not two versions of a document.
        return f"{position.url_base}#crc={zlib.crc32(body):08x}-{len(body)}"
    return position.url


def _text_of(value: object) -> str | None:
    return valid_text(value).strip() or None if isinstance(value, str) else None


def _texts_of(value: object) -> list[str]:
    return [text for one in value if (text := _text_of(one))] if isinstance(value, list) else []


def _name_of(value: object) -> str | None:
    if isinstance(value, dict):  # as in schema.org: {"name": …}
        value = value.get("name")
    return _text_of(value)


def _authors_of(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(name for name in map(_name_of, values) if name)


def _date_of(value: object) -> str | None:
    """A date as a text. What can be none is kept, so that it is counted among those that cannot be read."""
    if isinstance(value, int | float) and not isinstance(value, bool):  # seconds or milliseconds since 1970
        try:
            return datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC).isoformat()
        except (ValueError, OverflowError, OSError):
            return str(value)[:100]
    return _text_of(value) if isinstance(value, str | None) else str(value)[:100]
