"""Files and folders: which are read, in which order, and that no input raises."""

from __future__ import annotations

import gzip
import io
import os
import random
import stat
import sys
import tempfile
import threading
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.files.paths import read_paths
from pipeline.document import Document, MediaType, Origin, Reason, Rejection
from pipeline.errors import OperatorError
from tests.crawler.files.making import (
    PACKERS,
    PAGE,
    SMALL,
    TEXT,
    documents,
    ends,
    jsonl,
    members,
    read,
    response,
    some_records,
    tarred,
    warc,
    zipped,
)


def test_a_page_and_a_text(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(PAGE)
    (tmp_path / "copy of a story.html").write_bytes(TEXT)  # by content, not by name
    page, text = documents(read(tmp_path / "page", tmp_path / "copy of a story.html"))
    assert (page.media_type, page.body, page.origin) == (MediaType.HTML, PAGE, Origin.FILE)
    assert (text.media_type, text.body) == (MediaType.TEXT, TEXT)
    assert page.location == f"{tmp_path}/page"
    assert text.url == f"file://{tmp_path}/copy%20of%20a%20story.html"


@pytest.mark.parametrize("suffix", PACKERS)
def test_compressed_files_whatever_their_name(tmp_path: Path, suffix: str) -> None:
    for name in (f"a.html.{suffix}", "b"):
        (tmp_path / name).write_bytes(PACKERS[suffix](PAGE))
    assert [d.body for d in documents(read(tmp_path))] == [PAGE, PAGE]


def test_members_and_padding_of_compressed_files(tmp_path: Path) -> None:
    half = len(PAGE) // 2
    (tmp_path / "a").write_bytes(gzip.compress(PAGE[:half]) + gzip.compress(PAGE[half:]) + b"\0" * 512)
    skippable = b"\x50\x2a\x4d\x18" + (7).to_bytes(4, "little") + b"ignored"
    zst = zstandard.ZstdCompressor().compress
    (tmp_path / "b").write_bytes(skippable + zst(PAGE[:half]) + skippable + zst(PAGE[half:]))
    (tmp_path / "c").write_bytes(gzip.compress(gzip.compress(PAGE)))
    assert [d.body for d in documents(read(tmp_path))] == [PAGE, PAGE, PAGE]


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_cut_page_is_one_rejection_that_says_what_to_do(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a.html.{suffix}").write_bytes(PACKERS[suffix](PAGE)[:-5])
    (item,) = read(tmp_path)
    assert isinstance(item, Rejection)
    assert item.reason is Reason.UNREADABLE
    assert "ends before its end mark" in item.detail
    assert "again" in item.detail


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("empty.html", b"", Reason.EMPTY),
        ("blank.txt", b"\xef\xbb\xbf \r\n\0", Reason.EMPTY),
        ("photo.html", b"\x89PNG\r\n\x1a\n" + bytes(40), Reason.UNSUPPORTED),
        ("big.html", PAGE + b" " * 5000, Reason.TOO_LARGE),
        ("style.css", b"p { color: red }", Reason.UNSUPPORTED),
        ("config", b'{"name": "copydesk",\n "version": 1}', Reason.UNSUPPORTED),
        ("bomb.html.gz", gzip.compress(bytes(3_000_000), mtime=0), Reason.TOO_LARGE),
        ("broken.zip", b"PK\x03\x04" + bytes(50), Reason.UNREADABLE),
    ],
)
def test_files_that_are_not_documents(tmp_path: Path, name: str, body: bytes, reason: Reason) -> None:
    (tmp_path / name).write_bytes(body)
    (item,) = read(tmp_path)
    assert isinstance(item, Rejection)
    assert (item.reason, item.location) == (reason, f"{tmp_path}/{name}")


def test_the_time_of_a_file_is_when_it_was_fetched(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    for name, time in (("a", datetime(2021, 5, 6, tzinfo=UTC)), ("b", datetime(1980, 1, 1, tzinfo=UTC))):
        (tmp_path / name).write_bytes(PAGE)
        os.utime(tmp_path / name, (time.timestamp(),) * 2)
    (tmp_path / "c").write_bytes(PAGE)
    future = (now + timedelta(days=3)).timestamp()
    os.utime(tmp_path / "c", (future, future))
    known, too_old, too_new = documents(read(tmp_path))
    assert known.fetched_at == datetime(2021, 5, 6, tzinfo=UTC)
    for item in (too_old, too_new):
        assert now <= item.fetched_at <= datetime.now(UTC)


def test_folders_are_read_in_order_without_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b/2.html", "b/10.html", "a.html", "c/.git/x.html", ".hidden.html", "Z.html", "c/é.html"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PAGE)
    assert ends(read(tmp_path), tmp_path) == ["Z.html", "a.html", "b/10.html", "b/2.html", "c/é.html"]
    assert ends(read(tmp_path / ".hidden.html"), tmp_path) == [".hidden.html"]


def test_circular_links_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "page.html").write_bytes(PAGE)
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "c.html").symlink_to(tmp_path / "nowhere")
    assert ends(read(tmp_path), tmp_path) == ["a/page.html", "c.html: unreadable"]


def test_a_pipe_in_a_folder_is_skipped_and_a_pipe_that_is_named_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert ends(read(tmp_path), tmp_path) == ["pipe: unsupported type"]
    writer = threading.Thread(target=pipe.write_bytes, args=(gzip.compress(PAGE),))
    writer.start()
    (document,) = documents(read(pipe))
    writer.join()
    assert document.body == PAGE


def test_a_file_name_that_is_not_text(tmp_path: Path) -> None:
    os.makedirs(os.fsencode(tmp_path) + b"/\xff\xfe")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe/a.html")).write_bytes(PAGE)
    (document,) = documents(read(tmp_path))
    document.location.encode()
    assert document.location.endswith("\\xff\\xfe/a.html")
    assert document.url.endswith("/%FF%FE/a.html")


def test_a_missing_path_is_reported_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(PAGE)
    with pytest.raises(OperatorError, match=r"gone\.html: no such file or folder"):
        read_paths([str(tmp_path / "a.html"), str(tmp_path / "gone.html")], SMALL)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.html").write_bytes(PAGE)
    (tmp_path / "b.html").write_bytes(PAGE)

    class Refusing(io.FileIO):
        def __init__(self, path: str) -> None:
            if path.endswith("a.html"):  # the tests may run as root, who may read everything
                raise PermissionError(13, "Permission denied", path)
            super().__init__(path)

    monkeypatch.setattr("crawler.files.inputs.io.FileIO", Refusing)
    assert ends(read(tmp_path), tmp_path) == ["a.html: unreadable", "b.html"]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def piped(data: bytes) -> list[Document]:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.seek(0)
            monkeypatch.setattr(sys, "stdin", file)
            return documents(read("-"))

    first = piped(jsonl({"text": "one"}, {"text": "two", "url": "https://outlet.example/2"}))
    second = piped(jsonl({"text": "other"}, {"text": "one"}))
    assert [d.location for d in first] == ["-#1", "-#2"]
    assert first[1].url == "https://outlet.example/2"
    # The same position in two pipes is not two versions of one document.
    assert first[0].url == second[1].url != second[0].url
    assert piped(b"") == []


def test_a_large_file_never_enters_memory(tmp_path: Path) -> None:
    record = response(
        "https://outlet.example/1", PAGE + b"<!-- " + random.Random(5).randbytes(300).hex().encode()
    )
    (tmp_path / "a.warc.gz").write_bytes(warc(record, packed=True) * 5_000)
    line = jsonl({"text": "The bridge opened on Wednesday. " * 20})
    with open(tmp_path / "b.jsonl", "wb") as file:
        file.write(line * 5_000)
        file.write(b'{"text": "' + b"x" * 60_000_000 + b'"}\n')
        file.write(line)
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_paths([str(tmp_path)], SMALL))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 10_002
    assert peak < 20_000_000


def test_a_folder_of_very_many_files(tmp_path: Path) -> None:
    for number in range(3_000):
        (tmp_path / f"{number:05}.txt").write_bytes(b"story %d" % number)
    found = read(tmp_path)
    assert [item.location[-9:-4] for item in found] == [f"{n:05}" for n in range(3_000)]


whole_inputs = [
    PAGE,
    TEXT,
    jsonl({"text": "one", "id": 1}, {"html": "<p>two</p>"}, {"text": "three"}),
    warc(*some_records()),
    warc(*some_records(), packed=True),
    gzip.compress(warc(*some_records()), mtime=0),
    zipped(members()),
    tarred(members()),
    gzip.compress(tarred(members()), mtime=0),
    PACKERS["zst"](jsonl({"text": "one"}, {"text": "two"})),
    PACKERS["xz"](PAGE),
    PACKERS["bz2"](TEXT),
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_input_never_raises_and_has_a_reason(tmp_path: Path, data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(whole_inputs)))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(whole)))
        damage = data.draw(st.sampled_from(["cut", "flip", "nul", "insert", "repeat", "drop"]))
        if damage == "cut":
            del whole[at:]
        elif damage == "flip" and at < len(whole):
            whole[at] ^= data.draw(st.integers(1, 255))
        elif damage == "nul":
            whole[at : at + 3] = b"\0\0\0"
        elif damage == "insert":
            whole[at:at] = data.draw(st.binary(max_size=50))
        elif damage == "repeat":
            whole[at:at] = whole[at : at + 500]
        elif damage == "drop":
            del whole[at : at + data.draw(st.integers(1, 700))]
    path = tmp_path / "input"
    path.write_bytes(whole)
    items = read(path)
    is_container = whole.startswith((b"WARC", b"PK\x05\x06")) or whole[257:262] == b"ustar"
    assert items or is_container, "only a container may hold nothing"
    locations = [item.location for item in items]
    assert len(set(locations)) == len(locations) or whole.count(b"PK\x01\x02") or b"ustar" in whole
    for item in items:
        item.location.encode()
        if isinstance(item, Document):
            assert len(item.body) <= SMALL.max_body_bytes
            assert item.fetched_at.tzinfo is UTC
        else:
            assert item.detail
            assert "\n" not in item.detail


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=2000),
    prefix=st.sampled_from([b"", b"WARC/1.0\r\n", b'{"text": "a"}\n', b"\x1f\x8b\x08"]),
)
def test_reading_any_bytes_ends(tmp_path: Path, body: bytes, prefix: bytes) -> None:
    (tmp_path / "input").write_bytes(prefix + body)
    assert read(tmp_path / "input")


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    for number, body in enumerate(whole_inputs):
        (tmp_path / f"{number}").write_bytes(body)
        os.chmod(tmp_path / f"{number}", stat.S_IRUSR)
    assert read(tmp_path) == read(tmp_path)
