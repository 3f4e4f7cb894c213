"""JSON Lines: the keys of a record, and lines that cannot be read."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

from pipeline.document import Claims, MediaType, Origin, Reason, Rejection, RightsStatement
from pipeline.settings import Settings
from tests.crawler.files.making import (
    PACKERS,
    PAGE,
    documents,
    ends,
    jsonl,
    read,
)


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


def test_values_besides_the_text_are_bounded_and_wrong_ones_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    right = {
        "description": "It opened.\nAt last.",
        "section": "Local",
        "keywords": ["bridge", "Bridge", 5, None, "river"],
        "image_url": "https://images.example/1.jpg",
        "rights": [
            {"name": "robots", "value": "noai", "source": "header", "agent": None, "reserved": True},
            {"name": "robots", "value": "no such", "source": "header"},
            "noai",
        ],
    }
    wrong = {
        "description": ["x"],
        "section": 5,
        "keywords": {"a": 1},
        "image_url": "file:///etc/passwd",
        "rights": {"robots": "noai"},
    }
    long = {
        "description": "word " * 100_000,
        "section": "s" * 500,
        "keywords": [f"k{n}" for n in range(5000)],
        "image_url": "https://images.example/" + "x" * 5000,
        "rights": [
            {"name": "robots", "value": "noai", "source": "meta", "agent": f"b{n}"} for n in range(500)
        ],
    }
    path.write_bytes(jsonl(*({"text": "It did.", **values} for values in (right, wrong, long))))
    first, second, third = (document.claims for document in documents(read(path, settings=Settings())))
    assert first == Claims(
        description="It opened. At last.",
        section="Local",
        keywords=("bridge", "river"),
        image_url="https://images.example/1.jpg",
        rights=(RightsStatement("robots", "noai", "header"),),
    )
    assert second == Claims()
    assert len(third.description or "") <= 1000
    assert (third.section, len(third.keywords or ()), third.image_url) == (None, 50, None)
    assert len(third.rights) == 40


def test_bad_lines_cost_only_themselves_and_are_named(tmp_path: Path) -> None:
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


def test_a_json_lines_file_is_recognised_by_its_lines_or_by_its_name(tmp_path: Path) -> None:
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


def test_a_cut_json_lines_file_gives_its_complete_lines(tmp_path: Path) -> None:
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
