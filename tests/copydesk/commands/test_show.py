"""`copydesk show`: one stored article, its removed lines, and whether its site still has it."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from datetime import timedelta
from itertools import islice
from pathlib import Path

from typer.testing import CliRunner

from copydesk.cli import app
from pipeline.document import Reason, Rejection, Stage
from pipeline.settings import Settings
from storage import reader, writer
from storage.database import open_database
from tests.copydesk.conftest import FERRY, NEWS, Run
from tests.storage.news import START, article, store, story


def test_show_marks_lines_removed_before_and_after_the_text(copydesk: Run, news_url: str) -> None:
    said = copydesk("show", str(NEWS / FERRY), "--db", news_url, "--removed").stdout
    went = [line for line in said.splitlines() if line.startswith("- ")]
    assert any("Register now" in line and "[phrase.en.register-now]" in line for line in went)
    assert any("[wire.dateline]" in line for line in went)
    kept = "\n".join(line for line in said.splitlines() if not line.startswith("- "))
    assert "Register now" not in kept
    assert "ran aground on a sandbar" in kept


def test_show_finds_an_article_by_id_url_and_location(copydesk: Run, news_url: str) -> None:
    by_location = json.loads(copydesk("show", str(NEWS / FERRY), "--db", news_url, "--json").stdout)
    by_id = json.loads(copydesk("show", str(by_location["id"]), "--db", news_url, "--json").stdout)
    by_url = json.loads(copydesk("show", by_location["url"], "--db", news_url, "--json").stdout)
    assert by_url["rules_version"] == Settings().rules_version
    assert by_location == by_id == by_url
    assert by_id["removed"]
    assert copydesk("show", "https://nowhere.example/", "--db", news_url).returncode == 2


def test_show_says_that_an_article_is_gone_from_its_site(
    copydesk: Run, news_url: str, tmp_path: Path
) -> None:
    copy = shutil.copy(news_url.removeprefix("sqlite:///"), tmp_path / "copy.db")
    with sqlite3.connect(copy) as connection:
        connection.execute("UPDATE article SET gone_at = '2026-03-03T10:00:00Z' WHERE id = 8")
    connection.close()
    shown = copydesk("show", "8", "--db", f"sqlite:///{copy}").stdout
    assert "gone  from its site since 2026-03-03 10:00" in shown
    assert "gone" not in copydesk("show", "8", "--db", news_url).stdout


def test_show_tells_what_changed_in_each_text(copydesk: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/own.db"
    engine = open_database(url)
    for hours, title, added in ((0, "Ferry stuck", ""), (2, "Ferry free", "\nAll 214 passengers are safe.")):
        at = START + timedelta(hours=hours)
        store(engine, [article("https://a.example/1", story(1) + added, at, title=title)])
    engine.dispose()

    said = copydesk("show", "1", "--db", url, "--revisions").stdout
    assert said.index("Ferry stuck") < said.index("Ferry free")
    assert "first seen 2026-03-01 12:00" in said
    assert "headline before: Ferry stuck" in said
    assert "+ All 214 passengers are safe." in said
    found = json.loads(copydesk("show", "1", "--db", url, "--revisions", "--json").stdout)
    assert [(one["revision"], one["title"], one["is_current"]) for one in found["revisions"]] == [
        (1, "Ferry stuck", False),
        (2, "Ferry free", True),
    ]
    assert found["revisions"][1]["text"] == found["text"]
    assert "revisions" not in json.loads(copydesk("show", "1", "--db", url, "--json").stdout)


def test_show_says_why_a_page_was_rejected(copydesk: Run, news_url: str) -> None:
    engine = open_database(news_url, create=False)
    rejected = list(reader.rejections(engine))
    assert rejected
    for one in rejected:
        for address in filter(None, (one.location, one.url)):
            done = copydesk("show", address, "--db", news_url)
            assert (done.returncode, done.stdout) == (2, "")
            assert done.stderr.count("\n") == 1
            assert f"rejected in run {one.run_id}" in done.stderr
            assert f"{one.reason} (" in done.stderr


def test_show_says_that_an_article_was_rejected_when_it_came_again(own: str) -> None:
    engine = open_database(own, create=False)
    [article] = islice(reader.articles(engine), 1)
    run = writer.start_run(engine, "test", article.updated_at)
    later = article.updated_at + timedelta(days=1)
    refused = Rejection(article.location, article.url, Stage.EXTRACT, Reason.LOGIN_PAGE, "a form", later, "1")
    writer.write_batch(engine, run, [refused], Settings())
    said = CliRunner().invoke(app, ["show", str(article.id), "--db", own], env={"COLUMNS": "200"})
    assert re.search(r"rejected  what came on \d{4}-\d\d-\d\d \d\d:\d\d: login page \(a form\)", said.stdout)
    said = CliRunner().invoke(app, ["show", str(article.id), "--db", own, "--json"])
    assert [one["reason"] for one in json.loads(said.stdout)["rejections"]] == ["login page"]
