"""Reads archives, zip and tar, member by member; nothing is unpacked to a named file.

A damaged member costs itself; a damaged archive costs what comes after the damage.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import IO, BinaryIO, cast

from crawler.files.position import SKIP_BYTES, DocumentOrRejection, FilePosition
from crawler.files.unpack import BUFFER_BYTES, Reader
from pipeline.document import Reason, Rejection

# Reads a member, which may have any format that a file has. A parameter, because crawler.files.paths imports
# this.
ReadStream = Callable[[Reader, FilePosition], Iterator[DocumentOrRejection]]

# Most bytes of a zip inside another file, which is copied to a temporary file to be read.
_NESTED_BYTES = 1 << 30


class _BrokenTar(Exception):
    """Raised by `_TarHeader`, caught by `read_tar`: tarfile takes a damaged header for the end."""


class _TarHeader(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _TarHeader:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if isinstance(error, tarfile.EOFHeaderError):  # type: ignore[attr-defined]
                raise
            raise _BrokenTar(f"the tar archive is damaged or cut short ({error})") from error
        # tarfile reads these headers into memory as a whole, whatever size they claim.
        if header.type in b"xgLKX" and header.size > SKIP_BYTES:
            raise _BrokenTar(f"an extended header of {header.size} bytes")
        return header


def is_tar(head: bytes) -> bool:
    if len(head) < 512 or not head[0]:
        return False
    try:
        tarfile.TarInfo.frombuf(head[:512], "utf-8", "surrogateescape")  # verifies the checksum
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def read_tar(
    reader: Reader, position: FilePosition, read_stream: ReadStream
) -> Iterator[DocumentOrRejection]:
    if position.archive_depth > 1:
        yield _too_deep(position)
        return
    count = 0
    try:
        with tarfile.open(fileobj=reader, mode="r|", bufsize=BUFFER_BYTES, tarinfo=_TarHeader) as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # tarfile keeps every header otherwise
                if not member.isfile() or _is_hidden_member(member.name):
                    continue
                count += 1
                content = archive.extractfile(member)
                if content is not None:
                    yield from read_stream(_buffered(content), position.member(member.name, member.mtime))
    except (_BrokenTar, tarfile.TarError, OSError, ValueError, EOFError) as error:
        detail = f"{position.fault or error}, after {count} members: fetch or copy the archive again"
        yield position.rejection(Reason.UNREADABLE, detail)
        return
    if position.fault:
        detail = f"{position.fault}, after {count} members: fetch or copy the archive again"
        yield position.rejection(Reason.UNREADABLE, detail)


def read_zip(
    reader: Reader, position: FilePosition, read_stream: ReadStream
) -> Iterator[DocumentOrRejection]:
    if position.archive_depth > 1:
        yield _too_deep(position)
    elif position.streams or position.archive_depth or not reader.seekable():
        # The table of contents is at the end, so a zip in a stream is copied first.
        with tempfile.TemporaryFile() as copy:
            if (rejection := _copy_zip(reader, copy, position)) is not None:
                yield rejection
            else:
                yield from _read_zip_members(cast(BinaryIO, copy), position, read_stream)
    else:
        yield from _read_zip_members(reader, position, read_stream)


def _copy_zip(reader: Reader, copy: IO[bytes], position: FilePosition) -> Rejection | None:
    size = 0
    while piece := reader.read(SKIP_BYTES):
        size += len(piece)
        if size > _NESTED_BYTES:
            detail = f"a zip inside another file is read up to {_NESTED_BYTES} bytes: unpack it"
            return position.rejection(Reason.TOO_LARGE, detail)
        copy.write(piece)
    if position.fault:
        return position.rejection(Reason.UNREADABLE, f"{position.fault}: fetch or copy the archive again")
    copy.seek(0)
    return None


def _read_zip_members(
    file: BinaryIO, position: FilePosition, read_stream: ReadStream
) -> Iterator[DocumentOrRejection]:
    try:
        archive = zipfile.ZipFile(file)
    except _ZIP_ERRORS as error:
        detail = f"the zip archive is damaged ({error}): fetch or copy it again"
        yield position.rejection(Reason.UNREADABLE, detail)
        return
    with archive:
        if _NOT_PAGES & set(archive.namelist()):
            yield position.rejection(Reason.UNSUPPORTED, "an office document, e-book or program in a zip")
            return
        for info in archive.infolist():
            if info.is_dir() or _is_hidden_member(info.filename):
                continue
            here = position.member(info.filename, _zip_time(info))
            try:
                with archive.open(info) as content:
                    yield from read_stream(_buffered(content), here)
            except _ZIP_ERRORS as error:
                detail = "needs a password" if info.flag_bits & 1 else f"is damaged ({error})"
                yield here.rejection(Reason.UNREADABLE, f"the archive's member {detail}: unpack it by hand")


_NOT_PAGES = {"[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"}
# RuntimeError: a password is needed. NotImplementedError: an unknown compression method.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    ValueError,
    EOFError,
    RuntimeError,
    NotImplementedError,
)


def _too_deep(position: FilePosition) -> Rejection:
    return position.rejection(
        Reason.UNSUPPORTED, "an archive inside an archive inside an archive: unpack it first"
    )


def _zip_time(info: zipfile.ZipInfo) -> float | None:
    try:
        year, month, day, hour, minute, second = info.date_time
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _buffered(content: IO[bytes]) -> Reader:
    return io.BufferedReader(cast(io.RawIOBase, content), BUFFER_BYTES)


def is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _is_hidden_member(name: str) -> bool:
    return any(is_hidden(part) and part not in (".", "..") for part in name.split("/"))
