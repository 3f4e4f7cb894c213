"""`copydesk ingest`: pages, records on standard input, and messages about them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from storage import reader
from storage.database import open_database
from tests.copydesk.conftest import FERRY, NEWS, Run, articles
from tests.crawler.web import Page, article, serve


def test_ingest_again_stores_nothing_and_says_so(copydesk: Run, news_url: str) -> None:
    done = copydesk("ingest", str(NEWS / "tessaryobserver.example"), "--db", news_url, "--json")
    counts = json.loads(done.stdout)["counts"]
    assert counts["seen"] == counts["unchanged"] > 5
    assert counts["stored"] == counts["revised"] == counts["updated"] == 0


def test_no_progress_bar_and_no_colour_in_a_pipe(copydesk: Run, tmp_path: Path) -> None:
    done = copydesk("ingest", str(NEWS / "copied"), "--db", f"sqlite:///{tmp_path}/a.db")
    assert "\x1b" not in done.stdout + done.stderr
    assert "stored 2" in done.stderr


def test_jsonl_on_standard_input(copydesk: Run, tmp_path: Path) -> None:
    record = {
        "url": "https://gazette.example/a",
        "title": "Bridge opens",
        "text": "The bridge over the Wend opened to traffic on Monday after two years of repairs.",
    }
    done = copydesk("ingest", "-", "--db", f"sqlite:///{tmp_path}/a.db", "--json", stdin=json.dumps(record))
    assert json.loads(done.stdout)["counts"]["stored"] == 1


def test_urls_are_fetched_and_stored_with_files(
    copydesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPYDESK_ALLOW_LOOPBACK", "1")
    db = f"sqlite:///{tmp_path}/a.db"
    with serve() as web:
        web.pages["/news/1"] = Page(article(1))
        url, gone = f"{web.base}/news/1", f"{web.base}/news/2"
        done = copydesk("ingest", str(NEWS / "copied"), url, gone, "--db", db, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["counts"]["stored"] == 3
        assert url in {row["location"] for row in articles(copydesk, db)}
        rejected = json.loads(copydesk("stats", "--rejections", "--json", "--db", db).stdout)["rejections"]
        assert [(row["location"], row["detail"]) for row in rejected] == [(gone, "HTTP 404")]
        again = copydesk("ingest", url, "--db", db, "--json")
        assert json.loads(again.stdout)["counts"]["unchanged"] == 1

        assert copydesk("forget", url, "--yes", "--db", db).returncode == 0
        web.forget()
        kept_out = copydesk("ingest", url, "--db", db, "--json")
        assert (kept_out.returncode, web.count()["/news/1"]) == (0, 0)
        assert f"{url} was forgotten, so it is not fetched" in kept_out.stderr


def test_a_wrong_setting_in_the_environment_is_one_line(
    copydesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPYDESK_MIN_WORDS", "ten")
    done = copydesk("ingest", str(tmp_path), "--db", f"sqlite:///{tmp_path}/a.db")
    assert done.returncode == 2
    assert done.stderr == "copydesk: setting COPYDESK_MIN_WORDS = 'ten': must be a number\n"


def test_records_of_others_are_ingested_and_bad_dates_are_counted(
    copydesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPYDESK_MIN_WORDS", "10")
    story = "The ferry to Norhaven runs again after two weeks of repairs in the yard. "
    records = [
        {"url": f"https://gazette.example/{n}", "story": f"{n} {story * 3}", "on": on}
        for n, on in enumerate(("2026-03-01", "soon", [2026, 3, 1], None))
    ]
    records.append({"url": "https://gazette.example/short", "story": "Too short."})
    path = tmp_path / "a.json"
    path.write_text(json.dumps(records))
    db = f"sqlite:///{tmp_path}/a.db"
    done = copydesk("ingest", str(path), "--map", "text=story,published_at=on", "--db", db)
    assert done.returncode == 0, done.stderr
    assert "2 records with a date that could not be read" in done.stderr
    assert [row["published_at"] for row in articles(copydesk, db)] == ["2026-03-01T00:00:00Z", *[None] * 3]
    (short,) = json.loads(copydesk("stats", "--rejections", "--json", "--db", db).stdout)["rejections"]
    assert short["detail"] == "2 words, fewer than 10 (min_words)"
    for wrong in ("text", "body=story", "text="):
        assert copydesk("ingest", str(path), "--map", wrong, "--db", db).returncode == 2

    exported = {row["url"]: row for row in articles(copydesk, db)}
    for shape in ("ninjs", "schemaorg"):
        again = f"sqlite:///{tmp_path}/{shape}.db"
        file = tmp_path / f"{shape}.jsonl"
        assert copydesk("export", str(file), "--format", shape, "--db", db).returncode == 0
        assert copydesk("ingest", str(file), "--db", again).returncode == 0
        for row in articles(copydesk, again):
            wanted = exported[str(row["url"])]
            assert [row[k] for k in ("text", "published_at", "title")] == [
                wanted[k] for k in ("text", "published_at", "title")
            ]
    assert copydesk("export", str(tmp_path / "a.csv"), "--format", "ninjs", "--db", db).returncode == 2


def test_a_run_has_the_command_as_it_was_given(copydesk: Run, tmp_path: Path) -> None:
    page, db = str(NEWS / FERRY), f"sqlite:///{tmp_path}/b.db"
    assert copydesk("-q", "ingest", page, "--workers", "1", "--db", db).returncode == 0
    engine = open_database(db, create=False)
    assert [run.command for run in reader.runs(engine)] == [
        f"copydesk -q ingest {page} --workers 1 --db {db}"
    ]
