"""`copydesk crawl`: its exit status and its messages."""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from copydesk.cli import app
from copydesk.status import Status
from copydesk.terminal import err
from crawler import crawl as module
from crawler.crawl import CrawlResult
from crawler.monitor import SiteAlerts
from crawler.monitor.health import Alert, Figure
from pipeline.document import Reason
from storage.writer import BatchCounts
from storage.writing import Lesson
from tests import forked
from tests.crawler.crawling import ROOT, Desk
from tests.crawler.web import Page, Web, article, rss, serve

DONE = CrawlResult(
    run_id=7,
    counts=BatchCounts(seen=1205, stored=1200, rejected=5, reasons={Reason.NO_ARTICLE: 5}),
    finish_reason="finished",
    sites={"herald": {"sources": 1, "fetched": 1205}, "gazette": {"not_modified": 2}},
    no_source_was_read=False,
    alerts=(),
    lesson=Lesson(articles=1200, learned={"herald.example": 2}, unlearned={}),
)
FAULTS = replace(DONE, counts=BatchCounts(seen=1, rejected=1, reasons={Reason.INTERNAL_ERROR: 1}))
ALERT = Alert(Figure.WORDS, 400, 12, "words: a text has 12 words, usual are 400")
UNUSUAL = replace(DONE, alerts=(SiteAlerts("gazette", (ALERT,), (Figure.WORDS,), ()),))
RECOVERED = replace(DONE, alerts=(SiteAlerts("gazette", (), (), (Figure.WORDS,)),))
LOCKED = replace(DONE, sites={"gazette": {"locked": 1}})

# Without a terminal, what a crawl does is in its log.
LOGGED = {"settings": {"LOG_ENABLED": True, "LOG_LEVEL": "INFO"}, "progress": None}


def _crawl(monkeypatch: pytest.MonkeyPatch, ended: CrawlResult, *arguments: str) -> tuple[Result, list[Any]]:
    """Run the command; returns its result, and the arguments that the crawl got."""
    given: list[Any] = []

    def crawl(*positional: Any, **named: Any) -> CrawlResult:
        given.extend([*positional, named])
        return ended

    monkeypatch.setattr(module, "crawl", crawl)
    return CliRunner().invoke(app, ["crawl", *arguments], env={"COLUMNS": "200"}), given


def test_the_sites_and_what_was_stored_are_told_on_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    done, _ = _crawl(monkeypatch, DONE)
    assert (done.exit_code, done.stdout) == (Status.DONE, "")
    assert done.stderr.splitlines()[:3] == [
        "gazette: not_modified 2",
        "herald: fetched 1,205, sources 1",
        "seen 1,205: stored 1,200, revised 0, updated 0, unchanged 0, rejected 5; 0 joined a group",
    ]
    assert "lines of herald.example: 2 learned as clutter" in done.stderr


def test_json_is_all_that_standard_output_has(monkeypatch: pytest.MonkeyPatch) -> None:
    done, _ = _crawl(monkeypatch, UNUSUAL, "--json")
    answer = json.loads(done.stdout)
    assert (answer["run"], answer["finished"], answer["sites"]) == (7, "finished", DONE.sites)
    assert (answer["counts"]["stored"], answer["counts"]["reasons"]) == (1200, {"no article": 5})
    assert answer["alerts"][0]["alerts"][0]["message"] == ALERT.message
    assert answer["lesson"]["learned"] == {"herald.example": 2}
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("ended", "arguments", "status"),
    [
        (DONE, ["--fail-on-alert"], Status.DONE),
        (FAULTS, [], Status.FAULTS),
        (UNUSUAL, [], Status.DONE),
        (UNUSUAL, ["--fail-on-alert"], Status.ALERT),
        (RECOVERED, ["--fail-on-alert"], Status.DONE),
        (LOCKED, [], Status.BUSY),
        # The first of several says what the operator must look at first.
        (replace(LOCKED, alerts=UNUSUAL.alerts), ["--fail-on-alert"], Status.ALERT),
        (replace(UNUSUAL, counts=FAULTS.counts), ["--fail-on-alert"], Status.FAULTS),
        (replace(DONE, finish_reason="shutdown"), [], Status.INTERRUPTED),
        # Stopped by a signal, it says nothing of the sources that it did not come to.
        (replace(DONE, finish_reason="shutdown", no_source_was_read=True), [], Status.INTERRUPTED),
    ],
)
def test_the_exit_status_says_how_it_ended(
    monkeypatch: pytest.MonkeyPatch, ended: CrawlResult, arguments: list[str], status: Status
) -> None:
    for form in ([], ["--json"]):
        assert _crawl(monkeypatch, ended, *arguments, *form)[0].exit_code == status


def test_the_crawl_gets_the_sites_and_options_of_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COPYDESK_DB", "COPYDESK_SITES"):
        monkeypatch.delenv(name, raising=False)
    assert _crawl(monkeypatch, DONE)[1] == [
        "sqlite:///copydesk.db",
        (),
        {"sites_file": None, "refetch": False, **LOGGED, "command": "copydesk crawl"},
    ]
    arguments = ["gazette", "herald", "--db", "sqlite:///x.db", "--sites", "my.toml", "--refetch"]
    assert _crawl(monkeypatch, DONE, *arguments)[1] == [
        "sqlite:///x.db",
        ["gazette", "herald"],
        {
            "sites_file": "my.toml",
            "refetch": True,
            **LOGGED,
            "command": shlex.join(["copydesk", "crawl", *arguments]),
        },
    ]


@pytest.mark.parametrize(
    ("options", "is_logged", "level"),
    [([], False, "INFO"), (["--log"], True, "INFO"), (["-v"], True, "DEBUG"), (["-q"], True, "ERROR")],
)
def test_a_terminal_shows_the_log_where_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch, options: list[str], is_logged: bool, level: str
) -> None:
    monkeypatch.setattr(type(err), "is_terminal", True)
    given = _crawl(monkeypatch, DONE, *options)[1][2]
    assert given["settings"] == {"LOG_ENABLED": is_logged, "LOG_LEVEL": level}
    assert (given["progress"] is None) is is_logged


def _write_sites(desk: Desk, web: Web) -> None:
    """A sites file with a site on this web, and one whose host does not exist."""
    desk.write_sites(
        {
            "gazette": {"homepage": f"{web.base}/", "feeds": [f"{web.base}/rss.xml"]},
            "nowhere": {"homepage": "http://nowhere.invalid/", "feeds": ["http://nowhere.invalid/rss.xml"]},
        }
    )


def _publish(web: Web) -> None:
    """One story, and the feed that names it."""
    web.pages["/rss.xml"] = Page(rss([f"{web.base}/story/1"]), "application/rss+xml")
    web.pages["/story/1"] = Page(article(1))


def test_a_crawl_on_a_terminal_shows_each_site_and_warnings(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with serve() as web:
        _write_sites(desk, web)
        _publish(web)
        contact = "desk@copydesk.example"
        done = _crawled(desk, COPYDESK_CONTACT=contact, FORCE_COLOR="1", COLUMNS="100", TERM="xterm")
    said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", done.stderr)
    assert done.returncode == 0, said
    assert re.search(r"gazette +━+ +1 of 1\b", said)
    assert re.search(r"nowhere +\S+ +0 of 0 +1 failed feed\b", said)
    assert "2 sites: 1 of 1 page, 1 article, 0 rejected" in said
    assert "warning: Site nowhere: http://nowhere.invalid/rss.xml: nowhere.invalid cannot be resolved" in said
    assert "INFO" not in said


def _crawled(desk: Desk, **variables: str) -> CompletedProcess[str]:
    return forked.run(
        [sys.executable, "-m", "copydesk", "crawl"],
        cwd=ROOT,
        env=desk.environment() | {"COPYDESK_ALLOW_LOOPBACK": "1", **variables},
    )


def test_the_status_says_that_no_source_of_any_site_could_be_read(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with serve() as web:
        _write_sites(desk, web)
        failed = _crawled(desk, COPYDESK_CONTACT="desk@copydesk.example")
        _publish(web)
        done = _crawled(desk, COPYDESK_CONTACT="desk@copydesk.example")
    assert failed.returncode == 2, failed.stderr
    last = failed.stderr.splitlines()[-1]
    assert last == "copydesk: no feed or sitemap could be read, of any site; the log has the reason for each"
    for run in (failed, done):
        why = "http://nowhere.invalid/rss.xml: nowhere.invalid cannot be resolved to an address"
        assert f"Site nowhere: {why}" in run.stderr
        assert "Forbidden" not in run.stderr
    assert done.returncode == 0, done.stderr
