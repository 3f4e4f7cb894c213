"""A site that breaks is told of: in the log, the summary, the exit status, by a command and by a webhook."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from crawler.monitor.alerts import (
    SiteAlerts,
    compared,
    lines,
    parse_command,
    parse_webhook,
    post,
    run_command,
)
from crawler.monitor.health import HISTORY, Alert, Figure
from pipeline.errors import OperatorError
from storage.crawls import site_runs
from storage.database import open_database
from storage.schema import SiteRun
from tests import forked
from tests.crawler.crawling import ROOT, Desk
from tests.crawler.monitor.test_health import run_at
from tests.crawler.web import Page, Web, rss, serve
from tests.storage.past import remember

# Appends what it is given to a file, with its arguments, a line each time.
SCRIPT = """
import json, sys
with open(sys.argv[1], "a") as told:
    told.write(json.dumps([sys.argv[2:], json.load(sys.stdin)]) + "\\n")
"""


@dataclass
class Hook:
    """A webhook on loopback: what was posted to it, and how it answers."""

    url: str = ""
    told: list[tuple[str, Any]] = field(default_factory=list)
    status: int = 204
    drip: bool = False


@contextmanager
def listening() -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.told.append((self.headers["Content-Type"], json.loads(body)))
            try:
                while hook.drip:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nX-More: of it\r\n")
                    time.sleep(0.1)
                self.send_response(hook.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
            except OSError:
                pass

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook.url = f"http://127.0.0.1:{server.server_address[1]}/hook?token=secret"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()


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


def test_a_site_that_breaks_is_told_once_and_every_crawl_says_so(
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
    message = "100% of its new pages are turned away, 0% before; most of them for: error page"
    assert f"Site gazette: rejected: {message}" in log
    ((arguments, given),) = map(json.loads, told.open())
    assert arguments == ["$HOME; touch pwned"]
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

    # It is not told again, but asked for, the exit status says so; and what cannot be told harms nothing.
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
    assert "The alert webhook at 127.0.0.1 failed: HTTP Error 500" in done.stderr
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


def test_news_are_alerts_that_the_last_judged_crawl_did_not_have() -> None:
    words = Alert(Figure.WORDS, 400.0, 60.0, "short")
    dates = Alert(Figure.WITHOUT_DATE, 0.1, 1.0, "undated")
    at = datetime(2026, 3, 2, tzinfo=UTC)

    def runs(*alerts: list[Alert] | None) -> list[SiteRun]:
        made = [None if found is None else [alert.as_json() for alert in found] for found in alerts]
        return [run_at(at + timedelta(days=n), 5, alerts=found) for n, found in enumerate([*made, None])]

    assert compared("a", (words,), runs([], None)) == SiteAlerts("a", (words,), ("words",), ())
    assert compared("a", (words,), runs([words], None)) == SiteAlerts("a", (words,), (), ())
    changed = compared("a", (dates,), runs([], [words]))
    assert changed == SiteAlerts("a", (dates,), ("without date",), ("words",))
    assert compared("a", (), runs()) == SiteAlerts("a", (), (), ())
    assert lines([changed]) == [
        ("Site a: without date: undated", True),
        ("Site a: words: as it used to be again", False),
    ]


def test_a_command_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    left = tmp_path / "child"
    command = ["sh", "-c", 'sleep 600 & echo $! > "$0"; wait', str(left)]
    with pytest.raises(TimeoutError, match="not done after 3 s, and killed"):
        run_command(command, b"{}", 3.0)
    pid = int(left.read_text())
    until = time.monotonic() + 60
    while _is_running(pid):
        assert time.monotonic() < until, "it is still there"
        time.sleep(0.05)


def _is_running(pid: int) -> bool:
    try:
        # Killed, it may wait to be reaped by whoever took it over.
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_a_command_fails_alone() -> None:
    with pytest.raises(OSError, match="no-such-command"):
        run_command(["no-such-command"], b"{}", 5.0)
    with pytest.raises(ChildProcessError, match="exit status 7"):
        run_command([sys.executable, "-c", "raise SystemExit(7)"], b"x" * 1_000_000, 60.0)


def test_a_webhook_fails_alone(hook: Hook) -> None:
    post(hook.url, b'{"a": 1}', 60.0)
    assert hook.told == [("application/json", {"a": 1})]
    hook.status = 302  # would be asked with GET, without what there was to tell
    with pytest.raises(OSError, match="302"):
        post(hook.url, b"{}", 60.0)
    hook.drip = True
    with pytest.raises(TimeoutError):
        post(hook.url, b"{}", 1.0)
    hook.drip = False
    with pytest.raises(OSError, match="refused"):
        post("http://127.0.0.1:9/", b"{}", 60.0)


def test_settings_that_cannot_be_used_are_told_before_anything_is_fetched() -> None:
    assert parse_command(None) is parse_command(" ") is None
    assert parse_webhook("") is None
    assert parse_command("mail -s 'a site' desk@example.org") == ["mail", "-s", "a site", "desk@example.org"]
    with pytest.raises(OperatorError, match=r"COPYDESK_ALERT_COMMAND.*close the quotation"):
        parse_command("mail 'desk")
    for wrong in ("hooks.example/x", "file:///etc/passwd", "https://", "http://[x/"):
        with pytest.raises(OperatorError, match="COPYDESK_ALERT_WEBHOOK"):
            parse_webhook(wrong)
