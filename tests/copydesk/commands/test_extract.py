"""`copydesk extract`: the articles of pages, from files and from the web, without a database."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from pipeline.extract.candidates import find_candidates
from pipeline.extract.model import block_columns
from pipeline.extract.open_page import open_page
from pipeline.settings import Settings
from pipeline.text import runs
from tests.copydesk.conftest import FERRY, NEWS, Run
from tests.crawler.web import Page, article, serve
from tests.known_pages import FETCHED_AT, PAGES


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDESK_ALLOW_LOOPBACK", "1")
    monkeypatch.delenv("COPYDESK_CONTACT", raising=False)


def test_extract_needs_no_database(copydesk: Run, tmp_path: Path) -> None:
    done = copydesk("extract", str(NEWS / FERRY), "--json", cwd=tmp_path)
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["title"].startswith("Divers find no leak")
    assert "Register now" not in found["text"]
    assert {"position", "rule", "text"} == set(found["removed"][0])
    assert list(tmp_path.iterdir()) == []
    assert copydesk("extract", str(NEWS / FERRY), "--format", "json").stdout == done.stdout


@pytest.mark.parametrize("name", ["table-and-lists-in-german", "lists-and-table", "readers-comments"])
def test_what_a_reader_took_is_shown_as_text_or_as_removed(copydesk: Run, name: str) -> None:
    path = PAGES / "articles" / f"{name}.html"
    page = open_page(path.read_text("utf-8"), "https://gazette.example/1", FETCHED_AT, Settings())
    (found,) = find_candidates(block_columns([page.page]), [page])
    shown = Counter(runs(copydesk("extract", str(path), "--removed").stdout))
    taken = Counter(run for passage in found.either() for run in runs(passage.text))
    assert sum(taken.values()) > 100
    assert not taken - shown


def test_several_files_and_one_without_an_article(copydesk: Run, tmp_path: Path) -> None:
    empty = tmp_path / "[red]empty.html"
    empty.write_text("<html><body><nav><a href='/a'>News</a></nav></body></html>")
    other = tmp_path / "other.html"
    other.write_bytes(article(3))
    done = copydesk("extract", str(NEWS / FERRY), str(empty), str(other), "--format", "json")
    assert done.returncode == 1, "one of them gave no article"
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["location"] for one in found] == [str(NEWS / FERRY), str(other)]
    assert re.search(r"^[a-z ]+ \S*\[red\]empty\.html: ", done.stderr)
    assert copydesk("extract", str(NEWS / FERRY), str(other)).returncode == 0


def test_markdown_shows_the_text_as_it_is(copydesk: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    record = {
        "url": "https://gazette.example/a",
        "title": "#1 bridge *opens*",
        "authors": ["Ada Lind"],
        "text": "The bridge over the Wend [sic] opened to traffic on Monday after two years of repairs.\n"
        "Three of its arches are new, the council said.\n1. Traffic is slow, said the mayor of Brightwater.",
    }
    path.write_text(json.dumps(record))
    done = copydesk("extract", str(path), "--format", "markdown")
    head, authors, url, first, *rest = done.stdout.strip().split("\n\n")
    assert (head, url) == ("# \\#1 bridge \\*opens\\*", "<https://gazette.example/a>")
    assert authors == "Ada Lind"
    assert first.startswith("The bridge over the Wend \\[sic\\] opened")
    assert [line.split()[0] for line in rest] == ["Three", "1\\."]
    for wrong in (["--format", "xml"], ["--format", "markdown", "--removed"]):
        assert copydesk("extract", str(path), *wrong).returncode == 2


def test_a_url_is_fetched_by_the_rules_of_a_crawl(copydesk: Run) -> None:
    with serve() as web, serve("127.0.0.2") as elsewhere:
        web.pages["/robots.txt"] = Page(b"User-agent: *\nDisallow: /private/", content_type="text/plain")
        web.pages["/news/1"] = Page(article(1))
        web.pages["/private/2"] = Page(article(2))
        web.pages["/moved"] = Page(status=302, headers={"Location": f"{elsewhere.base}/news/9"})
        elsewhere.pages["/news/9"] = Page(article(9))
        urls = [f"{web.base}/{path}" for path in ("news/1", "private/2", "moved", "none")]
        done = copydesk("extract", *urls, "--format", "json")
        said = dict(line.split(": ", 1) for line in done.stderr.splitlines())
    assert done.returncode == 1
    assert [json.loads(line)["location"] for line in done.stdout.splitlines()] == [urls[0]]
    assert {line.rsplit(" ", 1)[1] for line in said} == set(urls[1:])
    assert said[f"error page {urls[3]}"] == "HTTP 404"
    assert "robots.txt" in said[f"forbidden {urls[1]}"]
    assert "127.0.0.2" in said[f"forbidden {urls[2]}"]
    assert web.count()["/private/2"] == 0
    assert elsewhere.log == []
    assert all(agent.startswith("copydesk/") for agent in web.agents)


def test_neither_private_addresses_nor_anonymous_requests(
    copydesk: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPYDESK_ALLOW_LOOPBACK", "")
    with serve() as web:
        web.pages["/news/1"] = Page(article(1))
        anonymous = copydesk("extract", f"{web.base}/news/1")
        monkeypatch.setenv("COPYDESK_CONTACT", "desk@example.org")
        private = copydesk("extract", f"{web.base}/news/1")
        assert web.log == []
    assert (anonymous.returncode, private.returncode) == (2, 1)
    assert "set COPYDESK_CONTACT" in anonymous.stderr
    assert private.stderr.startswith(f"forbidden {web.base}/news/1: ")
    assert copydesk("extract", "https:///a").returncode == 2
