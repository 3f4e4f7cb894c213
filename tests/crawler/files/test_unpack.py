"""Unpacking: each compression in one member or several, at any size of read, and damaged or endless input."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from crawler.files.unpack import Chained, Unpacked, compression, unpack_body

# Longer than any piece that is decompressed at once.
DATA = random.Random(3).randbytes(200_000).hex().encode()

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "deflate": lambda data: zlib.compress(data, wbits=-15),
    "zstd": zstandard.ZstdCompressor().compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "br": brotli.compress,
}
# Those that are recognised by a magic number, and may have several members.
OF_FILES = ("gzip", "zstd", "bzip2", "xz")


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("size", [1000, 65_536, -1])
def test_a_stream_gives_the_content(name: str, size: int) -> None:
    stream = Unpacked(io.BytesIO(PACKERS[name](DATA)), name)
    assert b"".join(iter(lambda: stream.read(size), b"")) == DATA
    assert stream.fault is None


@pytest.mark.parametrize("name", OF_FILES)
def test_members_follow_each_other(name: str) -> None:
    pack = PACKERS[name]
    stream = Unpacked(io.BytesIO(pack(DATA[:100]) + pack(b"") + pack(DATA[100:])), name)
    assert stream.readall() == DATA
    assert stream.fault is None


@pytest.mark.parametrize("name", PACKERS)
def test_a_cut_stream_gives_what_comes_before_and_says_so(name: str) -> None:
    packed = PACKERS[name](DATA)
    stream = Unpacked(io.BytesIO(packed[:-20]), name)
    found = stream.readall()
    assert DATA.startswith(found)
    assert stream.fault == f"{name} data ends before its end mark"


def test_damage_is_distinguished_from_bytes_after_the_end() -> None:
    packed = bytearray(gzip.compress(DATA))
    packed[len(packed) // 2] ^= 0xFF
    damaged = Unpacked(io.BytesIO(packed), "gzip")
    assert DATA.startswith(damaged.readall()[:1000])
    assert damaged.fault is not None
    assert "damaged" in damaged.fault
    followed = Unpacked(io.BytesIO(gzip.compress(DATA) + b"no gzip at all"), "gzip")
    assert followed.readall() == DATA
    assert followed.fault == "gzip data is followed by something else"


@pytest.mark.parametrize("name", PACKERS)
def test_output_comes_in_pieces_even_from_a_small_input(name: str) -> None:
    stream = Unpacked(io.BytesIO(PACKERS[name](bytes(50_000_000))), name)
    assert stream.read(1000) == bytes(1000)
    assert sum(len(piece) for piece in iter(lambda: stream.read(1 << 20), b"")) == 50_000_000 - 1000


@pytest.mark.parametrize("name", OF_FILES)
def test_a_compression_is_recognised_by_its_magic_number(name: str) -> None:
    assert compression(PACKERS[name](DATA)[:16]) == name


@pytest.mark.parametrize("head", [b"", b"BZh is a text", b"<html>", b"PK\x03\x04", b"\x1f\x8b\x00"])
def test_content_that_is_not_compressed(head: bytes) -> None:
    assert compression(head) is None


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_an_http_body_is_unpacked_up_to_the_limit(coding: str) -> None:
    packed = PACKERS[coding](DATA)
    assert unpack_body(packed, coding, 1_000_000) == (DATA, None)
    assert unpack_body(packed, coding, 1000)[0] == DATA[:1000]
    assert unpack_body(DATA, coding, 1_000_000)[0] == DATA  # sent as it is, with a wrong header


def test_deflate_means_zlib_or_raw_deflate() -> None:
    assert unpack_body(PACKERS["zlib"](DATA), "deflate", 1_000_000) == (DATA, None)


def test_a_cut_http_body_says_so() -> None:
    found, fault = unpack_body(gzip.compress(DATA)[:-100], "gzip", 1_000_000)
    assert DATA.startswith(found)
    assert fault == "gzip data ends before its end mark"


def test_the_start_of_a_stream_can_be_read_twice() -> None:
    source = io.BufferedReader(io.BytesIO(DATA))
    head = source.read(100)
    again = io.BufferedReader(Chained(head, source))
    assert again.read() == DATA


@given(st.sampled_from(sorted(PACKERS)), st.binary(max_size=300), st.integers(0, 300))
def test_reading_never_raises(name: str, noise: bytes, at: int) -> None:
    packed = PACKERS[name](DATA[:500])
    stream = Unpacked(io.BytesIO(packed[:at] + noise + packed[at:]), name)
    assert stream.readall() == DATA[:500] or stream.fault is not None or noise
