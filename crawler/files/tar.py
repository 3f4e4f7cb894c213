"""Reads tar archives as a stream, member by member; a damaged archive costs what comes after the damage.

tarfile parses the headers. It reads them without bounds (Python 3.11.7 needs hours for a pax header of some
megabytes, and gigabytes for a map of a sparse file), so they are bounded and checked here before it does.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from typing import Any

from crawler.files.archives import ReadStream, buffered, is_hidden_member, is_too_deep, too_deep
from crawler.files.position import DocumentOrRejection, FilePosition
from crawler.files.unpack import BUFFER_BYTES, Reader
from pipeline.document import Reason

# Most bytes of one extended header (a long name, pax), and most bytes and number of all headers of a member,
# the map of a sparse file included.
_EXTENDED_BYTES = 1 << 16
_HEADERS = 50
_HEADER_BYTES = 1 << 20
_PAX_LENGTH = re.compile(rb"[0-9]{1,5} ")
# tarfile's search for a character set takes the square of such a run.
_LONG_NUMBER = re.compile(rb"[0-9]{1000}")


class _BrokenTar(Exception):
    """Raised while a header is read, caught by `read_tar`: tarfile takes a damaged header for the end."""


class _Headers:
    """The stream of an archive while tarfile reads the headers of one member: bounded, and pax is checked."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._size = 0
        self.count = 0
        self.pax_bytes = 0  # of the pax header that is read next

    def tell(self) -> int:
        place: int = self._stream.tell()
        return place

    def read(self, size: int) -> bytes:
        self._size += size
        if self._size > _HEADER_BYTES:
            raise _BrokenTar(f"the headers of a member are longer than {_HEADER_BYTES} bytes")
        data: bytes = self._stream.read(size)
        if self.pax_bytes:
            _check_pax(data[: self.pax_bytes])
            self.pax_bytes = 0
        return data


def _check_pax(content: bytes) -> None:
    """Raise _BrokenTar unless the content is records of `LENGTH KEY=VALUE` and a line break."""
    at = 0
    while at < len(content):
        length = _PAX_LENGTH.match(content, at)
        end = at + int(length[0]) if length else 0
        if length is None or content[end - 1 : end] != b"\n" or content.find(b"=", length.end(), end) < 0:
            raise _BrokenTar("the tar archive has a damaged pax header")
        at = end
    if _LONG_NUMBER.search(content):
        raise _BrokenTar("the tar archive has a pax header with a number of more than 1000 digits")


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
        if header.size < 0 or (header.type in b"xgLKX" and header.size > _EXTENDED_BYTES):
            raise _BrokenTar(f"an extended header of {header.size} bytes")
        return header

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        """Reads further headers, of this class as well, until that of the member itself."""
        stream = archive.fileobj
        if isinstance(stream, _Headers):
            stream.count += 1
            if stream.count >= _HEADERS:
                raise _BrokenTar(f"a member has more than {_HEADERS} headers")
            return super()._proc_member(archive)  # type: ignore[misc,no-any-return]
        archive.fileobj = _Headers(stream)  # type: ignore[assignment]
        try:
            return super()._proc_member(archive)  # type: ignore[misc,no-any-return]
        finally:
            archive.fileobj = stream

    def _proc_pax(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        assert isinstance(archive.fileobj, _Headers)
        archive.fileobj.pax_bytes = self.size
        return super()._proc_pax(archive)  # type: ignore[misc,no-any-return]


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
    if is_too_deep(position):
        yield too_deep(position)
        return
    count = 0
    try:
        with tarfile.open(fileobj=reader, mode="r|", bufsize=BUFFER_BYTES, tarinfo=_TarHeader) as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # tarfile keeps every header otherwise
                if not member.isfile() or is_hidden_member(member.name):
                    continue
                count += 1
                content = archive.extractfile(member)
                if content is not None:
                    yield from read_stream(buffered(content), position.member(member.name, member.mtime))
    except (_BrokenTar, tarfile.TarError, OSError, ValueError, EOFError) as error:
        detail = f"{position.fault or error}, after {count} members: fetch or copy the archive again"
        yield position.rejection(Reason.UNREADABLE, detail)
        return
    if position.fault:
        detail = f"{position.fault}, after {count} members: fetch or copy the archive again"
        yield position.rejection(Reason.UNREADABLE, detail)
