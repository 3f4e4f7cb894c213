"""WARC files: pages among the records, and the readable part of damaged files."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.document import Claims, Document, MediaType, Origin, Reason, Rejection
from tests.crawler.files.making import (
    PACKERS,
    PAGE,
    documents,
    ends,
    read,
    response,
    some_records,
    warc,
)

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


def test_headers_that_are_about_rights_come_with_the_page(tmp_path: Path) -> None:
    said = {
        "TDM_Reservation": "1",
        "X_Robots_Tag": "gptbot: noai",
        "Content_Signal": "ai-train=no",
        "Via": "noai",
    }
    path = tmp_path / "a.warc"
    url = "https://outlet.example/1"
    path.write_bytes(warc(response(url, PAGE, **said), response(url, PAGE)))
    first, second = documents(read(path))
    assert [(one.name, one.value, one.source, one.agent) for one in first.claims.rights] == [
        ("tdm-reservation", "1", "header", None),
        ("robots", "noai", "header", "gptbot"),
        ("content-signal", "ai-train=no", "header", None),
    ]
    assert second.claims.rights == ()


ROBOTS = (
    b"User-agent: *\nAllow: /\nContent-Signal: ai-train=no\nLicense: https://outlet.example/license.xml\n"
)
TDMREP = b'[{"location": "/news/*", "tdm-reservation": 1}]'


@pytest.mark.parametrize("kind", ["response", "resource"])
def test_what_a_site_says_in_its_own_files_comes_with_its_pages_that_follow(
    tmp_path: Path, kind: str
) -> None:
    home = "https://outlet.example"
    robots = response(f"{home}/robots.txt", ROBOTS, Content_Type="text/plain")
    tdmrep = response(f"{home}/.well-known/tdmrep.json", TDMREP, Content_Type="application/json")
    if kind == "resource":
        robots, tdmrep = (
            (kind, url, body, date, {"Content-Type": fields["Content-Type"]})
            for _, url, body, date, fields in (robots, tdmrep)
        )
    path = tmp_path / "a.warc"
    pages = [
        f"{home}/news/1",
        f"{home}/sport/1",
        "https://other.example/news/1",
        "http://outlet.example/news/1",
    ]
    path.write_bytes(
        warc(response(f"{home}/news/0", PAGE), robots, tdmrep, *(response(url, PAGE) for url in pages))
    )
    items = read(path)
    assert [document.url for document in documents(items)] == [f"{home}/news/0", *pages]
    assert len(items) == 1 + len(pages)
    before, news, sport, *others = (
        [(one.name, one.source) for one in document.claims.rights] for document in documents(items)
    )
    of_all = [("license", "robots.txt"), ("content-signal", "robots.txt")]
    assert news == [*of_all, ("tdm-reservation", "tdmrep.json")]
    assert sport == of_all
    assert before == []  # read before the files
    assert others == [[], []]  # other hosts


def test_a_site_without_such_files_says_nothing(tmp_path: Path) -> None:
    home = "https://outlet.example"
    path = tmp_path / "a.warc"
    path.write_bytes(
        warc(
            response(f"{home}/robots.txt", ROBOTS, status="404 Not Found", Content_Type="text/plain"),
            response(f"{home}/.well-known/tdmrep.json", b"{", Content_Type="application/json"),
            response(f"{home}/archive/robots.txt", ROBOTS, Content_Type="text/plain"),
            response(f"{home}/1", PAGE),
        )
    )
    (document,) = read(path)
    assert documents([document])[0].claims.rights == ()


def test_broken_records_cost_only_themselves(tmp_path: Path) -> None:
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


def test_a_cut_warc_gives_its_complete_records(tmp_path: Path) -> None:
    records = [response(f"https://outlet.example/{n}", PAGE) for n in range(5)]
    for name, data in (("a", warc(*records)), ("b", warc(*records, packed=True))):
        (tmp_path / name).write_bytes(data[:-40])
        items = read(tmp_path / name)
        assert len(documents(items)) == 4
        assert ends(items, tmp_path)[-1] == f"{name}: unreadable"


def test_a_record_that_is_too_large_is_skipped(tmp_path: Path) -> None:
    records = [
        response("https://outlet.example/1", bytes(1_000_000)),
        response("https://outlet.example/2", PAGE),
    ]
    (tmp_path / "a.warc").write_bytes(warc(*records))
    assert ends(read(tmp_path), tmp_path) == ["a.warc#1: too large", "a.warc#2"]


def _source(**changes: object) -> str:
    claims = asdict(Claims())
    known = {"location": "https://a.example/1", "url": "https://a.example/1", "media_type": "text/html"}
    return json.dumps(
        {**known, "origin": "crawl", "encoding": None, "publisher": "A", "claims": claims, **changes}
    )


def _with_source(tmp_path: Path, line: str) -> Document:
    """The page of a resource record with this source."""
    head = (
        "WARC/1.1\r\nWARC-Type: resource\r\nWARC-Target-URI: https://example.com/ferry\r\n"
        f"Content-Type: text/html\r\nCopydesk-Source: {line}\r\nContent-Length: {len(PAGE)}\r\n\r\n"
    )
    file = tmp_path / "a.warc"
    file.write_bytes(head.encode() + PAGE + b"\r\n\r\n")
    [found] = documents(read(file))
    return found


def test_a_page_that_was_exported_is_the_same_document(tmp_path: Path) -> None:
    found = _with_source(tmp_path, _source())
    assert (found.location, found.publisher, found.origin) == ("https://a.example/1", "A", Origin.CRAWL)


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[" * 50_000,
        "no JSON",
        _source(location=3),
        _source(location="x" * 9000),
        _source(location="a\udc80"),
        _source(url="javascript:alert(1)"),
        _source(publisher="x" * 9000),
        _source(encoding="\ud800"),
        _source(origin="elsewhere"),
        _source(claims=None),
        _source(claims={"authors": "Anna"}),
    ],
)
def test_a_source_that_is_none_of_ours_is_not_heeded(tmp_path: Path, line: str) -> None:
    found = _with_source(tmp_path, line)
    assert (found.url, found.body, found.origin) == ("https://example.com/ferry", PAGE, Origin.WARC)
