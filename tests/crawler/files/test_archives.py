"""Archives: their members, archives within them, and damaged ones."""

from __future__ import annotations

import gzip
import random
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.crawler.files.making import (
    PACKERS,
    PAGE,
    TEXT,
    documents,
    ends,
    members,
    read,
    tarred,
    zipped,
)

EXPECTED_MEMBERS = ["pages/1.html", "2.txt.gz", "3.jsonl#1", "3.jsonl#2", "4.warc.gz#1", "../../etc/5.html"]


@pytest.mark.parametrize(
    "kind", ["zip", "stored zip", "zip.gz", "tar", *(f"tar.{suffix}" for suffix in PACKERS)]
)
def test_members_of_archives(tmp_path: Path, kind: str) -> None:
    method = zipfile.ZIP_STORED if kind == "stored zip" else zipfile.ZIP_DEFLATED
    data = zipped(members(), method) if "zip" in kind else tarred(members())
    suffix = kind.rpartition(".")[2]
    (tmp_path / "archive").write_bytes(PACKERS[suffix](data) if suffix in PACKERS else data)
    found = documents(read(tmp_path))
    assert [d.location.removeprefix(f"{tmp_path}/archive!") for d in found] == EXPECTED_MEMBERS
    assert [d.body for d in found] == [PAGE, TEXT, b"one", b"two", PAGE, PAGE]
    assert found[0].url == f"file://{tmp_path}/archive#!pages/1.html"
    assert found[2].url == f"file://{tmp_path}/archive#!3.jsonl%231"
    assert found[0].fetched_at == datetime(2022, 2, 2, 2, 2, 2, tzinfo=UTC)
    assert len({d.url for d in found}) == len(found)


@pytest.mark.parametrize("outer", [zipped, tarred])
@pytest.mark.parametrize("inner", [zipped, tarred])
def test_archives_in_archives_one_level_deep(
    tmp_path: Path, outer: Callable[..., bytes], inner: Callable[..., bytes]
) -> None:
    innermost = inner({"deep.html": PAGE})
    (tmp_path / "a").write_bytes(outer({"b": inner({"c.html": PAGE, "d": innermost}), "e.html": PAGE}))
    assert ends(read(tmp_path), tmp_path) == ["a!b!c.html", "a!b!d: unsupported type", "a!e.html"]


def test_a_bomb_in_an_archive_costs_only_itself(tmp_path: Path) -> None:
    contents = {"a.html": PAGE, "bomb.html": bytes(50_000_000), "c.html": PAGE}
    expected = ["x!a.html", "x!bomb.html: too large", "x!c.html"]
    for data in (zipped(contents), gzip.compress(tarred(contents), 1)):
        (tmp_path / "x").write_bytes(data)
        assert ends(read(tmp_path), tmp_path) == expected


def test_a_cut_tar_gives_its_complete_members(tmp_path: Path) -> None:
    rng = random.Random(1)
    contents = {f"{n}.txt": rng.randbytes(1000).hex().encode() for n in range(20)}
    for data in (tarred(contents)[:20_000], gzip.compress(tarred(contents))[:12_000]):
        (tmp_path / "a.tar").write_bytes(data)
        items = read(tmp_path)
        found = documents(items)
        assert 3 < len(found) < 20
        assert [d.body for d in found] == list(contents.values())[: len(found)]
        assert ends(items, tmp_path)[-1] == "a.tar: unreadable"


def test_a_damaged_tar_header_is_not_taken_for_the_end(tmp_path: Path) -> None:
    data = bytearray(tarred({"a.html": PAGE, "b.html": PAGE}))
    data[1024 + 10] ^= 0xFF
    (tmp_path / "a.tar").write_bytes(data)
    assert ends(read(tmp_path), tmp_path) == ["a.tar!a.html", "a.tar: unreadable"]


def test_a_damaged_or_encrypted_member_of_a_zip_costs_only_itself(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.html": PAGE, "b.html": PAGE, "c.html": PAGE}, zipfile.ZIP_STORED))
    data[data.index(b"It did.")] ^= 0xFF  # the first member's checksum is wrong now
    entry = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    data[entry + 8] |= 1  # and the second is encrypted
    (tmp_path / "a.zip").write_bytes(data)
    expected = ["a.zip!a.html: unreadable", "a.zip!b.html: unreadable", "a.zip!c.html"]
    assert ends(read(tmp_path), tmp_path) == expected


def test_an_office_document_is_no_archive_of_pages(tmp_path: Path) -> None:
    (tmp_path / "report.docx").write_bytes(
        zipped({"[Content_Types].xml": b"<Types/>", "word/a.xml": b"<a/>"})
    )
    assert ends(read(tmp_path), tmp_path) == ["report.docx: unsupported type"]
