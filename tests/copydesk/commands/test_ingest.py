"""`copydesk ingest`: pages, records on standard input, and messages about them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.copydesk.conftest import NEWS, Run


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
