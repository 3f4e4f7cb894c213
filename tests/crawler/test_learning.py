"""Learned lines in ingest, over stored pages, in crawls, and in the output of commands."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from copydesk.cli import app
from crawler.runs.ingest import ingest
from crawler.runs.reprocess import reprocess
from crawler.sites.reader import read_rulebook
from pipeline.settings import Settings
from storage import reader
from storage.database import open_database
from storage.upkeep.pages import count_outdated
from storage.writing.learning import Lesson, learn, site_lines
from tests.crawler.crawling import Desk
from tests.crawler.web import Page, article, rss, serve
from tests.storage.news import contents, view

SITE = "gazette.example"
WALKS = "Walks with the Gazette, in all weathers"
APP = "The app of this house is the best way to read it."
EXTRA = f"<p>{WALKS}</p><p>{APP}</p>"
KEEP = f"""
[sites.gazette]
homepage = "https://www.{SITE}/"
feeds = ["https://www.{SITE}/feed"]
[sites.gazette.rules]
keep = ["walks with the * weathers"]
"""


def write(folder: Path, numbers: Iterable[int], extra: str = EXTRA, host: str = f"www.{SITE}") -> str:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        file = folder / f"{number}.html"
        file.write_bytes(article(number, canonical=f"https://{host}/{number}", extra=extra))
        os.utime(file, (1_760_000_000 + number, 1_760_000_000 + number))
    return str(folder)


def taken(engine: Engine) -> dict[str, set[tuple[str, str]]]:
    """(text, rule) of the learned lines that are removed, by article."""
    url = {row["id"]: row["url"] for row in view(engine, "articles")}
    found: dict[str, set[tuple[str, str]]] = {}
    for row in view(engine, "removed_text"):
        if row["rule"].startswith("site.learned"):
            found.setdefault(url[row["article_id"]], set()).add((row["text"], row["rule"]))
    return found


def test_lines_are_learned_by_ingest_and_removed_by_reprocessing(engine: Engine, tmp_path: Path) -> None:
    settings = Settings()
    pages = write(tmp_path / "in", range(5))
    other = write(tmp_path / "other", range(10, 12), host="herald.example")
    done = ingest(engine, [pages, other], workers=1, settings=settings)
    assert done.lesson == Lesson(7, {SITE: 2}, {})
    before = contents(engine)
    assert not taken(engine)

    again = ingest(engine, [pages, other], workers=1, settings=settings)
    assert (again.counts.unchanged, again.lesson) == (7, Lesson(0, {}, {})), "what is known stays known"
    looked = reprocess(engine, workers=1, settings=settings, dry_run=True)
    assert (looked.counts.seen, contents(engine)) == (5, before)

    done_again = reprocess(engine, workers=1, settings=settings)
    assert (done_again.counts.seen, done_again.counts.updated) == (5, 5)
    assert done_again.lesson == Lesson(5, {}, {})
    rule = "site.learned seen in 5 stories"
    assert taken(engine) == {f"https://www.{SITE}/{n}": {(WALKS, rule), (APP, rule)} for n in range(5)}
    after = contents(engine)
    for url, row in after["articles"].items():
        was = before["articles"][url]["text"].split("\n")
        assert row["text"].split("\n") == [
            line for line in was if "herald" in url or line not in (WALKS, APP)
        ]
    for _ in range(2):
        assert reprocess(engine, workers=1, settings=settings).counts.seen == 0
        assert not learn(engine).sites
    assert contents(engine) == after

    new = write(tmp_path / "new", [6])
    ingest(engine, [new], workers=1, settings=settings)
    assert len(taken(engine)) == 6, "of what comes later they are taken out at once"
    assert {line.stories for line in site_lines(engine)} == {6}


def test_a_vetoed_line_and_a_line_that_no_longer_qualifies_stay(engine: Engine, tmp_path: Path) -> None:
    ingest(engine, [write(tmp_path / "in", range(4))], workers=1, settings=Settings())
    before = contents(engine)
    reprocess(engine, workers=1, settings=Settings())
    file = tmp_path / "sites.toml"
    file.write_text(KEEP)
    kept = Settings(site_rules=read_rulebook(file))

    assert reprocess(engine, workers=1, settings=kept).counts.seen == 4
    assert {text for lines in taken(engine).values() for text, _ in lines} == {APP}
    file.write_text(KEEP.replace("walks", "never walks"))
    reprocess(engine, workers=1, settings=Settings(site_rules=read_rulebook(file)))
    assert {text for lines in taken(engine).values() for text, _ in lines} == {APP, WALKS}

    plain = write(tmp_path / "plain", range(5, 30), extra="")
    lesson = ingest(engine, [plain], workers=1, settings=Settings()).lesson
    assert lesson is not None
    assert (lesson.learned, lesson.unlearned) == ({}, {SITE: 2})
    file.write_text(KEEP.partition("[sites.gazette.rules]")[0])
    nothing = Settings(site_rules=read_rulebook(file))
    for seen in (29, 0):
        done = reprocess(engine, workers=1, settings=nothing)
        assert (done.counts.seen, done.lesson is not None and done.lesson.sites) == (seen, [])
    texts = {url: row["text"] for url, row in contents(engine)["articles"].items()}
    assert texts.items() >= {url: row["text"] for url, row in before["articles"].items()}.items()
    assert not taken(engine)


def test_a_page_of_learned_lines_only_is_left_whole(engine: Engine, tmp_path: Path) -> None:
    ingest(engine, [write(tmp_path / "in", range(6))], workers=1, settings=Settings())
    notice = tmp_path / "notices.jsonl"
    text = f"The paper does not appear on Monday.\n{APP}\n{WALKS}"
    notice.write_text(json.dumps({"url": f"https://www.{SITE}/notice", "title": "No paper", "text": text}))
    ingest(engine, [str(notice)], workers=1, settings=Settings())
    found = reader.article_by_url(engine, f"https://www.{SITE}/notice")
    assert found is not None
    assert APP in found.text


def test_a_crawl_learns_when_it_has_ended(database_url: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with serve() as web:
        web.pages["/feed"] = Page(rss([f"{web.base}/story/{n}" for n in range(5)]))
        for number in range(6):
            web.pages[f"/story/{number}"] = Page(article(number, extra=EXTRA))
        desk.write_sites({"gazette": {"homepage": f"{web.base}/", "feeds": [f"{web.base}/feed"]}})
        desk.scrapy(COPYDESK_DB=database_url)
        engine = open_database(database_url)
        assert {line.text for line in site_lines(engine)} == {WALKS, APP}
        assert count_outdated(engine, Settings().rules_version) == 0
        desk.scrapy("-afile=-", spider="urls", stdin=f"{web.base}/story/5\n", COPYDESK_DB=database_url)
    assert list(taken(engine)) == [f"{web.base}/story/5"]
    engine.dispose()


def test_the_commands_show_what_was_learned(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPYDESK_DB", database_url)
    monkeypatch.setenv("COPYDESK_SITES", "")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[str, str]:
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
        return done.stdout, done.stderr

    told = run("ingest", write(tmp_path / "in", range(5)), "--workers", "1")[1]
    assert f"lines of {SITE}: 2 learned as clutter" in told
    listed = run("learn")[0]
    assert f"{SITE}\n     5 stories  article 1  {APP}\n     5 stories  article 1  {WALKS}\n" in listed
    assert run("learn", "--site", SITE)[0] == listed
    answer = json.loads(run("learn", "--json", "--dry-run")[0])
    assert answer["lesson"] == {"articles": 0, "learned": {}, "unlearned": {}}
    assert answer["lines"][0] == {"site": SITE, "stories": 5, "text": APP, "example": 1}
    run("reprocess", "--workers", "1")
    shown = run("show", "1", "--removed")[0]
    assert f"- {WALKS}   [site.learned seen in 5 stories]" in shown
    (line, *_) = [r for r in json.loads(run("show", "1", "--json")[0])["removed"] if r["text"] == APP]
    assert line["rule"] == "site.learned seen in 5 stories"
