"""`copydesk export` as scripts meet it: names, options, cursors, pipes and signals."""

from __future__ import annotations

import csv
import io
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest
from typer.testing import CliRunner, Result

from copydesk.cli import app
from pipeline.errors import OperatorError
from storage.database import open_database
from tests.copydesk.conftest import Run
from tests.storage.news import store, wire
from tests.waiting import PATIENCE


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_the_file_name_chooses_the_format(copydesk: Run, news_url: str, tmp_path: Path) -> None:
    for name in ("a.parquet", "a.jsonl", "a.csv.gz"):
        done = copydesk("export", str(tmp_path / name), "--db", news_url)
        assert done.returncode == 0, done.stderr
    every = lines(tmp_path / "a.jsonl")
    assert pyarrow.parquet.read_table(tmp_path / "a.parquet")["id"].to_pylist() == [a["id"] for a in every]
    assert f"{len(every)} rows of articles in {tmp_path / 'a.csv.gz'}" in done.stderr


def test_standard_output_is_jsonl_or_csv(copydesk: Run, news_url: str) -> None:
    rows = copydesk("export", "-", "--db", news_url, "--view", "story_groups")
    table = copydesk("export", "-", "--db", news_url, "--view", "story_groups", "--format", "csv")
    assert (rows.returncode, table.returncode) == (0, 0)
    assert table.stdout.splitlines()[0] == "id,size,sites,agency,first_published_at,canonical_article_id"
    assert len(rows.stdout.splitlines()) == len(table.stdout.splitlines()) - 1 > 3
    assert rows.stderr == table.stderr == ""


@pytest.fixture
def db(sqlite_template: Path, tmp_path: Path) -> str:
    """URL of an empty database."""
    shutil.copyfile(sqlite_template, tmp_path / "news.db")
    return f"sqlite:///{tmp_path}/news.db"


def test_a_cursor_file_continues_from_one_export_to_the_next(db: str, tmp_path: Path) -> None:
    cursor = tmp_path / "cursor"
    made = wire(20)

    def export(name: str, *args: str) -> Result:
        return CliRunner().invoke(app, ["export", name, "--db", db, *args])

    def exported(name: str) -> list[dict[str, object]]:
        done = export(str(tmp_path / name), "--cursor", str(cursor), "--unique")
        assert done.exit_code == 0, done.output
        return lines(tmp_path / name)

    engine = open_database(db)
    store(engine, made[:8])
    first = exported("1.jsonl")
    assert first
    assert {row["gone"] for row in first} == {False}
    assert exported("2.jsonl") == []
    store(engine, made[8:])
    second = exported("3.jsonl")
    assert {row["gone"] for row in second} == {False, True}
    kept = {row["id"]: row for row in first}
    for row in second:
        if row["gone"]:
            kept.pop(row["id"], None)
        else:
            kept[row["id"]] = row
    now = export("-", "--unique").stdout.splitlines()
    assert sorted(kept, key=str) == sorted((json.loads(line)["id"] for line in now), key=str)

    # Changes are exported once, so an existing file is not overwritten.
    again = export(str(tmp_path / "3.jsonl"), "--cursor", str(cursor), "--unique")
    assert "3.jsonl exists" in str(again.exception)
    assert lines(tmp_path / "3.jsonl") == second
    # A failed export does not move the cursor.
    before = cursor.read_text()
    failed = export(str(tmp_path / "no" / "4.jsonl"), "--cursor", str(cursor), "--unique")
    assert isinstance(failed.exception, OperatorError)
    assert cursor.read_text() == before
    # The last change in a file can be used in place of the cursor.
    last = max(int(str(row["change"])) for row in second)
    assert export("-", "--after", str(last)).stdout == ""
    assert len(export("-", "--after", "0").stdout.splitlines()) == len(made)
    engine.dispose()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("a.parquet.gz",), "must end in"),
        (("-", "--format", "parquet"), "--format is jsonl or csv"),
        (("a.jsonl", "--format", "csv"), "--format is jsonl or csv"),
        (("-", "--since", "yesterday"), "here write --changed-since yesterday"),
        (("-", "--since", "5120"), "here write --after 5120"),
        (("-", "--changed-since", "soon"), "is no time: write"),
        (("-", "--after", "99999"), "still to come"),
        (("-", "--after", "3", "--cursor", "c"), "give only one of them"),
        (("-", "--after", "3", "--changed-since", "2h"), "give only one of them"),
        (("-", "--site", "nobody.example"), "nothing of nobody.example is stored"),
        (("-", "--cursor", "no/such/cursor"), "no such folder"),
        (("-", "--view", "bands"), "there is no view"),
        (("-", "--view", "copies", "--after", "3"), "not for copies"),
        (("-", "--view", "runs", "--unique"), "not for runs"),
        (("no/such/folder/a.csv",), "no such folder"),
    ],
)
def test_a_mistake_is_one_line(db: str, args: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(app, ["export", *args, "--db", db])
    assert isinstance(done.exception, OperatorError)
    assert said in str(done.exception)
    assert "\n" not in str(done.exception)


# An export that stops after its first row and waits.
STANDING = """
import itertools, time
from copydesk.cli import main
from storage import reader
rows = reader.rows

def stands(*args, **options):
    yield from itertools.islice(rows(*args, **options), 1)
    print("stands still", flush=True)
    time.sleep(600)

reader.rows = stands
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_partial_file(news_url: str, tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "a.jsonl").write_text("before")
    process = subprocess.Popen(
        [sys.executable, "-c", STANDING, "export", str(tmp_path / "a.jsonl"), "--db", news_url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "stands still\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]
    assert (tmp_path / "a.jsonl").read_text() == "before"


def test_a_reader_that_goes_away_does_not_move_the_cursor(news_url: str, tmp_path: Path) -> None:
    cursor = tmp_path / "cursor"
    command = [sys.executable, "-m", "copydesk", "export", "-", "--db", news_url, "--cursor", str(cursor)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.wait(timeout=PATIENCE)

    assert said == ""
    assert not cursor.exists()


def test_export_jsonl_and_csv_agree(copydesk: Run, news_url: str, tmp_path: Path) -> None:
    for name in ("all.jsonl", "all.csv"):
        done = copydesk("export", str(tmp_path / name), "--db", news_url)
        assert done.returncode == 0, done.stderr
    from_jsonl = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text("utf-8").splitlines()]
    from_csv = list(csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text("utf-8"))))
    assert [a["title"] for a in from_jsonl] == [a["title"] for a in from_csv]
    assert [a["authors"] for a in from_jsonl] == [json.loads(a["authors"]) for a in from_csv]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["all.csv", "all.jsonl"]


def test_export_of_canonical_copies_and_of_other_views(copydesk: Run, news_url: str, tmp_path: Path) -> None:
    def rows(*args: str) -> list[dict[str, object]]:
        done = copydesk("export", "-", "--db", news_url, *args)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    every, unique = rows(), rows("--unique")
    assert 0 < len(unique) < len(every)
    assert all(row["is_canonical"] for row in unique)
    assert len(rows("--view", "story_groups")) == len(unique)
    here = rows("--site", "tessaryobserver.example")
    assert here == [row for row in every if row["site"] == "tessaryobserver.example"] != []
    assert rows("--site", "https://www.TessaryObserver.example/", "--language", "EN") == here
    assert rows("--changed-since", "20y") == every  # pages are as old as their files
    assert rows("--changed-since", "now") == []
    assert copydesk("export", "-", "--db", news_url, "--view", "bands").returncode == 2


def test_a_formula_is_a_text_unless_raw(copydesk: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'news.db'}"
    record = {
        "url": "https://a.example/1",
        "title": "=1+1",
        "text": "The ferry to Norhaven runs again. " * 20,
    }
    assert copydesk("ingest", "-", "--db", url, stdin=json.dumps(record)).returncode == 0
    safe = copydesk("export", "-", "--format", "csv", "--db", url).stdout
    raw = copydesk("export", "-", "--format", "csv", "--raw", "--db", url).stdout
    assert ",'=1+1," in safe
    assert ",=1+1," in raw


def test_pages_are_written_as_warc_and_read_back(copydesk: Run, own: str, tmp_path: Path) -> None:
    file = tmp_path / "pages.warc.gz"
    done = copydesk("export", str(file), "--db", own)
    assert (done.returncode, done.stdout) == (0, "")
    count = int(done.stderr.split()[0])
    assert done.stderr == f"{count} pages in {file}\n"
    counts = json.loads(copydesk("ingest", str(file), "--db", own, "--json").stdout)["counts"]
    assert (counts["seen"], counts["unchanged"]) == (count, count)
    for options in (
        ["--view", "runs"],
        ["--after", "0"],
        ["--format", "jsonl"],
        ["--site", "nowhere.example"],
    ):
        assert copydesk("export", str(tmp_path / "b.warc.gz"), "--db", own, *options).returncode == 2
    assert not (tmp_path / "b.warc.gz").exists()
