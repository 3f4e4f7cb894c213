"""The local-file source: what is found in files, folders and archives, and what damaged ones still give."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import random
import stat
import sys
import tarfile
import tempfile
import threading
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import brotli
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.files.paths import read_paths
from pipeline.document import Claims, Document, MediaType, Origin, Reason, Rejection
from pipeline.errors import OperatorError
from pipeline.settings import Settings

PAGE = b"<!DOCTYPE html><html><head><title>Bridge opens</title></head><body><p>It did.</p></body></html>"
TEXT = b"Bridge opens\n\nThe bridge opened on Wednesday.\n"
SMALL = Settings(max_body_bytes=5_000)

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "zst": zstandard.ZstdCompressor().compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


def read(*paths: Path | str, settings: Settings = SMALL) -> list[Document | Rejection]:
    return list(read_paths([str(path) for path in paths], settings))


def documents(items: Sequence[Document | Rejection]) -> list[Document]:
    return [item for item in items if isinstance(item, Document)]


def ends(items: Sequence[Document | Rejection], base: Path) -> list[str]:
    """Each item's location below `base`, with the reason of a rejection."""
    shown = []
    for item in items:
        location = item.location.removeprefix(f"{base}/")
        shown.append(location if isinstance(item, Document) else f"{location}: {item.reason.value}")
    return shown


def jsonl(*records: object) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def response(
    url: str, body: bytes, *, status: str = "200 OK", date: str = "2024-03-02T01:02:03Z", **headers: str
) -> tuple[str, str, bytes, str, dict[str, str]]:
    fields = {"Content-Type": "text/html; charset=utf-8"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    return "response", url, body, date, {"status": status, **fields}


def warc(*records: tuple[str, str, bytes, str, dict[str, str]], packed: bool = False) -> bytes:
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=packed)
    for kind, url, body, date, fields in records:
        fields = dict(fields)
        status = fields.pop("status", None)
        http = StatusAndHeaders(status, list(fields.items()), protocol="HTTP/1.1") if status else None
        record = writer.create_warc_record(
            url,
            kind,
            payload=io.BytesIO(body),
            http_headers=http,
            warc_content_type=fields.get("Content-Type", "") if http is None else "",
            warc_headers_dict={"WARC-Date": date},
        )
        writer.write_record(record)
    return out.getvalue()


# --- single files ----------------------------------------------------------------------------------


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
def test_what_is_no_document(tmp_path: Path, name: str, body: bytes, reason: Reason) -> None:
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


# --- folders ---------------------------------------------------------------------------------------


def test_folders_are_read_in_order_without_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b/2.html", "b/10.html", "a.html", "c/.git/x.html", ".hidden.html", "Z.html", "c/é.html"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PAGE)
    assert ends(read(tmp_path), tmp_path) == ["Z.html", "a.html", "b/10.html", "b/2.html", "c/é.html"]
    assert ends(read(tmp_path / ".hidden.html"), tmp_path) == [".hidden.html"]


def test_links_that_lead_in_circles_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "page.html").write_bytes(PAGE)
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "c.html").symlink_to(tmp_path / "nowhere")
    assert ends(read(tmp_path), tmp_path) == ["a/page.html", "c.html: unreadable"]


def test_a_pipe_in_a_folder_blocks_nobody_and_one_that_is_given_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert ends(read(tmp_path), tmp_path) == ["pipe: unsupported type"]
    writer = threading.Thread(target=pipe.write_bytes, args=(gzip.compress(PAGE),))
    writer.start()
    (document,) = documents(read(pipe))
    writer.join()
    assert document.body == PAGE


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    os.makedirs(os.fsencode(tmp_path) + b"/\xff\xfe")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe/a.html")).write_bytes(PAGE)
    (document,) = documents(read(tmp_path))
    document.location.encode()
    assert document.location.endswith("\\xff\\xfe/a.html")
    assert document.url.endswith("/%FF%FE/a.html")


def test_a_path_that_does_not_exist_is_said_before_anything_is_read(tmp_path: Path) -> None:
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

    monkeypatch.setattr("crawler.files.paths.io.FileIO", Refusing)
    assert ends(read(tmp_path), tmp_path) == ["a.html: unreadable", "b.html"]


# --- JSON Lines ------------------------------------------------------------------------------------


def test_records_with_all_their_keys(tmp_path: Path) -> None:
    path = tmp_path / "feed"
    path.write_bytes(
        jsonl(
            {
                "url": "https://outlet.example/1",
                "title": "Bridge opens",
                "text": "It did.",
                "published_at": "2024-03-02",
                "authors": ["A. Writer", {"name": "B. Writer"}],
                "language": "en",
                "publisher": "The Outlet",
                "unknown": [1, 2],
            },
            {"html": PAGE.decode(), "date": 1709337600, "author": "C. Writer", "id": "x 7"},
            {"text": "Schön \ud83d\ude00\ud800", "id": 8},
            {"text": "No name"},
        )
    )
    first, second, third, fourth = documents(read(path))
    assert (first.location, first.url, first.body) == (f"{path}#1", "https://outlet.example/1", b"It did.")
    assert first.publisher == "The Outlet"
    assert first.claims == Claims("Bridge opens", "2024-03-02", ("A. Writer", "B. Writer"), "en")
    assert (second.media_type, second.body, second.encoding) == (MediaType.HTML, PAGE, "utf-8")
    assert second.url == f"file://{path}#id=x%207"
    assert second.claims == Claims(None, "2024-03-02T00:00:00+00:00", ("C. Writer",), None)
    assert third.body.decode() == "Schön \U0001f600\ufffd"
    assert fourth.url == f"file://{path}#4"
    assert {d.origin for d in (first, second, third, fourth)} == {Origin.JSONL}


def test_bad_lines_cost_themselves_and_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [
        json.dumps({"text": "one"}).encode(),
        b"",
        b'{"text": "cut',
        b"[1, 2]",
        b'{"title": "no body"}',
        b'{"text": 5}',
        b'{"text": "x", "url": 5}',
        b'{"text": "' + b"x" * 9000 + b'"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"text": "last"}',
    ]
    path.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines))
    items = read(path, settings=Settings(max_body_bytes=8_000))
    assert [d.body for d in documents(items)] == [b"one", b"last"]
    rejected = [item for item in items if isinstance(item, Rejection)]
    assert [r.reason.value for r in rejected] == ["malformed record"] * 5 + [
        "too large",
        "malformed record",
        "too large",
    ]
    assert [int(r.detail.split("line ")[1].split()[0].rstrip(":")) for r in rejected] == [
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
    ]
    assert [item.location for item in items] == [f"{path}#{n}" for n in range(1, 11)]


def test_a_json_lines_file_is_known_by_its_lines_or_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(jsonl({"text": "x" * 100_000}))
    (tmp_path / "b.jsonl").write_bytes(b"damaged\n" + jsonl({"text": "x"}))
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(b"damaged\n" + jsonl({"text": "x"})))
    items = read(tmp_path, settings=Settings())
    assert ends(items, tmp_path) == [
        "a#1",
        "b.jsonl#1: malformed record",
        "b.jsonl#2",
        "c.jsonl.gz#1: malformed record",
        "c.jsonl.gz#2",
    ]


def test_a_cut_json_lines_file_gives_what_came_before(tmp_path: Path) -> None:
    rng = random.Random(4)
    records = [{"text": rng.randbytes(500).hex()} for _ in range(200)]
    for suffix, pack in (("gz", gzip.compress), ("zst", PACKERS["zst"])):
        packed = pack(jsonl(*records))
        (tmp_path / "a").write_bytes(packed[: len(packed) * 3 // 4])
        items = read(tmp_path / "a")
        assert len(documents(items)) > (100 if suffix == "gz" else 0)
        assert [d.body.decode() for d in documents(items)] == [r["text"] for r in records][: len(items) - 1]
        last = items[-1]
        assert isinstance(last, Rejection)
        assert (last.location, last.reason) == (f"{tmp_path}/a", Reason.UNREADABLE)


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
    # What stands in the same place of two pipes is not two versions of one thing.
    assert first[0].url == second[1].url != second[0].url
    assert piped(b"") == []


# --- WARC ------------------------------------------------------------------------------------------


def some_records() -> list[tuple[str, str, bytes, str, dict[str, str]]]:
    chunked = b"5\r\n" + PAGE[:5] + b"\r\n%x;x=1\r\n" % len(PAGE[5:]) + PAGE[5:] + b"\r\n0\r\n\r\n"
    return [
        (
            "warcinfo",
            "",
            b"software: test\r\n",
            "2024-03-02T01:02:03Z",
            {"Content-Type": "application/warc-fields"},
        ),
        response("https://outlet.example/1", PAGE, Content_Type="text/html; charset=windows-1251"),
        response("https://outlet.example/2", gzip.compress(PAGE), Content_Encoding="gzip"),
        response("https://outlet.example/3", chunked, Transfer_Encoding="chunked"),
        response("https://outlet.example/4", brotli.compress(PAGE), Content_Encoding="br"),
        response("https://outlet.example/5", PAGE, Content_Encoding="gzip"),  # unpacked by the crawler
        response("https://outlet.example/logo", b"\x89PNG", Content_Type="image/png"),
        response("https://outlet.example/moved", PAGE, status="301 Moved"),
        response("https://outlet.example/gone", PAGE, status="404 Not Found"),
        response("https://outlet.example/bomb", gzip.compress(bytes(3_000_000)), Content_Encoding="gzip"),
        ("resource", "https://outlet.example/6", PAGE, "2024-03-02T01:02:03Z", {"Content-Type": "text/html"}),
        (
            "conversion",
            "https://outlet.example/7",
            TEXT,
            "2024-03-02T01:02:03Z",
            {"Content-Type": "text/plain"},
        ),
        response("https://outlet.example/8", zstandard.compress(PAGE), Content_Encoding="zstd"),
    ]


EXPECTED = ["#2", "#3", "#4", "#5", "#6", "#9: error page", "#10: too large", "#11", "#12", "#13"]


@pytest.mark.parametrize("pack", ["plain", "records", "gz", "zst"])
def test_pages_of_a_warc(tmp_path: Path, pack: str) -> None:
    data = warc(*some_records(), packed=pack == "records")
    path = tmp_path / "a.warc"
    path.write_bytes(PACKERS[pack](data) if pack in PACKERS else data)
    items = read(path)
    assert [end.removeprefix("a.warc") for end in ends(items, tmp_path)] == EXPECTED
    found = documents(items)
    assert [d.url.rpartition("/")[2] for d in found] == ["1", "2", "3", "4", "5", "6", "7", "8"]
    assert {d.body for d in found if d.media_type is MediaType.HTML} == {PAGE}
    assert found[0].encoding == "windows-1251"
    assert found[1].encoding == "utf-8"
    assert {d.fetched_at for d in found} == {datetime(2024, 3, 2, 1, 2, 3, tzinfo=UTC)}
    assert {d.origin for d in found} == {Origin.WARC}


def test_broken_records_cost_themselves(tmp_path: Path) -> None:
    records = [warc(response(f"https://outlet.example/{n}", PAGE)) for n in range(7)]
    records[1] = records[1].replace(b"WARC/1.0", b"WRAC/1.0")
    records[2] = records[2].replace(b"Content-Length: ", b"Content-Length: x", 1)
    length = records[4].split(b"Content-Length: ")[1].split(b"\r")[0]
    records[4] = records[4].replace(
        b"Content-Length: " + length, b"Content-Length: %d" % (int(length) - 9), 1
    )
    records[5] = records[5].replace(
        b"Content-Length: " + length, b"Content-Length: %d" % (int(length) + 300), 1
    )
    path = tmp_path / "a.warc"
    path.write_bytes(b"".join(records))
    items = read(path)
    assert [d.url[-1] for d in documents(items)] == ["0", "3", "6"]
    assert [i.reason for i in items if isinstance(i, Rejection)] == [Reason.MALFORMED_RECORD] * 4


def test_a_cut_warc_gives_what_came_before(tmp_path: Path) -> None:
    records = [response(f"https://outlet.example/{n}", PAGE) for n in range(5)]
    for name, data in (("a", warc(*records)), ("b", warc(*records, packed=True))):
        (tmp_path / name).write_bytes(data[:-40])
        items = read(tmp_path / name)
        assert len(documents(items)) == 4
        assert ends(items, tmp_path)[-1] == f"{name}: unreadable"


def test_a_record_that_is_too_large_is_passed_over(tmp_path: Path) -> None:
    records = [
        response("https://outlet.example/1", bytes(1_000_000)),
        response("https://outlet.example/2", PAGE),
    ]
    (tmp_path / "a.warc").write_bytes(warc(*records))
    assert ends(read(tmp_path), tmp_path) == ["a.warc#1: too large", "a.warc#2"]


# --- archives --------------------------------------------------------------------------------------


def members() -> dict[str, bytes]:
    return {
        "pages/1.html": PAGE,
        "2.txt.gz": gzip.compress(TEXT),
        "__MACOSX/._1.html": b"\0\5\x16\7",
        "3.jsonl": jsonl({"text": "one"}, {"text": "two"}),
        "4.warc.gz": warc(response("https://outlet.example/w", PAGE), packed=True),
        "../../etc/5.html": PAGE,
    }


EXPECTED_MEMBERS = ["pages/1.html", "2.txt.gz", "3.jsonl#1", "3.jsonl#2", "4.warc.gz#1", "../../etc/5.html"]


def zipped(contents: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, body in contents.items():
            archive.writestr(zipfile.ZipInfo(name, (2022, 2, 2, 2, 2, 2)), body, method)
    return out.getvalue()


def tarred(contents: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, body in contents.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(body), int(datetime(2022, 2, 2, 2, 2, 2, tzinfo=UTC).timestamp())
            archive.addfile(info, io.BytesIO(body))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return out.getvalue()


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


def test_a_bomb_in_an_archive_costs_itself(tmp_path: Path) -> None:
    contents = {"a.html": PAGE, "bomb.html": bytes(50_000_000), "c.html": PAGE}
    expected = ["x!a.html", "x!bomb.html: too large", "x!c.html"]
    for data in (zipped(contents), gzip.compress(tarred(contents), 1)):
        (tmp_path / "x").write_bytes(data)
        assert ends(read(tmp_path), tmp_path) == expected


def test_a_cut_tar_gives_what_came_before(tmp_path: Path) -> None:
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


def test_a_damaged_or_locked_member_of_a_zip_costs_itself(tmp_path: Path) -> None:
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


# --- bounds ----------------------------------------------------------------------------------------


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


# --- whatever the bytes ----------------------------------------------------------------------------

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
def test_damaged_input_never_raises_and_says_what_is_wrong(tmp_path: Path, data: st.DataObject) -> None:
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
def test_any_bytes_have_an_end(tmp_path: Path, body: bytes, prefix: bytes) -> None:
    (tmp_path / "input").write_bytes(prefix + body)
    assert read(tmp_path / "input")


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    for number, body in enumerate(whole_inputs):
        (tmp_path / f"{number}").write_bytes(body)
        os.chmod(tmp_path / f"{number}", stat.S_IRUSR)
    assert read(tmp_path) == read(tmp_path)
