"""A page or feed of a crawl that twice kills its worker is not requested again, and every face says so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from copydesk.cli import app
from crawler.settings import EXTENSIONS
from pipeline.errors import OperatorError
from tests.crawler.crawling import Desk
from tests.crawler.web import Page, article, rss, serve


def copydesk(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_a_page_and_a_feed_that_kill_their_worker_twice_are_not_requested_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    monkeypatch.setenv("COPYDESK_SITES", str(desk.sites_file))
    with serve() as web:
        web.pages["/1"] = Page(article(1))
        links = [f"{web.base}/1", deadly := f"{web.base}/deadly"]
        web.pages["/rss.xml"] = Page(rss(links), "application/rss+xml", etag='"1"')
        web.pages["/deadly.xml"] = Page(rss([]), "application/rss+xml")
        feeds = [deadly_feed := f"{web.base}/deadly.xml", f"{web.base}/rss.xml"]
        desk.write_sites({"g": {"homepage": f"{web.base}/", "feeds": feeds}})
        misbehaving = {f"tests.crawler.deadly.{name}": 1 for name in ("DeadlyPages", "DeadlyFeed")}
        ends, failed = [], []
        for number in range(4):
            # Its bytes are different each time, as those of many pages are.
            web.pages["/deadly"] = Page(article(2, extra=f"<p>DEADLY token {number}</p>"))
            log = desk.scrapy(site="g", EXTENSIONS=json.dumps({**EXTENSIONS, **misbehaving}))
            ends.append((desk.rejections()[deadly][0], web.count()["/deadly"]))
            warned = re.findall(rf"WARNING: Site g: {deadly_feed}: (\w+ \w+)", log)
            failed.append((warned, "'site/g/sources_failed': 1" in log, web.count()["/deadly.xml"]))
        assert ends == [("worker died", 1), *[("quarantined", 2)] * 3]
        assert failed == [
            (["worker died"], True, 1),
            (["worker died"], True, 2),
            *[(["in quarantine"], True, 2)] * 2,
        ]
        assert web.log[-1] == ("/rss.xml", 304), "nor is its feed read again for its sake, once it is settled"
    assert list(desk.articles()) == [f"{web.base}/1"]

    said = "2 times in a row worker died (the worker was ended by SIGKILL)"
    shown = copydesk("show", deadly, "--db", desk.url)
    assert isinstance(shown.exception, OperatorError)
    assert said in str(shown.exception)
    listed = copydesk("stats", "--quarantine", "--db", desk.url).output
    assert f"worker died {deadly}: 2 times in a row" in listed
    assert "2 documents in quarantine, 2 of them not tried again" in listed
    found = json.loads(copydesk("stats", "--quarantine", "--db", desk.url, "--json").stdout)["quarantine"]
    assert {(one["location"], one["failures"], one["is_held"]) for one in found} == {
        (deadly, 2, True),
        (deadly_feed, 2, True),
    }

    again = json.loads(copydesk("reprocess", "--db", desk.url, "--json").stdout)
    assert (again["counts"]["seen"], again["held"]) == (0, 1)
    again = json.loads(copydesk("reprocess", "--quarantined", "--db", desk.url, "--json").stdout)
    assert (again["counts"]["stored"], again["held"]) == (1, 0), "whole workers take the page in"
    assert deadly in desk.articles()
    assert copydesk("stats", "--quarantine", "--db", desk.url).output.startswith("0 documents")
    assert "quarantine" not in copydesk("show", deadly, "--db", desk.url).output
