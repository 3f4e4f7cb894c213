"""`copydesk ingest`: pages, records on standard input, and messages about them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.copydesk.conftest import NEWS, Run, articles
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
