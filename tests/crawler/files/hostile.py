"""Files of a few bytes to some megabytes that once took gigabytes, minutes or the whole run, made anew."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.document import Reason
from pipeline.settings import ReadingSettings, Settings
from tests.crawler.files.making import PAGE, tarred

# Small, so that what is unbounded runs into them; what is bounded needs a fraction.
SETTINGS = Settings(max_body_bytes=1_000_000, reading=ReadingSettings(memory_bytes=100_000_000))


@dataclass(frozen=True)
class Hostile:
    """make: its bytes. reason, detail: of the rejection that says so, a part of the detail.

    rejections, documents: how many of each come out of it. suffix: of its name, where that decides.
    """

    make: Callable[[], bytes]
    reason: Reason
    detail: str
    rejections: int = 1
    documents: int = 0
    suffix: str = ""


def bz2_bomb() -> bytes:
    """A member of 100 bytes that unpacks to 120 MB, in one step of the decoder; then a page."""
    return _zip({"bomb.html": bytes(120_000_000), "page.html": PAGE}, zipfile.ZIP_BZIP2)


def damaged_lzma() -> bytes:
    whole = _zip({"damaged.html": PAGE * 50, "page.html": PAGE}, zipfile.ZIP_LZMA)
    return whole.replace(_lzma_member(PAGE * 50)[9:], b"\xff" * len(_lzma_member(PAGE * 50)[9:]))


def large_lzma_dictionary() -> bytes:
    whole = _zip({"large.html": PAGE * 50, "page.html": PAGE}, zipfile.ZIP_LZMA)
    head = _lzma_member(PAGE * 50)[:9]
    return whole.replace(head, head[:5] + b"\xff" * 4, 1)


def large_xz_dictionary() -> bytes:
    """An xz file whose header asks for a dictionary of 4 GiB."""
    whole = bytearray(lzma.compress(PAGE))
    block, size = 12, (whole[12] + 1) * 4
    assert whole[block + 2 : block + 4] == b"\x21\x01", "LZMA2, with one byte of properties"
    whole[block + 4] = 40
    end = block + size - 4
    whole[end : end + 4] = struct.pack("<I", zlib.crc32(whole[block:end]))
    return bytes(whole)


def false_lengths() -> bytes:
    """A WARC of 2,000 records, each of which claims to be as long as a document may be."""
    record = (
        b"WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http\r\n"
        b"Content-Length: 1000000\r\n\r\nHTTP/1.1 200 OK\r\n\r\nshort\r\n\r\n"
    )
    return record * 2_000


def long_pax_header() -> bytes:
    return _tar_header(b"x", 1_000_000) + b"1" * 1_000_000


def pax_number() -> bytes:
    """A valid pax header of 64 kB with a long number, for whose digits tarfile takes the square of time."""
    content = b"64000 comment=" + b"1" * 63_985 + b"\n"
    return _tar_header(b"x", len(content)) + content


def pax_chain() -> bytes:
    """Each header announces another."""
    content = b"9 a=bcde\n".ljust(512, b"\0")
    return (_tar_header(b"x", 9) + content) * 2_000


def sparse_blocks() -> bytes:
    """A sparse file whose map goes on for 8,000 blocks of 21 entries."""
    block = b"00000000001\0" * 42 + b"\1" + bytes(7)
    return _tar_header(b"S", 0, extended=True) + block * 8_000


def endless_contents() -> bytes:
    """A zip whose table of contents has a million entries."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, 0, 0, 0, 0, 33, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0)
    entries = (entry + b"page.txt") * 1_000_000
    local = struct.pack("<4s2B4HL2L2H", b"PK\3\4", 20, 0, 0, 0, 0, 33, 0, 0, 0, 8, 0) + b"page.txt"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFE, 0xFFFE, len(entries), len(local), 0)
    return local + entries + end


def marks_in_url() -> bytes:
    record = {"text": "Ferry sails\n\nIt did.", "url": "https://a" + "\u0301\u0323" * 200_000}
    sound = {"text": "Bridge opens\n\nIt did."}
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in (record, sound)).encode()


def gzip_bomb() -> bytes:
    """A line of JSON Lines of 60 GB: linear, and yet it takes minutes."""
    return gzip.compress(b'{"text": "') + gzip.compress(bytes(20_000_000)) * 3_000


def unclosed_quote() -> bytes:
    """Lines that all belong to one cell, after a row that is sound."""
    return b'text,url\n"It sails. ""So"", they said.",\n"' + b"The ferry sails.\n" * 600_000


def endless_row() -> bytes:
    """Cells that go over two lines each, so that neither a line nor a cell is long."""
    return b"text\nIt sails.\n" + b'"a\nb",' * 1_500_000


def zeros_in_cells() -> bytes:
    return b"text,url\nThe ferry\0 sails.,\n" + b"x" * 3_000_000


def deep_json() -> bytes:
    return b'[{"text": "It sails."}, {"text": ' + b"[" * 900_000


def long_number() -> bytes:
    """A number of a million digits, for which Python would take the square of time."""
    return b'[{"text": "It sails."}, {"text": "It sails.", "id": ' + b"7" * 1_000_000 + b"}]"


HOSTILE = {
    "bz2 member": Hostile(bz2_bomb, Reason.TOO_LARGE, "longer than", documents=1),
    "damaged LZMA member": Hostile(damaged_lzma, Reason.UNREADABLE, "is damaged", documents=1),
    "LZMA dictionary": Hostile(large_lzma_dictionary, Reason.UNREADABLE, "bytes of memory", documents=1),
    "xz dictionary": Hostile(large_xz_dictionary, Reason.UNREADABLE, "bytes of memory"),
    "false lengths": Hostile(
        false_lengths, Reason.MALFORMED_RECORD, "is not as long as it says", rejections=2_000
    ),
    "long pax header": Hostile(long_pax_header, Reason.UNREADABLE, "extended header of 1000000 bytes"),
    "pax number": Hostile(pax_number, Reason.UNREADABLE, "more than 1000 digits"),
    "pax chain": Hostile(pax_chain, Reason.UNREADABLE, "more than 50 headers"),
    "sparse blocks": Hostile(sparse_blocks, Reason.UNREADABLE, "headers of a member are longer"),
    "endless contents": Hostile(endless_contents, Reason.TOO_LARGE, "table of contents"),
    "unclosed quote": Hostile(
        unclosed_quote, Reason.MALFORMED_RECORD, "a quote is not closed", documents=1, suffix=".csv"
    ),
    "endless row": Hostile(
        endless_row, Reason.MALFORMED_RECORD, "a row is longer than", documents=1, suffix=".csv"
    ),
    "NULs and a long line": Hostile(
        zeros_in_cells, Reason.MALFORMED_RECORD, "a row is longer than", documents=1, suffix=".csv"
    ),
    "deep JSON": Hostile(deep_json, Reason.MALFORMED_RECORD, "no JSON: maximum recursion", documents=1),
    "long number": Hostile(long_number, Reason.MALFORMED_RECORD, "no JSON", documents=1),
    "marks in a URL": Hostile(marks_in_url, Reason.MALFORMED_RECORD, "longer than 2000", documents=1),
}


def _zip(contents: dict[str, bytes], method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, body in contents.items():
            archive.writestr(zipfile.ZipInfo(name, (2022, 2, 2, 2, 2, 2)), body, method)
    return out.getvalue()


def _lzma_member(body: bytes) -> bytes:
    """What a member of a zip is packed to."""
    whole = _zip({"a": body}, zipfile.ZIP_LZMA)
    return whole[31 : whole.index(b"PK\1\2")]


def _tar_header(kind: bytes, size: int, *, extended: bool = False) -> bytes:
    header = bytearray(tarred({"a": b""})[:512])
    header[124:136] = b"%011o\0" % size
    header[156:157] = kind
    if extended:
        header[482] = 1
        header[483:495] = b"%011o\0" % 1000
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)
