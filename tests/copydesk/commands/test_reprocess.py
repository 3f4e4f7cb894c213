"""`copydesk reprocess`: the changes that new rules would make, and those that they made."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from pathlib import Path

from tests.copydesk.conftest import Run


def test_reprocess_reports_what_new_rules_change(copydesk: Run, news_url: str, tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    shutil.copyfile(news_url.removeprefix("sqlite:///"), path)
    db = f"sqlite:///{path}"
    done = copydesk("reprocess", "--db", db, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["seen"] == 0, "all of it is by today's rules"
    connection = sqlite3.connect(path)
    with connection:
        (changed,) = connection.execute("SELECT min(id) FROM article").fetchone()
        connection.execute("UPDATE article SET rules_version = '0-old'")
        connection.execute("UPDATE document SET rules_version = '0-old'")
        connection.execute("UPDATE rejection SET rules_version = '0-old'")
        connection.execute(
            "UPDATE article SET title = 'Old title', text = 'Register now.' || char(10) || text WHERE id = ?",
            (changed,),
        )
    connection.close()
    articles = json.loads(copydesk("stats", "--db", db, "--json").stdout)["counts"]["articles"]
    dry = copydesk("reprocess", "--db", db, "--dry-run").stdout
    assert f"1 of {articles + 1} pages would change" in dry
    assert re.search(r"text: 1\n  1  \S+\n  \d+ sentences the same, 1 dropped\n    - Register now\.", dry)
    assert re.search(r"title: 1\n  1  \S+\n    Old title → \S", dry)
    assert json.loads(copydesk("show", str(changed), "--db", db, "--json").stdout)["title"] == "Old title"
    real = json.loads(copydesk("reprocess", "--db", db, "--json", "--workers", "2").stdout)
    assert real["changes"]["counts"] == {"text": 1, "title": 1}
    assert real["counts"]["updated"] == 1
    assert json.loads(copydesk("show", str(changed), "--db", db, "--json").stdout)["title"] != "Old title"
    assert json.loads(copydesk("reprocess", "--db", db, "--json").stdout)["counts"]["seen"] == 0
    assert copydesk("reprocess", "--db", db, "--fingerprints", "--site", "a.example").returncode == 2
    for wrong, right in (
        (("--since", "2h"), "write --fetched-since 2h"),
        (("--site", "tessaryobservr.example"), "did you mean tessaryobserver.example?"),
    ):
        done = copydesk("reprocess", "--db", db, *wrong)
        assert (done.returncode, right in done.stderr) == (2, True)
    said = copydesk("reprocess", "--db", db, "--fingerprints").stdout
    assert said.startswith("0 articles got new fingerprints")
