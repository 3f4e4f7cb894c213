"""Zip archives: each method of compression, and members that are damaged or cut."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest
import zstandard

from pipeline.document import Rejection
from tests.crawler.files.making import PACKERS, PAGE, TEXT, documents, ends, read, zipped

LONG = TEXT * 60


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_members_of_each_method(tmp_path: Path, method: int) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"a.txt": LONG, "empty": b"", "b.html": PAGE}, method))
    assert [d.body for d in documents(read(tmp_path))] == [LONG, PAGE]
    assert ends(read(tmp_path), tmp_path) == ["a.zip!a.txt", "a.zip!empty: empty", "a.zip!b.html"]


@pytest.mark.parametrize(("method", "suffix"), [(93, "zst"), (95, "xz")])
def test_members_of_methods_that_zipfile_does_not_write(tmp_path: Path, method: int, suffix: str) -> None:
    (tmp_path / "a.zip").write_bytes(_with_method(PACKERS[suffix](LONG), LONG, method))
    assert [d.body for d in documents(read(tmp_path))] == [LONG]


def test_an_unknown_method_costs_the_member(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(_with_method(zstandard.compress(PAGE), PAGE, 97))
    (item,) = read(tmp_path)
    assert isinstance(item, Rejection)
    assert "compression method 97 is unknown" in item.detail


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_member_costs_itself(tmp_path: Path, method: int) -> None:
    whole = zipped({"a.txt": LONG, "b.html": PAGE}, method)
    start, end = 30 + len("a.txt"), whole.index(b"PK\3\4", 1)
    for place in (start + 9, (start + end) // 2):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        (tmp_path / "a.zip").write_bytes(damaged)
        assert ends(read(tmp_path), tmp_path) == ["a.zip!a.txt: unreadable", "a.zip!b.html"]


def test_a_member_that_is_longer_than_its_data_is_damaged(tmp_path: Path) -> None:
    whole = zipped({"a.txt": LONG, "b.html": PAGE}, zipfile.ZIP_DEFLATED)
    size = struct.pack("<L", len(LONG))
    (tmp_path / "a.zip").write_bytes(whole.replace(size, struct.pack("<L", len(LONG) + 1)))
    assert ends(read(tmp_path), tmp_path) == ["a.zip!a.txt: unreadable", "a.zip!b.html"]


def _with_method(packed: bytes, body: bytes, method: int) -> bytes:
    """A zip of one member that holds `packed`."""
    whole = bytearray(zipped({"a.txt": packed}, zipfile.ZIP_STORED))
    info = zipped({"a.txt": body}, zipfile.ZIP_STORED)
    entry, own = whole.index(b"PK\1\2"), info.index(b"PK\1\2")
    for place in (8, entry + 10):
        struct.pack_into("<H", whole, place, method)
    whole[entry + 16 : entry + 20] = info[own + 16 : own + 20]  # checksum
    whole[entry + 24 : entry + 28] = info[own + 24 : own + 28]  # size
    return bytes(whole)
