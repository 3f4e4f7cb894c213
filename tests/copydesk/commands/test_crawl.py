"""`copydesk crawl`: its exit status and its messages."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import CompletedProcess

from tests import forked
from tests.crawler.crawling import ROOT, Desk
from tests.crawler.web import Page, article, rss, serve


def crawl(desk: Desk, **variables: str) -> CompletedProcess[str]:
    return forked.run(
        [sys.executable, "-m", "copydesk", "crawl"],
        cwd=ROOT,
        env=desk.environment() | {"COPYDESK_ALLOW_LOOPBACK": "1", **variables},
    )


def test_the_status_says_that_no_source_of_any_site_could_be_read(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with serve() as web:
        sites = {
            "gazette": {"homepage": f"{web.base}/", "feeds": [f"{web.base}/rss.xml"]},
            "nowhere": {"homepage": "http://nowhere.invalid/", "feeds": ["http://nowhere.invalid/rss.xml"]},
        }
        desk.write_sites(sites)
        failed = crawl(desk, COPYDESK_CONTACT="desk@copydesk.example")
        web.pages["/rss.xml"] = Page(rss([f"{web.base}/story/1"]), "application/rss+xml")
        web.pages["/story/1"] = Page(article(1))
        done = crawl(desk, COPYDESK_CONTACT="desk@copydesk.example")
    assert failed.returncode == 2, failed.stderr
    last = failed.stderr.splitlines()[-1]
    assert last == "copydesk: no feed or sitemap could be read, of any site; the log has the reason for each"
    for run in (failed, done):
        why = "http://nowhere.invalid/rss.xml: nowhere.invalid cannot be resolved to an address"
        assert f"Site nowhere: {why}" in run.stderr
        assert "Forbidden" not in run.stderr
    assert done.returncode == 0, done.stderr
