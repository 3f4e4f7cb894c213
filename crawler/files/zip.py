"""Reads zip archives member by member; nothing is unpacked to a named file. A damaged member costs itself.

zipfile reads the table of contents and finds the members. Their content is unpacked here: zipfile's output
has no bound for bzip2 and LZMA, where 2 kB may hold gigabytes.
"""

from __future__ import annotations

import copy
import io
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, Any, BinaryIO, cast

from crawler.files.archives import ReadStream, buffered, is_hidden_member, is_too_deep, too_deep
from crawler.files.position import SKIP_BYTES, DocumentOrRejection, FilePosition
from crawler.files.unpack import Reader, Unpacked
from pipeline.document import Reason, Rejection

# Most bytes of a zip inside another file, which is copied to a temporary file to be read.
_NESTED_BYTES = 1 << 30
# Most bytes of a table of contents: those of 200,000 members with usual names. zipfile holds it in memory,
# as objects of tenfold size.
DIRECTORY_BYTES = 24 << 20

# How members are compressed, by the number that the format gives it.
_METHODS = {0: "", 8: "deflate", 12: "bzip2", 14: "zip-lzma", 93: "zstd", 95: "xz"}

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


class _TooLarge(Exception):
    """Raised by `_Bounded`, caught by `_read_members`."""


class _Bounded(io.RawIOBase):
    """A file of which no more is read at once than a table of contents may have."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size > DIRECTORY_BYTES:
            raise _TooLarge
        return self._file.read(size)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


class _Member(io.RawIOBase):
    """The content of a member, unpacked in pieces. Raises BadZipFile where it is damaged."""

    def __init__(self, raw: IO[bytes], info: zipfile.ZipInfo, method: str) -> None:
        super().__init__()
        self._source: Any = Unpacked(cast(Reader, raw), method, is_one=True) if method else raw
        self._left = info.file_size
        self._expected = info.CRC
        self._crc = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        view = memoryview(buffer)[: self._left]
        count: int = self._source.readinto(view) if view else 0
        if count:
            self._crc = zlib.crc32(view[:count], self._crc)
            self._left -= count
        elif self._left:
            fault = getattr(self._source, "fault", None)
            raise zipfile.BadZipFile(fault or "its data ends too early")
        elif self._crc != self._expected:
            raise zipfile.BadZipFile("its checksum is wrong")
        return count


def read_zip(
    reader: Reader, position: FilePosition, read_stream: ReadStream
) -> Iterator[DocumentOrRejection]:
    if is_too_deep(position):
        yield too_deep(position)
    elif position.streams or position.archive_depth or not reader.seekable():
        # The table of contents is at the end, so a zip in a stream is copied first.
        with tempfile.TemporaryFile() as copied:
            if (rejection := _copy(reader, copied, position)) is not None:
                yield rejection
            else:
                yield from _read_members(cast(BinaryIO, copied), position, read_stream)
    else:
        yield from _read_members(reader, position, read_stream)


def _copy(reader: Reader, copied: IO[bytes], position: FilePosition) -> Rejection | None:
    size = 0
    while piece := reader.read(SKIP_BYTES):
        size += len(piece)
        if size > _NESTED_BYTES:
            detail = f"a zip inside another file is read up to {_NESTED_BYTES} bytes: unpack it"
            return position.rejection(Reason.TOO_LARGE, detail)
        copied.write(piece)
    if position.fault:
        return position.rejection(Reason.UNREADABLE, f"{position.fault}: fetch or copy the archive again")
    copied.seek(0)
    return None


def _read_members(
    file: BinaryIO, position: FilePosition, read_stream: ReadStream
) -> Iterator[DocumentOrRejection]:
    try:
        archive = zipfile.ZipFile(cast(IO[bytes], _Bounded(file)))
    except _TooLarge:
        detail = f"the table of contents is longer than {DIRECTORY_BYTES} bytes: unpack the archive"
        yield position.rejection(Reason.TOO_LARGE, detail)
        return
    except _ZIP_ERRORS as error:
        detail = f"the zip archive is damaged ({error}): fetch or copy it again"
        yield position.rejection(Reason.UNREADABLE, detail)
        return
    with archive:
        if _NOT_PAGES & set(archive.namelist()):
            yield position.rejection(Reason.UNSUPPORTED, "an office document, e-book or program in a zip")
            return
        for info in archive.infolist():
            if info.filename.endswith("/") or is_hidden_member(info.filename):
                continue
            here = position.member(info.filename, _time_of(info))
            try:
                with _packed(archive, info) as raw:
                    method = _METHODS.get(info.compress_type)
                    if method is None:
                        raise NotImplementedError(f"compression method {info.compress_type} is unknown")
                    yield from read_stream(buffered(_Member(raw, info, method)), here)
            except _ZIP_ERRORS as error:
                detail = "needs a password" if info.flag_bits & 1 else f"is damaged ({error})"
                yield here.rejection(Reason.UNREADABLE, f"the archive's member {detail}: unpack it by hand")


def _packed(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    """Open the bytes of a member as they are in the archive: for zipfile, as if they were stored."""
    stored = copy.copy(info)
    stored.compress_type = zipfile.ZIP_STORED
    stored.file_size = info.compress_size
    del stored.CRC
    return archive.open(stored)


def _time_of(info: zipfile.ZipInfo) -> float | None:
    try:
        year, month, day, hour, minute, second = info.date_time
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None
