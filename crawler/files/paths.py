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
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from crawler.files.archives import is_hidden, is_tar, read_tar, read_zip
from crawler.files.jsonl import HEAD_BYTES, JSON_START, is_jsonl, read_jsonl
from crawler.files.origin import Item, Place, plausible_time, printable
from crawler.files.unpack import BUFFER, Chained, Reader, Unpacked, compression
from pipeline.document import Document, MediaType, Origin, Reason
from pipeline.errors import OperatorError
from pipeline.page import sniff
from pipeline.settings import Settings

# Layers of compression that are looked through (.tar.gz inside .gz happens by accident).
_LAYERS = 3


def read_paths(paths: Sequence[str], settings: Settings) -> Iterator[Item]:
    """Yield the documents of files and folders, in the order given, folders in order of name.

    "-" is standard input. The order and every location and URL are the same whenever the same files
    are read. Raises OperatorError at once, before anything is read, where a path does not exist.
    """
    for path in paths:
        if path != "-" and not os.path.lexists(path):
            raise OperatorError(f"{printable(path)}: no such file or folder")
    return _read_all(paths, settings, datetime.now(UTC))


def _read_all(paths: Sequence[str], settings: Settings, now: datetime) -> Iterator[Item]:
    for path in paths:
        if path == "-":
            yield from _read_standard_input(settings, now)
        elif os.path.isdir(path):
            yield from _read_folder(path, settings, now, set())
        else:
            yield from _read_file(path, settings, now, is_given=True)


def _read_standard_input(settings: Settings, now: datetime) -> Iterator[Item]:
    place = Place("-", "file:///dev/stdin", "-", now, now, settings)
    # A file object of its own: the interpreter closes sys.stdin's buffer while another thread may read it.
    with io.FileIO(sys.stdin.fileno(), closefd=False) as raw:
        reader = io.BufferedReader(raw, BUFFER)
        head = reader.peek(HEAD_BYTES)  # what has arrived: a producer may be slow
        try:
            if head.lstrip().startswith(b"{"):
                yield from read_jsonl(reader, place)
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
            names = sorted((entry.name for entry in entries if not is_hidden(entry.name)), key=os.fsencode)
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
        place = replace(place, fetched_at=plausible_time(status.st_mtime, now))
        # A pipe that is given (`<(zcat …)`) is read; one that is met would block the run for ever.
        if not stat.S_ISREG(status.st_mode) and not (is_given and stat.S_ISFIFO(status.st_mode)):
            yield place.rejection(Reason.UNSUPPORTED, "neither a file nor a folder")
            return
        size = min(BUFFER, max(status.st_size, 4096)) if stat.S_ISREG(status.st_mode) else BUFFER
        with io.BufferedReader(io.FileIO(path), size) as file:
            yield from _read_stream(file, place)
    except OSError as error:
        yield place.rejection(Reason.UNREADABLE, _os_error(error))


def _file_place(path: str, fetched_at: datetime, now: datetime, settings: Settings) -> Place:
    return Place(
        path, Path(os.path.abspath(path)).as_uri(), os.path.basename(path), fetched_at, now, settings
    )


def _read_stream(reader: Reader, place: Place) -> Iterator[Item]:
    """Yield the documents of one stream, whatever it is."""
    head, reader = _look(reader)
    packed = compression(head)
    if packed and len(place.faults) < _LAYERS:
        unpacked = Unpacked(reader, packed)
        place = replace(place, faults=(*place.faults, unpacked), name=_without_suffix(place.name))
        yield from _read_stream(io.BufferedReader(unpacked, BUFFER), place)
    elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        yield from read_zip(reader, place, _read_stream)
    elif is_tar(head):
        yield from read_tar(reader, place, _read_stream)
    elif head.lstrip(b"\r\n").startswith(b"WARC/"):
        from crawler.files.warc import read_warc

        yield from read_warc(reader, place)
    elif is_jsonl(head, place.name):
        yield from read_jsonl(reader, place)
    else:
        yield _read_document(reader, place)


def _look(reader: Reader) -> tuple[bytes, Reader]:
    """Return the stream's first bytes, and the stream with them still to be read."""
    head = reader.read(HEAD_BYTES)
    if isinstance(reader.raw, io.FileIO) and reader.seekable():
        reader.seek(0)
        return head, reader
    return head, io.BufferedReader(Chained(head, reader), BUFFER)


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


def _read_document(reader: Reader, place: Place) -> Item:
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
    if media_type is MediaType.TEXT and JSON_START.match(body):
        return place.rejection(
            Reason.UNSUPPORTED, 'JSON, but not JSON Lines: write one object a line, with "text" or "html"'
        )
    return Document(place.location, place.url, body, media_type, place.fetched_at, Origin.FILE)


_PACKED_SUFFIXES = ("gz", "gzip", "zst", "zstd", "bz2", "xz")


def _without_suffix(name: str) -> str:
    stem, _, suffix = name.rpartition(".")
    return stem if stem and suffix.lower() in _PACKED_SUFFIXES else name


def _os_error(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file is gone, or a link to nothing"
    return f"{error.strerror or error}: make the file readable, then run again"
