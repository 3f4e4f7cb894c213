"""Makes and reads files for tests: compressed, JSON Lines, WARC and archives."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import brotli
import zstandard
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.files.paths import read_paths
from pipeline.document import Document, Rejection
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


def members() -> dict[str, bytes]:
    return {
        "pages/1.html": PAGE,
        "2.txt.gz": gzip.compress(TEXT),
        "__MACOSX/._1.html": b"\0\5\x16\7",
        "3.jsonl": jsonl({"text": "one"}, {"text": "two"}),
        "4.warc.gz": warc(response("https://outlet.example/w", PAGE), packed=True),
        "../../etc/5.html": PAGE,
    }


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
