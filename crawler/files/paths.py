"""Reads documents from local files and folders, one at a time.

The format of a file is recognised by its content. Its name decides only for text, where a style sheet and an
article look alike. Compressed files (gzip, zstd, bzip2, xz) are unpacked as a stream. Archives (zip, tar) are
read member by member without unpacking anything to disk, JSON Lines and WARC record by record. Only one
document is in memory at a time, and it has at most `Settings.max_body_bytes`.

What cannot be read is a `Rejection`, never an exception. A container that is cut short gives what comes
before the damage, and one rejection for the container.

Not read: names that begin with a dot and `__MACOSX` (in folders and archives; a path that is given is always
read), links inside archives, archives inside archives inside archives. Folders are walked in the order of
names, each once, even if links lead to it again.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from crawler.files.inputs import InputFile, find_files, open_file, os_error
from crawler.files.jsonl import (
    HEAD_BYTES,
    JSON_START,
    is_json,
    is_jsonl,
    is_table,
    read_json,
    read_jsonl,
    read_table,
)
from crawler.files.position import DocumentOrRejection, FilePosition, standard_input, valid_text
from crawler.files.tar import is_tar, read_tar
from crawler.files.unpack import BUFFER_BYTES, Chained, Reader, Unpacked, compression, read_at_most
from crawler.files.zip import read_zip
from pipeline.document import Document, MediaType, Origin, Reason, Rejection
from pipeline.page import sniff_media_type
from pipeline.settings import Settings

# Layers of compression that are unpacked (a .gz inside a .gz happens by accident).
_LAYERS = 3


def read_paths(paths: Sequence[str], settings: Settings) -> Iterator[DocumentOrRejection]:
    """Yield the documents of files and folders, in the order given; those of folders in the order of names.

    "-" is standard input. Order, locations and URLs are the same whenever the same files are read. Raises
    OperatorError, before anything is read, where a path does not exist. A file may be made to take the
    memory and time of this process: `crawler.runs` reads files in a process of their own.
    """
    return _read_all(find_files(paths, settings), settings)


def read_page(
    page: str | bytes, url: str | None, fetched_at: datetime, settings: Settings
) -> DocumentOrRejection:
    """The document of one page that a program has in memory. url: None if it is not known."""
    position = standard_input(settings, fetched_at)
    if url is not None:
        position = replace(position, path=url, url_base=url)
    if isinstance(page, bytes):
        return _document_of(page, position)
    document = _document_of(valid_text(page).encode(), position)
    return replace(document, encoding="utf-8") if isinstance(document, Document) else document


def _read_all(found: Iterator[InputFile | Rejection], settings: Settings) -> Iterator[DocumentOrRejection]:
    for file in found:
        if isinstance(file, Rejection):
            yield file
            continue
        try:
            raw = open_file(file)
        except OSError as error:
            yield file.position(settings).rejection(Reason.UNREADABLE, os_error(error))
        else:
            with raw:
                yield from read_file(file, raw, settings)


def read_file(file: InputFile, raw: io.FileIO, settings: Settings) -> Iterator[DocumentOrRejection]:
    """Yield the documents of a file that is open."""
    position = file.position(settings)
    size = BUFFER_BYTES if file.size is None else min(BUFFER_BYTES, max(file.size, 4096))
    reader = io.BufferedReader(raw, size)
    try:
        if file.path != "-":
            yield from _read_stream(reader, position)
            return
        head = reader.peek(HEAD_BYTES)  # only what has arrived: the other side may be slow
        if head.lstrip().startswith(b"{"):
            yield from read_jsonl(reader, position)
        elif head:
            yield from _read_stream(reader, position)
    except OSError as error:
        yield position.rejection(Reason.UNREADABLE, os_error(error))


def _read_stream(reader: Reader, position: FilePosition) -> Iterator[DocumentOrRejection]:
    """Yield the documents of a stream, after recognising its format."""
    head, reader = _peek(reader)
    packed = compression(head)
    if packed and len(position.streams) < _LAYERS:
        unpacked = Unpacked(reader, packed)
        position = replace(
            position, streams=(*position.streams, unpacked), name=_without_suffix(position.name)
        )
        yield from _read_stream(io.BufferedReader(unpacked, BUFFER_BYTES), position)
    elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        yield from read_zip(reader, position, _read_stream)
    elif is_tar(head):
        yield from read_tar(reader, position, _read_stream)
    elif head.lstrip(b"\r\n").startswith(b"WARC/"):
        from crawler.files.warc import read_warc

        yield from read_warc(reader, position)
    elif is_jsonl(head, position):
        yield from read_jsonl(reader, position)
    elif is_json(head, position):
        yield from read_json(reader, position)
    elif is_table(head, position):
        yield from read_table(reader, position)
    else:
        yield _read_document(reader, position)


def _peek(reader: Reader) -> tuple[bytes, Reader]:
    """Return the stream's first bytes, and the stream with them still to be read."""
    head = reader.read(HEAD_BYTES)
    if isinstance(reader.raw, io.FileIO) and reader.seekable():
        reader.seek(0)
        return head, reader
    return head, io.BufferedReader(Chained(head, reader), BUFFER_BYTES)


# Files whose bytes are text, but which are written for machines. Only their names show it.
# fmt: off
_MACHINE_SUFFIXES = frozenset((
    "css", "scss", "less", "js", "mjs", "cjs", "jsx", "ts", "tsx", "json", "xml", "xsl", "xsd",
    "csv", "tsv", "sql", "py", "pyc", "rb", "php", "pl", "java", "c", "h", "cc", "cpp", "hpp", "cs",
    "go", "rs", "sh", "bat", "ps1", "yml", "yaml", "toml", "ini", "cfg", "conf", "properties",
    "lock", "map", "svg", "ics", "vcf", "eml", "mht", "mhtml", "rtf", "tex", "bib",
))
# fmt: on


def _read_document(reader: Reader, position: FilePosition) -> DocumentOrRejection:
    limit = position.settings.max_body_bytes
    body = read_at_most(reader, limit + 1)
    if len(body) > limit:
        return position.too_large("the document")
    if position.fault:
        return position.rejection(Reason.UNREADABLE, f"{position.fault}: fetch or copy the file again")
    return _document_of(body, position)


def _document_of(body: bytes, position: FilePosition) -> DocumentOrRejection:
    """The document of one page or text, recognised by its bytes."""
    if not body.strip(b"\0 \t\r\n\f\xef\xbb\xbf"):
        return position.rejection(Reason.EMPTY, "the file is empty")
    media_type = sniff_media_type(body)
    if media_type is None:
        return position.rejection(Reason.UNSUPPORTED, "neither HTML nor text")
    suffix = position.name.rpartition(".")[2].lower()
    if media_type is MediaType.TEXT and JSON_START.match(body):
        return position.rejection(
            Reason.UNSUPPORTED, 'JSON without "text" or "html": name the keys of its records with --map'
        )
    if media_type is MediaType.TEXT and suffix in _MACHINE_SUFFIXES:
        return position.rejection(Reason.UNSUPPORTED, f"a .{suffix} file, not a page or copied text")
    return Document(position.location, position.url, body, media_type, position.fetched_at, Origin.FILE)


_PACKED_SUFFIXES = ("gz", "gzip", "zst", "zstd", "bz2", "xz")


def _without_suffix(name: str) -> str:
    stem, _, suffix = name.rpartition(".")
    return stem if stem and suffix.lower() in _PACKED_SUFFIXES else name
