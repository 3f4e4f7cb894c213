"""Rules of a site in crawls, in ingest, and over stored pages after a change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from crawler.runs.ingest import ingest
from crawler.runs.reprocess import reprocess
from crawler.sites.reader import read_rulebook
from pipeline.settings import Settings
from pipeline.sites.rules import SiteRulebook
from storage import reader
from storage.database import open_database
from storage.upkeep.pages import count_outdated, outdated
from tests import forked
from tests.crawler.crawling import ROOT, Desk
from tests.crawler.web import Page, article, rss, serve
from tests.storage.news import contents, view

GENERAL = Settings().rules_version
WALKS = "Walks with the Gazette, in all weathers"
APP = "The app of this house is the best way to read it."
EXTRA = f"<p>{WALKS}</p><div class='x7'><p>{APP}</p></div>"

RULES = """
[sites.gazette.rules]
clutter = ["Walks with the Gazette*"]
drop = ["div.x7"]
"""


def sites(gazette: str, herald: str, rules: str = "") -> str:
    """A sites file of two sites, of which the first may have rules."""
    return (
        "\n".join(
            f'[sites.{key}]\nhomepage = "{base}/"\nfeeds = ["{base}/feed"]'
            for key, base in (("gazette", gazette), ("herald", herald))
        )
        + rules
    )


def by_rule(engine: Engine) -> dict[str, set[tuple[str, str]]]:
    """(rule, text) of the lines that rules of sites removed, by the article's site."""
    site_of = {row["id"]: row["site"] for row in view(engine, "articles")}
    found: dict[str, set[tuple[str, str]]] = {}
    for row in view(engine, "removed_text"):
        if row["rule"].startswith("site."):
            found.setdefault(site_of[row["article_id"]], set()).add((row["rule"], row["text"]))
    return found


TAKEN = {("site.gazette.clutter Walks with the Gazette*", WALKS), ("site.gazette.drop div.x7", APP)}


def write_pages(folder: Path) -> None:
    """Saved pages: of gazette, one in two revisions; the same stories on herald; one without address."""
    folder.mkdir()
    for number in (1, 2):
        for host in ("www.gazette.example", "herald.example"):
            url = f"https://{host}/{number}"
            (folder / f"{host}-{number}.html").write_bytes(article(number, canonical=url, extra=EXTRA))
    earlier = article(9, canonical="https://www.gazette.example/1", extra=EXTRA)
    (folder / "earlier.html").write_bytes(earlier)
    (folder / "unknown.html").write_bytes(article(5, extra=EXTRA))
    for file in folder.iterdir():
        when = 1_750_000_000 if file.name == "earlier.html" else 1_760_000_000
        os.utime(file, (when, when))


def test_a_change_of_one_sites_rules_changes_its_pages_and_no_others(engine: Engine, tmp_path: Path) -> None:
    folder, file = tmp_path / "in", tmp_path / "sites.toml"
    write_pages(folder)
    ingest(engine, [str(folder)], workers=1, settings=Settings())
    before = contents(engine)
    assert len(before["articles"]) == 5
    others = _of_others(engine)
    assert len(others) == 3

    def read(rules: str) -> SiteRulebook:
        file.write_text(sites("https://www.gazette.example", "https://herald.example", rules))
        return read_rulebook(file)

    book = read(RULES)
    asked = {page.document.location for page in outdated(engine, GENERAL, site_rules=book)}
    named = ("www.gazette.example-1.html", "www.gazette.example-2.html", "earlier.html")
    assert asked == {str(folder / name) for name in named}
    done = reprocess(engine, workers=1, settings=Settings(site_rules=book))
    assert (done.counts.seen, done.counts.updated) == (3, 3)
    assert by_rule(engine) == {"gazette.example": TAKEN}
    assert _of_others(engine) == others
    assert all(WALKS in row["text"] and APP in row["text"] for row in others)
    for row in view(engine, "articles"):
        if row["site"] == "gazette.example":
            lines = row["text"].split("\n")
            assert not {WALKS, APP} & set(lines)
            places = [
                (r["text"], r["position"])
                for r in view(engine, "removed_text")
                if r["article_id"] == row["id"]
            ]
            assert {(WALKS, len(lines)), (APP, len(lines))} <= set(places)
    assert [use.articles for use in done.site_rules] == [2]
    with_rules = contents(engine)

    assert count_outdated(engine, GENERAL, site_rules=book) == 0
    assert count_outdated(engine, GENERAL) == 0, "who is told of no sites leaves their pages alone"
    book = read(RULES.replace("div.x7", "div.x8"))
    assert count_outdated(engine, GENERAL, site_rules=book) == 3
    nothing_left = read('\n[sites.gazette.rules]\ndrop = ["article"]\n')
    refused = reprocess(engine, workers=1, settings=Settings(site_rules=nothing_left))
    assert (refused.counts.seen, refused.counts.rejected) == (3, 3)
    assert set(contents(engine)["articles"]) == {row["url"] for row in others}
    again = reprocess(engine, workers=1, settings=Settings(site_rules=read(RULES)))
    assert again.counts.seen == 3, "what was turned away by rules of the site is tried by its new ones"
    assert contents(engine)["removed"] == with_rules["removed"]
    last = reprocess(engine, workers=1, settings=Settings(site_rules=read("")))
    assert last.counts.seen == 3
    assert {url: row["text"] for url, row in contents(engine)["articles"].items()} == {
        url: row["text"] for url, row in before["articles"].items()
    }
    assert contents(engine)["removed"] == before["removed"]
    assert count_outdated(engine, GENERAL) == 0


def _of_others(engine: Engine) -> list[dict[str, Any]]:
    """The articles of other sites than gazette, but for the keys, which every sites file gives."""
    rows = [row for row in view(engine, "articles") if row["site"] != "gazette.example"]
    return [{name: value for name, value in row.items() if name != "site_key"} for row in rows]


def test_an_article_has_the_key_of_its_site_whichever_run_brings_it(engine: Engine, tmp_path: Path) -> None:
    folder, file = tmp_path / "in", tmp_path / "sites.toml"
    write_pages(folder)
    file.write_text(sites("https://www.gazette.example", "https://herald.example"))
    book = read_rulebook(file)

    def keys() -> dict[str, str | None]:
        return {row["site"]: row["site_key"] for row in view(engine, "articles")}

    wanted = {"gazette.example": "gazette", "herald.example": "herald", "": None}
    ingest(engine, [str(folder)], workers=1, settings=Settings())
    assert set(keys().values()) == {None}
    after = reader.last_change(engine)
    assert reprocess(engine, workers=1, settings=Settings(site_rules=book), dry_run=True).counts.seen == 0
    assert set(keys().values()) == {None}
    reprocess(engine, workers=1, settings=Settings(site_rules=book))
    assert keys() == wanted
    assert {c.article_id for c in reader.changes(engine, after)} == {
        row["id"] for row in view(engine, "articles") if row["site"]
    }
    after = reader.last_change(engine)
    for settings in (Settings(), Settings(site_rules=book)):
        reprocess(engine, workers=1, settings=settings)
        assert keys() == wanted, "who knows of no sites leaves the keys"
    assert list(reader.changes(engine, after)) == []

    fresh = open_database(f"sqlite:///{tmp_path}/fresh.db")
    ingest(fresh, [str(folder)], workers=1, settings=Settings(site_rules=book))
    assert {row["site"]: row["site_key"] for row in view(fresh, "articles")} == wanted
    fresh.dispose()


def test_the_rules_of_a_site_apply_to_its_ingested_pages(engine: Engine, tmp_path: Path) -> None:
    folder, file = tmp_path / "in", tmp_path / "sites.toml"
    write_pages(folder)
    file.write_text(sites("https://www.gazette.example", "https://herald.example", RULES))
    settings = Settings(site_rules=read_rulebook(file))
    assert ingest(engine, [str(folder)], workers=1, settings=settings).counts.seen == 6
    assert by_rule(engine) == {"gazette.example": TAKEN}
    for others in (settings, Settings()):
        counts = ingest(engine, [str(folder)], workers=1, settings=others).counts
        assert (counts.seen, counts.unchanged) == (6, 6)


def run(*arguments: str, sites_file: Path | None, db: str = "") -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    own = {"COPYDESK_SITES": str(sites_file or ""), "COPYDESK_DB": db}
    return forked.run(
        [sys.executable, "-m", "copydesk", *arguments],
        cwd=ROOT,
        env={**kept, **own},
        check=True,
    )


def articles(engine: Engine) -> Mapping[str, Any]:
    return {row.url: row for row in reader.articles(engine)}


def test_a_crawl_a_page_and_a_new_rule(database_url: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    rules = RULES + 'take = [".story-of-no-template"]\n'
    with serve() as web, serve("127.0.0.2") as other:
        for site in (web, other):
            site.pages["/feed"] = Page(rss([f"{site.base}/story/1", f"{site.base}/story/2"]))
            for number in (1, 2):
                site.pages[f"/story/{number}"] = Page(article(number, extra=EXTRA))
        desk.sites_file.write_text(sites(web.base, other.base, rules))
        web.pages["/story/3"] = Page(article(3, extra=EXTRA))
        log = desk.scrapy(COPYDESK_DB=database_url)
        assert "'site/gazette/take_ignored': 2" in log
        assert "site/herald/take_ignored" not in log
        desk.scrapy("-afile=-", spider="urls", stdin=f"{web.base}/story/3\n", COPYDESK_DB=database_url)
    engine = open_database(database_url)
    try:
        found = articles(engine)
        own = {f"{web.base}/story/{number}" for number in (1, 2, 3)}
        assert set(found) == own | {f"{other.base}/story/{number}" for number in (1, 2)}
        assert by_rule(engine) == {"127.0.0.1": TAKEN}
        crawled = {row["site"] for row in view(engine, "site_runs")}
        assert {row.site_key for row in found.values()} == {"gazette", "herald"} <= crawled
        assert {url for url, row in found.items() if WALKS in row.text} == found.keys() - own
        version = reader.rules_version(engine, found[f"{web.base}/story/1"].id)
        assert version is not None
        assert version.startswith(f"{GENERAL}+gazette-")
        assert version.endswith("!take")
    finally:
        engine.dispose()

    saved = tmp_path / "saved.html"
    saved.write_bytes(article(1, canonical=f"{web.base}/story/1", extra=EXTRA))
    shown = run("extract", str(saved), "--removed", sites_file=desk.sites_file)
    assert f"- {WALKS}   [site.gazette.clutter Walks with the Gazette*]" in shown.stdout
    assert "gazette: the elements that its rules take hold too little text" in shown.stderr

    told = run("reprocess", "--dry-run", sites_file=None, db=database_url)
    assert "0 of 0 pages would change" in told.stdout
    assert "gazette: on 3 of 3 pages the elements that its rules take held too little text" in told.stderr
    assert "gazette: 3 articles made by its rules did not change" in told.stderr
    desk.sites_file.write_text(sites(web.base, other.base, RULES.replace("div.x7", ".none")))
    told = run("reprocess", "--json", sites_file=desk.sites_file, db=database_url)
    answer = json.loads(told.stdout)
    assert answer["counts"]["seen"] == 3
    assert answer["site_rules"] == [{"key": "gazette", "articles": 3, "take_ignored": 0, "foreign": 0}]
    desk.sites_file.write_text(sites(web.base, other.base).replace("gazette", "morning"))
    told = run("reprocess", "--json", sites_file=desk.sites_file, db=database_url)
    assert json.loads(told.stdout)["counts"]["seen"] == 3, "the site has another name, and no rules"


@pytest.mark.parametrize("rules", ['drop = ["*"]', 'clutter = ["*"]'])
def test_invalid_rules_stop_a_run_before_it_starts(tmp_path: Path, rules: str) -> None:
    file = tmp_path / "sites.toml"
    file.write_text(sites("https://a.example", "https://b.example", f"\n[sites.gazette.rules]\n{rules}\n"))
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run("ingest", str(tmp_path), sites_file=file, db=f"sqlite:///{tmp_path / 'x.db'}")
    assert caught.value.returncode == 2
    assert f"{file}: site gazette: rules." in caught.value.stderr
    assert not (tmp_path / "x.db").exists()
