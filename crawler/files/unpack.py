"""Unpacks compressed bytes as a stream that ends at damage instead of raising.

The standard library's readers raise when a compressed file is cut short, and lose what they had buffered.
Here a stream gives everything before the damage, then ends, and `fault` says what is wrong. So a WARC file
that is cut short still gives its records. Output is made in pieces of limited size, whatever the compression
ratio.
"""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import brotli
import zstandard

# Compressed bytes that are unpacked at once. A zstd block of four bytes may hold 128 KiB, and the decoder
# cannot be told to limit its output. So it gets small pieces, of which at most 32 MiB come out.
_PIECE = 1 << 16
_ZSTD_PIECE = 1 << 10
_ZSTD_FRAME = b"\x28\xb5\x2f\xfd"
# Most memory that the dictionary of a compressed stream may take, which the stream itself names: `xz -9` asks
# for 65 MB, and a file of 100 bytes may ask for 4 GB. zstd's decoder has the same limit of its own.
DICTIONARY_BYTES = 1 << 27
# Buffer of a reader, and how much of a stream can be looked at before it is read.
BUFFER_BYTES = 1 << 18

if TYPE_CHECKING:
    Reader = io.BufferedReader[Any]
else:
    Reader = io.BufferedReader

_ERRORS = (zlib.error, lzma.LZMAError, zstandard.ZstdError, brotli.error, OSError, EOFError, ValueError)


class _Decoder(Protocol):
    """Unpacks one compressed member, like `bz2.BZ2Decompressor`: `decompress` gives at most `limit` bytes."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, limit: int, /) -> bytes: ...


class _Zlib:
    def __init__(self, wbits: int) -> None:
        self._decoder = zlib.decompressobj(wbits)
        self._pending = b""
        self.eof = False
        self.needs_input = True
        self.unused_data = b""

    def decompress(self, data: bytes, limit: int) -> bytes:
        out = self._decoder.decompress(self._pending + data, limit)
        self._pending = self._decoder.unconsumed_tail
        self.eof = self._decoder.eof
        self.unused_data = self._decoder.unused_data
        self.needs_input = not self._pending and len(out) < limit
        return out


class _Zstd:
    def __init__(self) -> None:
        self._decoder = zstandard.ZstdDecompressor().decompressobj()
        self._out = io.BytesIO()
        self.eof = False
        self.needs_input = True
        self.unused_data = b""

    def decompress(self, data: bytes, limit: int) -> bytes:
        out = self._out.read(limit)
        if not out and data:
            self._out = io.BytesIO(self._decoder.decompress(data))
            out = self._out.read(limit)
            self.unused_data = self._decoder.unused_data
        self.needs_input = self._out.tell() == len(self._out.getbuffer())
        self.eof = self._decoder.eof and self.needs_input
        return out


class _Brotli:
    """Keeps the output beyond the limit: brotli's own limit is not strict.

    Its `can_accept_more_data` may be true while there is more output, so input is needed only when there is
    none.
    """

    def __init__(self) -> None:
        self._decoder = brotli.Decompressor()
        self._out = io.BytesIO()
        self.eof = False
        self.needs_input = True
        self.unused_data = b""

    def decompress(self, data: bytes, limit: int) -> bytes:
        out = self._out.read(limit)
        if not out:
            self._out = io.BytesIO(self._decoder.process(data, output_buffer_limit=limit))
            out = self._out.read(limit)
        self.needs_input = not out
        self.eof = self._decoder.is_finished() and self._out.tell() == len(self._out.getbuffer())
        return out


class _ZipLzma:
    """LZMA as a zip has it (APPNOTE 5.8.8): version, size of the properties, properties, data."""

    def __init__(self) -> None:
        self._head = b""
        self._decoder: lzma.LZMADecompressor | None = None
        self.eof = False
        self.needs_input = True
        self.unused_data = b""

    def decompress(self, data: bytes, limit: int) -> bytes:
        if self._decoder is None:
            self._head += data
            if len(self._head) < 9:
                return b""
            data = self._head[9:]
            self._decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[_lzma_filter(self._head)])
        out = self._decoder.decompress(data, limit)
        self.needs_input, self.eof = self._decoder.needs_input, self._decoder.eof
        return out


def _lzma_filter(head: bytes) -> dict[str, int]:
    size, packed, dictionary = struct.unpack_from("<2xHBI", head)
    if size != 5 or packed >= 9 * 5 * 5:
        raise lzma.LZMAError("unknown properties")
    if dictionary > DICTIONARY_BYTES:
        raise lzma.LZMAError(_TOO_MUCH_MEMORY)
    return {
        "id": lzma.FILTER_LZMA1,
        "dict_size": dictionary,
        "lc": packed % 9,
        "lp": packed // 9 % 5,
        "pb": packed // 45,
    }


_TOO_MUCH_MEMORY = "Memory usage limit exceeded"  # as liblzma says it
_DECODERS: dict[str, Callable[[], _Decoder]] = {
    "gzip": lambda: _Zlib(16 + zlib.MAX_WBITS),
    "zlib": lambda: _Zlib(zlib.MAX_WBITS),
    "deflate": lambda: _Zlib(-zlib.MAX_WBITS),
    "zstd": _Zstd,
    "bzip2": bz2.BZ2Decompressor,
    # The decoder itself takes a little besides the dictionary.
    "xz": lambda: lzma.LZMADecompressor(memlimit=DICTIONARY_BYTES + (1 << 20)),
    "zip-lzma": _ZipLzma,
    "br": _Brotli,
}
_MAGIC = ((b"\x1f\x8b\x08", "gzip"), (_ZSTD_FRAME, "zstd"), (b"\xfd7zXZ\x00", "xz"))


def compression(head: bytes) -> str | None:
    """Return the compression of a stream that begins with `head`, by its magic number; None for none."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head.startswith(b"BZh") and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        return "bzip2"
    # A skippable frame, which parallel compressors write before the data.
    return "zstd" if head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F else None


class Unpacked(io.RawIOBase):
    """The content of a compressed stream with one member or several. Reading never raises.

    fault: one line that says why the stream ended too early; None if it did not. is_one: nothing is read
    after the end of the first member.
    """

    def __init__(self, source: Reader | io.BytesIO, name: str, *, is_one: bool = False) -> None:
        super().__init__()
        self.fault: str | None = None
        self._source = source
        self._name = name
        self._is_one = is_one
        self._piece = _ZSTD_PIECE if name == "zstd" else _PIECE
        self._decoder: _Decoder | None = _DECODERS[name]()
        self._fresh = True  # nothing of the present member was read yet
        self._input = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while self._decoder is not None:
            try:
                out = self._step(self._decoder, len(buffer))
            except _ERRORS as error:
                if str(error) == _TOO_MUCH_MEMORY:
                    self._end(f"{self._name} data needs more than {DICTIONARY_BYTES} bytes of memory")
                else:
                    self._end(f"{self._name} data is damaged ({error})")
                return 0
            if out:
                buffer[: len(out)] = out
                return len(out)
        return 0

    def _step(self, decoder: _Decoder, limit: int) -> bytes:
        data = b""
        if decoder.needs_input:
            data = self._input or self._source.read1(self._piece)
            self._input = b""
            if not data:
                self._end(None if self._fresh else f"{self._name} data ends before its end mark")
                return b""
            self._fresh = False
        out = decoder.decompress(data, limit)
        if decoder.eof and self._is_one:
            self._end(None)
        elif decoder.eof:
            self._next_member(decoder.unused_data)
        return out

    def _next_member(self, rest: bytes) -> None:
        self._input = (rest or self._source.read1(self._piece)).lstrip(b"\0")  # gzip allows zero padding
        while 0 < len(self._input) < 10 and (more := self._source.read1(self._piece)):
            self._input += more
        if self._input and compression(self._input) != self._name:
            self._end(f"{self._name} data is followed by something else")
            return
        self._fresh = True
        self._decoder = _DECODERS[self._name]()

    def _end(self, fault: str | None) -> None:
        self.fault = fault
        self._decoder = None


class Chained(io.RawIOBase):
    """The bytes of `head`, then the rest of `source`: used after reading the start of a stream."""

    def __init__(self, head: bytes, source: Reader) -> None:
        super().__init__()
        self._head = memoryview(head)
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._head:
            size = min(len(buffer), len(self._head))
            buffer[:size] = self._head[:size]
            self._head = self._head[size:]
            return size
        data = self._source.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def unpack_body(body: bytes, name: str, limit: int) -> tuple[bytes, str | None]:
    """Unpack an HTTP body: at most `limit` bytes of it, and what is wrong if it ends too early.

    name: a content coding. A body that does not have its stated coding is returned as it is: proxies and
    crawlers unpack bodies and leave the header.
    """
    if name == "deflate":  # zlib by the standard, but some servers send raw deflate
        name = (
            "zlib" if len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0 else name
        )
    elif name in ("gzip", "zstd") and compression(body) != name:
        return body, None
    stream = Unpacked(io.BytesIO(body), name)
    unpacked = read_at_most(stream, limit)
    if stream.fault and not unpacked:
        return body, None
    return unpacked, stream.fault


def read_at_most(stream: Reader | io.RawIOBase, limit: int) -> bytes:
    """Return what is left of a stream, at most `limit` bytes of it.

    `stream.read(limit)` would take memory for the whole limit first, for the smallest file.
    """
    pieces: list[bytes] = []
    size = 0
    while size < limit and (piece := stream.read(min(_PIECE, limit - size))):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)
