"""The inputs that each target begins with: seeds written here, and inputs that once did harm, in `found/`."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zlib
from pathlib import Path

import brotli
import pyarrow
import pyarrow.parquet
import zstandard

from tests.crawler.files.making import members, response, tarred, warc, zipped

FOUND = Path(__file__).with_name("found")

WRITTEN = Path(__file__).with_name("written")


def _file(name: str) -> bytes:
    return (WRITTEN / name).read_bytes()


_PAGE = _file("page.html")
_START = _PAGE[:600]
_LANGUAGES = _file("languages.html").decode()
_STORY = _file("story.txt")
_FRONT = _file("front_page.html")
_LINES = [
    {
        "url": "https://gazette.example/1",
        "title": "Ferry",
        "text": _STORY.decode(),
        "authors": ["Ada", {"name": "B"}],
    },
    {"html": "<p>x</p>", "date": 1772440000, "id": 5, "keywords": ["a"], "image_url": "/a.jpg", "rights": []},
    {"text": "\ud83d\ude00 \ud800", "published_at": "2026-03-02T08:15:00+01:00", "publisher": {"name": "G"}},
]
_CSV = b"""\xef\xbb\xbfurl,title,text,authors,published_at
https://gazette.example/1,"Ferry, again","It ""sails"".
And so on.","[""Ada"", {""name"": ""B""}]",2026-03-02T08:15:00Z
,,x,Ada,1772440000
"""
_JSONL = b"".join(json.dumps(line).encode() + b"\n" for line in _LINES)

_ROWS = (
    b"20260302https://gazette.example/1\tAda,B\tFerry sails\n"
    + bytes(8)
    + b"x\t\t\xff\n"
    + b"\xff" * 7
    + b"\x7f"
)


def _parquet(rows: bytes) -> bytes:
    out = io.BytesIO()
    texts = [line.decode("utf-8", "replace") for line in rows.split(b"\n")]
    table = pyarrow.table({"text": texts, "authors": [text.split(",") for text in texts]})
    pyarrow.parquet.write_table(table, out, compression="none")
    return out.getvalue()


def _both(container: bytes, content: bytes) -> list[bytes]:
    """A file of a format, and what is packed in that format; the first byte says which it is."""
    return [b"\0" + container, b"\1" + content]


def _after(first: range, *bodies: bytes) -> list[bytes]:
    return [bytes([number]) + body for number in first for body in bodies]


def _written() -> dict[str, list[bytes]]:
    small = dict(list(members().items())[:4])
    record = response("https://gazette.example/1", _START)
    packed = response("https://gazette.example/2", gzip.compress(b"<p>x</p>"), Content_Encoding="gzip")
    chunked = response("https://gazette.example/3", b"3\r\nabc\r\n0\r\n\r\n", Transfer_Encoding="chunked")
    records = warc(record, packed, chunked)
    files = [_START, _STORY, _JSONL, records, zipped(small), tarred(small)[:4096]]
    tar = tarred(small)
    return {
        "paths": [bytes([number]) + file for number, file in enumerate([*files, gzip.compress(_PAGE)])],
        "zip": _both(zipped(small), b"a.html\n<p>x</p>\nb/c.txt\nText of a story\n../d\x00.jsonl\n{}\n"),
        "tar": _both(tar[:4096], tar[:2048]),
        "warc": [*_both(records, records), b"\0" + warc(record, packed=True)],
        "gzip": [*_both(gzip.compress(_START), _JSONL), b"\0" + gzip.compress(b"a") * 2 + b"\0\0"],
        "bzip2": _both(bz2.compress(_START), _JSONL),
        "xz": _both(lzma.compress(_START), _JSONL),
        "zstd": _both(zstandard.compress(_START), _JSONL),
        "jsonl": [b"\0" + _JSONL, b"\0\xef\xbb\xbf" + _JSONL[:300]],
        "json_array": [
            b"\0" + json.dumps(_LINES).encode(),
            b"\0" + json.dumps(_LINES, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass"),
            b"\0" + b"\n".join(json.dumps(line, indent=1).encode() for line in _LINES),
            b'\0[{"maintext": "x", "id": 1234567890123456, "date_publish": 1e309}, [], 5, {"text": null}]',
        ],
        "csv": [b"\0" + _CSV, b"\0" + _CSV.replace(b",", b";"), b"\0" + b"text\tid\na\t1\n\n\0\t\r\n"],
        "map": [
            b"text=story,url=link,authors=by\n"
            + json.dumps({"story": "Ferry", "link": 5, "by": ["A", 1]}).encode(),
            b"html=text,text=html,keywords=id\n" + _JSONL,
        ],
        "parquet": [b"\0" + _parquet(_ROWS), b"\1" + _ROWS],
        "coding": [
            b"\0" + gzip.compress(_PAGE),
            b"\1" + zlib.compress(_PAGE),
            b"\1" + zlib.compress(_PAGE)[2:-4],
            b"\2" + brotli.compress(_PAGE),
            b"\3" + zstandard.compress(_PAGE),
        ],
        "feed": _after(range(2), _file("rss.xml"), _file("atom.xml"), _file("feed.json")),
        "opml": [_file("subscriptions.opml"), _file("subscriptions.opml").decode().encode("utf-16")],
        "sitemap": [
            _file("sitemap.xml"),
            _file("sitemap_index.xml"),
            _file("robots.txt"),
            b"https://gazette.example/1\nhttps://gazette.example/2\n",
        ],
        "section": [_FRONT],
        "front_page": _after(range(4), _FRONT),
        "source": [
            b"\0" + _file("rss.xml"),
            b"\1" + _file("sitemap.xml"),
            b"\2" + _FRONT,
            b"\1" + gzip.compress(_file("sitemap_index.xml")),
        ],
        "robots": [_file("robots.txt")],
        "retry_after": [
            *(
                b"120",
                b"Mon, 02 Mar 2026 08:15:00 GMT",
                b"Monday, 31-Feb-99 25:61:61 +9999",
                b"-1",
                b"1e9",
                b"",
            ),
            b"Tue, 0 Foo 99999 00:00 EST",
        ],
        "url": [
            b"HTTPS://user:pw@WWW.Gazette.example:443/a/../b/./c%7e%2f;jsessionid=1?b=2&utm_source=x&a=%C3%BC#f\n/b",
            "https://bücher.example./über?print=1&amp;ref=rss\nhttps://m.gazette.example/(S(abcdefghij0123456789))/x".encode(),
            b"http://[::1]:8080/\\x\t?a\n//gazette.example/",
            b"file:///tmp/a.html#3\nhttps://gazette.example/x",
            b"https://gazette-example.cdn.ampproject.org/c/s/gazette.example/x\nhttps://gazette.example/x",
        ],
        "decode": [
            b"\n" + _LANGUAGES.encode(),
            b"windows-1251\n" + _LANGUAGES.encode("cp1251", "replace"),
            b"utf-16\n\xff\xfe" + _LANGUAGES.encode("utf-16-le"),
            b"\n<meta charset=gb2312>" + _LANGUAGES.encode("gb18030"),
            b"utf-8\n" + "Größe – “Übung”".encode().decode("cp1252", "replace").encode(),
            b"\n\x1b$B%K%e!<%9\x1b(B",
        ],
        "sites_file": [_file("sites.toml")],
        "site_rules": [
            b"line Tap here to *\ntail Read also:\nkeep Weather: *\ndrop aside.related",
            b"take article > p:not(.by)\ndrop div p ~ p, a[href^='/x']\nhead By *",
        ],
        "query": [
            b'ferry "runs aground" -strike OR harb*\nThe ferry runs aground. It is in the harbour.',
            'NOT a AND "港口 火灾"* don\'t 4.25 “x”\n港口今天发生火灾，无人受伤。'.encode(),
        ],
        "page": [_PAGE, _LANGUAGES.encode(), _FRONT],
        "text": [_STORY, _LANGUAGES.encode("cp1251", "replace")],
    }


SEEDS = _written()


def seeds(target: str) -> list[bytes]:
    """All inputs that are kept for a target."""
    return [*SEEDS[target], *(path.read_bytes() for path in sorted((FOUND / target).glob("*.bin")))]
