"""A broken site is reported: in the log, the summary, the exit status, by a command and by a webhook."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.monitor import HISTORY
from storage.crawls import site_runs
from storage.database import open_database
from tests import forked
from tests.crawler.crawling import ROOT, Desk
from tests.crawler.notifications.hook import Hook, listening
from tests.crawler.web import Page, Web, rss, serve
from tests.storage.past import remember

# Appends its standard input and its arguments to a file, one line a call.
SCRIPT = """
import json, os, sys
with open(sys.argv[1], "a") as told:
    told.write(json.dumps([sys.argv[2:], json.load(sys.stdin)]) + "\\n")
with open(sys.argv[1] + ".environment", "w") as variables:
    variables.write(json.dumps(dict(os.environ)))
"""


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as found:
        yield found


@pytest.fixture
def web() -> Iterator[Web]:
    with serve() as found:
        yield found


def remember_good_weeks(desk: Desk, *sites: str) -> None:
    """Three weeks of daily crawls, the last of them a day ago."""
    engine = open_database(desk.url)
    for days in range(21, 0, -1):
        at = datetime.now(UTC) - timedelta(days=days)
        for site in sites:
            remember(
                engine, at, site, stored=12, discovered=40, fetched=12, words=400.0, sources=1, alerts=[]
            )
    engine.dispose()


def broken_sites(desk: Desk, web: Web, *sites: str) -> None:
    """Sites whose articles are all gone, each with a feed that still names them."""
    entries = {}
    for site in sites:
        paths = [f"{web.base}/{site}/{number}" for number in range(20)]
        web.pages[f"/{site}.xml"] = Page(rss(paths), "application/rss+xml")
        entries[site] = {
            "homepage": f"{web.base}/",
            "feeds": [f"{web.base}/{site}.xml"],
            "politeness": {"delay": 0, "concurrent_requests": 8},
        }
    desk.write_sites(entries)


def test_a_broken_site_is_notified_once_and_shown_by_every_crawl(
    tmp_path: Path, web: Web, hook: Hook
) -> None:
    desk = Desk(tmp_path)
    told, script = tmp_path / "told.jsonl", tmp_path / "tell me.py"
    script.write_text(SCRIPT)
    remember_good_weeks(desk, "gazette", "post")
    broken_sites(desk, web, "gazette", "post")
    command = shlex.join([sys.executable, str(script), str(told), "$HOME; touch pwned"])
    settings = {"COPYDESK_ALERT_COMMAND": command, "COPYDESK_ALERT_WEBHOOK": hook.url}

    log = desk.scrapy(site="gazette", **settings)
    message = "100% of its new pages are rejected, 0% before; most of them for: error page"
    assert f"Site gazette: rejected: {message}" in log
    ((arguments, given),) = map(json.loads, told.open())
    assert arguments == ["$HOME; touch pwned"]
    variables = json.loads((tmp_path / "told.jsonl.environment").read_text())
    assert "PATH" in variables
    assert not [name for name in variables if name.startswith("COPYDESK_")]
    assert hook.told == [("application/json", given)]
    alert = {"figure": "rejected", "was": 0.0, "now": 1.0, "message": message}
    assert given["sites"] == [{"site": "gazette", "alerts": [{**alert, "new": True}], "recovered": []}]
    assert (given["database"], given["spider"]) == (str(tmp_path / "copydesk.db"), "news")
    assert given["text"] == f"Site gazette: rejected: {message}"
    engine = open_database(desk.url, create=False)
    rows = site_runs.history(engine, since=datetime.now(UTC) - HISTORY)
    engine.dispose()
    assert (rows["gazette"][-1].run_id, rows["gazette"][-1].alerts) == (given["run"], [alert])
    assert not (tmp_path / "pwned").exists()
    assert not (ROOT / "pwned").exists()

    # There is no second notification. The exit status reports the alert if it is asked to, and a failed
    # notification does no harm.
    environment = {
        **desk.environment(),
        "COPYDESK_ALLOW_LOOPBACK": "1",
        "COPYDESK_ALERT_COMMAND": "false",
        "COPYDESK_ALERT_WEBHOOK": hook.url,
    }
    hook.status = 500
    done = copydesk("gazette", "--fail-on-alert", environment=environment)
    assert done.returncode == 3, done.stderr
    assert done.stderr.count(f"rejected: {message} (as in the crawl before)") == 2  # the log, the summary
    assert "failed:" not in done.stderr
    done = copydesk("post", "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    assert "The alert command false failed: exit status 1" in done.stderr
    assert "The alert webhook at 127.0.0.1 failed: answered 500 Internal Server Error" in done.stderr
    assert "secret" not in done.stderr
    (found,) = json.loads(done.stdout)["alerts"]
    assert (found["site"], found["new"]) == ("post", ["rejected"])
    assert len(told.read_text().splitlines()) == 1
    assert [len(one["sites"]) for _, one in hook.told] == [1, 1]


def copydesk(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return forked.run(
        [sys.executable, "-m", "copydesk", "crawl", *arguments],
        cwd=ROOT,
        env=environment,
    )
