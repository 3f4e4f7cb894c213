"""Records as other programs write them: news-please, Fundus, Trafilatura, schema.org, ninjs, own names."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from crawler.files import read_paths
from pipeline.document import Claims, Document, MediaType, Reason, Rejection
from pipeline.settings import ReadingSettings, Settings

URL, STORY = "https://gazette.example/ferry", "The ferry to Norhaven runs again. " * 3
TIME = "2026-03-01T09:30:00+00:00"
NINJS = {"uri": URL, "headline": "Ferry", "firstcreated": TIME, "byline": "By Ada Lind", "language": "en"}

RECORDS: dict[str, dict[str, Any]] = {
    "news-please": {
        "url": URL,
        "title": "Ferry",
        "maintext": STORY,
        "date_publish": TIME,
        "authors": ["Ada Lind"],
        "language": "en",
        "date_download": "2026-03-02 00:00:00",
    },
    "fundus": {
        "title": "Ferry",
        "body": {"summary": [], "sections": [{"headline": [], "paragraphs": [STORY]}]},
        "authors": ["Ada Lind"],
        "publishing_date": TIME,
        "lang": "en",
        "html": {"requested_url": f"{URL}?x", "responded_url": URL, "crawl_date": TIME},
    },
    "trafilatura": {
        "title": "Ferry",
        "author": "Ada Lind",
        "hostname": "gazette.example",
        "date": TIME,
        "text": STORY,
        "raw_text": "Ferry",
        "language": "en",
        "source": URL,
        "excerpt": "",
        "tags": "",
    },
    "schema.org": {
        "@type": "NewsArticle",
        "headline": "Ferry",
        "articleBody": STORY,
        "datePublished": TIME,
        "author": {"@type": "Person", "name": "Ada Lind"},
        "inLanguage": "en",
        "mainEntityOfPage": {"@id": URL},
    },
    "ninjs 1": {**NINJS, "body_text": STORY},
    "ninjs 2": {
        **NINJS,
        "headlines": [{"value": "Ferry"}],
        "bodies": [{"contenttype": "text/plain", "value": STORY}],
    },
}


def read(path: Path, **named: str) -> list[Document | Rejection]:
    settings = Settings(reading=ReadingSettings(fields=tuple(named.items())))
    return list(read_paths([str(path)], settings))


def only(path: Path, **named: str) -> Document:
    (found,) = read(path, **named)
    assert isinstance(found, Document), found
    return found


@pytest.mark.parametrize("name", RECORDS)
def test_records_of_other_programs_are_known(tmp_path: Path, name: str) -> None:
    for file, text in (
        ("a.jsonl", json.dumps(RECORDS[name])),
        ("a.json", json.dumps([RECORDS[name]], indent=2)),
        ("b.json", json.dumps(RECORDS[name], indent=2)),
    ):
        (tmp_path / file).write_text(text)
        found = only(tmp_path / file)
        assert (found.url, found.body.decode(), found.media_type) == (URL, STORY, MediaType.TEXT)
        claims = found.claims
        assert claims == Claims("Ferry", TIME, ("Ada Lind",), "en", rights=claims.rights)


def test_an_operator_names_the_keys(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"link": URL, "story": STORY, "when": TIME, "title": "Ferry"}]))
    (refused,) = read(path)
    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.UNSUPPORTED
    found = only(path, text="story", url="link", published_at="when")
    assert (found.url, found.body.decode(), found.claims.published_at) == (URL, STORY, TIME)


def test_a_key_of_ours_comes_before_that_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": STORY, "maintext": "Not this.", "published_at": TIME}))
    assert only(path).body.decode() == STORY


def test_tables_are_read_by_the_names_of_their_columns(tmp_path: Path) -> None:
    rows = [
        {
            "url": f"{URL}/{n}",
            "maintext": f'{n} "{STORY}"\nSecond line, with a comma.',
            "authors": ["Ada Lind"],
        }
        for n in (1, 2)
    ]
    lines = [
        ",".join(
            '"' + str(value).replace('"', '""') + '"' for value in (r["url"], r["maintext"], '["Ada Lind"]')
        )
        for r in rows
    ]
    (tmp_path / "a.csv").write_text("\ufeffurl,maintext,authors\n" + "\n".join(lines) + "\n")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        found = read(tmp_path / name)
        assert [one.url for one in found] == [row["url"] for row in rows]
        for one, row in zip(found, rows, strict=True):
            assert isinstance(one, Document)
            assert (one.body.decode(), one.claims.authors) == (row["maintext"], ("Ada Lind",))


@pytest.mark.parametrize(
    ("name", "content", "documents", "said"),
    [
        ("a.json", b'[{"text": "One story."}, {"text": "Cut', 1, "no JSON"),
        ("a.json", b'[{"text": "One story."}, 5]', 1, "no object"),
        ("a.json", b'[{"text": "One story."}, ' + b"[" * 100_000, 1, "no JSON"),
        ("a.csv", b'text\nOne story.\n"' + b"x" * 3_000, 1, "a row is longer"),
        ("a.csv", b"name,age\nAda,7\n", 0, "a .csv file"),
        ("a.csv", b'text\nOne story.\n"One\n' + b"line\n" * 1_000, 1, "a quote is not closed"),
        ("a.parquet", b"PAR1" + b"\0" * 64, 0, "no Parquet"),
    ],
)
def test_what_stands_before_a_damage_is_read(
    tmp_path: Path, name: str, content: bytes, documents: int, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    *found, last = read_paths([str(tmp_path / name)], Settings(max_body_bytes=2_000))
    assert [type(one) for one in found] == [Document] * documents
    assert isinstance(last, Rejection)
    assert said in last.detail


def test_a_low_limit_holds_for_its_table_alone(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    (tmp_path / "a.csv").write_text(f"url,text\n{URL},{STORY}\n")
    assert len(list(read_paths([str(tmp_path / "a.csv")], Settings(max_body_bytes=2_000)))) == 1
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("numbers", "kind", "dates"),
    [
        ([1772357400000000001, None], pyarrow.timestamp("ns"), ["2026-03-01T09:30:00", None]),
        (
            [1772357400, 2**58],
            pyarrow.timestamp("us", "UTC"),
            ["1970-01-01T00:29:32.357400+00:00", str(2**58)],
        ),
        ([20513, 2**30], pyarrow.date32(), ["2026-03-01", str(2**30)]),
    ],
)
def test_times_of_parquet_that_python_does_not_have(
    tmp_path: Path, numbers: list[int | None], kind: Any, dates: list[str | None]
) -> None:
    columns = {"text": [STORY, STORY], "published_at": pyarrow.array(numbers, kind)}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    found = [one.claims.published_at for one in read(tmp_path / "a.parquet") if isinstance(one, Document)]
    assert found == dates


def test_an_address_that_is_none_is_a_rejection(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    urls = ("ftp://gazette.example/a", "gazette", "javascript:alert(1)", "file:///a.html", "", URL)
    path.write_text("\n".join(json.dumps({"url": url, "text": STORY}) for url in urls))
    found = read(path)
    assert [one.reason for one in found if isinstance(one, Rejection)] == [Reason.MALFORMED_RECORD] * 3
    assert [type(one) for one in found[3:]] == [Document] * 3
