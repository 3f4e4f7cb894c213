"""`copydesk watch`: from a watchlist to what a receiver gets, and what was given up."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.copydesk.conftest import NEWS, Run
from tests.crawler.notifications.hook import listening


@pytest.fixture
def empty_url(tmp_path: Path, copydesk: Run) -> str:
    """An empty database with a watchlist of ferries, whose messages a command writes to received.jsonl."""
    url = f"sqlite:///{tmp_path}/watched.db"
    program = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read().strip() + chr(10))"
    command = shlex.join([sys.executable, "-c", program, str(tmp_path / "received.jsonl")])
    done = copydesk("watch", "add", "ferries", "ferry", "aground", "--to", f"command:{command}", "--db", url)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "watchlist ferries made: ferry aground\n"
    return url


def received(folder: Path) -> list[dict[str, Any]]:
    path = folder / "received.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def test_a_story_is_told_once_by_watch_run(copydesk: Run, empty_url: str, tmp_path: Path) -> None:
    ingested = copydesk("ingest", str(NEWS), "--db", empty_url)
    assert ingested.returncode == 0, ingested.stderr
    done = copydesk("watch", "run", "--db", empty_url, "--json")
    assert done.returncode == 0, done.stderr
    sent = json.loads(done.stdout)

    (message,) = received(tmp_path)
    assert message["type"] == "story.matched"
    assert message["data"]["watchlist"] == "ferries"
    assert message["data"]["article"]["title"].startswith("Divers find no leak in ferry stranded")
    assert message["data"]["story"]["sites"] > 1
    assert sent["matched"] == {"news": 0, "told": 0}  # the ingest matched at its end
    assert sent["deliveries"] == {"delivered": 0, "failed": 0, "dead": 0, "waiting": 0}  # and delivered
    assert "0 new texts: 0 to be told" in copydesk("watch", "run", "--db", empty_url).stdout
    assert len(received(tmp_path)) == 1

    shown = copydesk("watch", "show", "ferries", "--db", empty_url)
    assert "Ferry with 214 aboard runs aground" in shown.stdout
    assert shown.stdout.startswith("ferries\n  looks for  ferry aground\n  tells      story\n")
    found = json.loads(copydesk("watch", "show", "ferries", "--db", empty_url, "--json").stdout)
    (story,) = found["stories"]
    assert (story["id"], story["is_told"]) == (message["data"]["story"]["id"], True)


def test_what_would_match_is_shown_and_not_told(copydesk: Run, own: str) -> None:
    copydesk("watch", "add", "ferries", "ferry aground", "--min-sites", "9", "--db", own)
    done = copydesk("watch", "test", "ferries", "--days", "9999", "--db", own)
    assert "Divers find no leak in ferry stranded off Velmora" in done.stdout
    assert "not told" in done.stdout
    assert done.stderr == "1 story matched in 9999 days, 0 to be told\n"
    copydesk("watch", "edit", "ferries", "--min-sites", "1", "--query", "zeppelin OR aground", "--db", own)
    found = json.loads(copydesk("watch", "test", "ferries", "--days", "9999", "--db", own, "--json").stdout)
    assert (found["matched"], found["told"]) == (1, 1)
    assert json.loads(copydesk("watch", "show", "ferries", "--db", own, "--json").stdout)["stories"] == []


def test_a_watchlist_is_listed_changed_and_removed(copydesk: Run, own: str) -> None:
    assert "There are no watchlists" in copydesk("watch", "list", "--db", own).stdout
    site = "tessaryobserver.example"
    made = copydesk(
        *("watch", "add", "here", "--site", f"www.{site}", "--language", "EN", "--tell", "copies"),
        *("--outlets", "3", "--to", "feed", "--to", "mail:desk@news.example", "--db", own),
    )
    assert made.returncode == 0, made.stderr
    listed = copydesk("watch", "list", "--db", own).stdout
    assert "here" in listed
    assert f"any words, on {site}, in en" in listed
    assert "story, copies, outlets" in listed
    options = ("--name", "there", "--site", "", "--outlets", "0", "--tell", "removals", "--to", "", "--pause")
    changed = json.loads(copydesk("watch", "edit", "here", *options, "--db", own, "--json").stdout)
    changed.pop("created_at")
    assert changed == {
        "name": "there",
        "query": None,
        "site": None,
        "language": "en",
        "agency": None,
        "min_sites": None,
        "tells": ["story", "removals"],
        "outlets": None,
        "ways": [],
        "is_paused": True,
    }
    assert "there (paused)" in copydesk("watch", "list", "--db", own).stdout
    assert copydesk("watch", "remove", "there", "--yes", "--db", own).stdout.startswith("watchlist there rem")
    assert json.loads(copydesk("watch", "list", "--db", own, "--json").stdout)["watchlists"] == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["add", "x", "--", "-strike"], "nothing to look for in '-strike'"),
        (["add", "x"], "would tell of every story"),
        (["add", "x", "ferry", "--site", "nowhere.example"], "nothing of nowhere.example is stored"),
        (["add", "x", "ferry", "--to", "pigeon:home"], "this is no way out"),
        (["add", "x", "ferry", "--tell", "all"], "cannot tell 'all'"),
        (["show", "x"], "no watchlist 'x'"),
        (["edit", "x", "--pause"], "no watchlist 'x'"),
        (["remove", "x", "--yes"], "no watchlist 'x'"),
        (["test", "x"], "no watchlist 'x'"),
        (["retry", "x"], "no watchlist 'x'"),
    ],
)
def test_a_mistake_is_one_line_and_makes_nothing(
    copydesk: Run, own: str, words: list[str], says: str
) -> None:
    name, *rest = words
    done = copydesk("watch", name, "--db", own, *rest)
    assert done.returncode == 2
    assert done.stderr.startswith("copydesk: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert json.loads(copydesk("watch", "list", "--db", own, "--json").stdout)["watchlists"] == []


def test_what_was_given_up_is_put_back(
    copydesk: Run, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPYDESK_NOTIFY_PRIVATE_ADDRESSES", "127.0.0.1")
    with listening() as hook:
        hook.status = 410
        way = f"webhook:http://127.0.0.1:{hook.port}/hook"
        copydesk("watch", "edit", "ferries", "--to", way, "--db", empty_url)
        ingested = copydesk("ingest", str(NEWS), "--db", empty_url)
        assert "answered 410 Gone; given up" in ingested.stderr
        assert "1 given up" in copydesk("watch", "list", "--db", empty_url).stderr
        shown = copydesk("watch", "show", "ferries", "--db", empty_url).stdout
        assert f"  off        {way} wants no more (410)" in " ".join(shown.split("\n"))
        found = json.loads(copydesk("watch", "show", "ferries", "--db", empty_url, "--json").stdout)
        assert (found["off"], len(found["dead"])) == ([way], 1)
        listed = copydesk("watch", "retry", "--dry-run", "--db", empty_url).stdout
        assert "answered 410 Gone" in listed
        assert "1 delivery was given up" in listed
        assert "1 delivery is due again" in copydesk("watch", "retry", "--db", empty_url).stdout
        hook.status = 200
        done = json.loads(copydesk("watch", "run", "--db", empty_url, "--json").stdout)["deliveries"]
        assert done == {"delivered": 1, "failed": 0, "dead": 0, "waiting": 0}
        assert "wants no more" not in copydesk("watch", "show", "ferries", "--db", empty_url).stdout
        assert len({headers["webhook-id"] for headers, _ in hook.requests}) == 1


def test_a_sample_is_sent_by_each_way_and_stored_nowhere(
    copydesk: Run, empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = copydesk("watch", "test", "ferries", "--send", "--db", empty_url)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"command {sys.executable}: accepted\n"
    (message,) = received(tmp_path)
    assert message["data"]["sample"] is True
    assert message["data"]["watchlist"] == "ferries"

    monkeypatch.delenv("NO_SUCH_HOOK", raising=False)
    ways = ("--to", "feed", "--to", "webhook:$NO_SUCH_HOOK", "--to", "webhook:http://127.0.0.1:9/hook")
    copydesk("watch", "edit", "ferries", *ways, "--db", empty_url)
    done = copydesk("watch", "test", "ferries", "--send", "--db", empty_url)
    assert done.returncode == 2
    lines = done.stdout.splitlines()
    assert lines[0] == "feed: nothing is sent"
    assert lines[1].startswith("webhook $NO_SUCH_HOOK: $NO_SUCH_HOOK: holds no URL")
    assert "webhook at 127.0.0.1: 127.0.0.1 is not on the public internet" in lines[2]
    assert "2 of 3 ways failed" in done.stderr
    failed = json.loads(copydesk("watch", "test", "ferries", "--send", "--json", "--db", empty_url).stdout)
    assert [one["error"] is None for one in failed["samples"]] == [True, False, False]
    listed = json.loads(copydesk("watch", "list", "--db", empty_url, "--json").stdout)
    assert listed["deliveries"] == {"waiting": 0, "delivered": 0, "dead": 0}


def test_a_mistake_in_the_settings_costs_no_ingest(
    copydesk: Run, empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPYDESK_SMTP_URL", "smtp://news:hunter2@mail.example")
    done = copydesk("ingest", str(NEWS), "--db", empty_url)
    assert done.returncode == 0
    assert "Notifications were not delivered" in done.stderr
    assert "COPYDESK_SMTP_URL: holds a password" in done.stderr
    assert "hunter2" not in done.stderr
    done = copydesk("watch", "run", "--db", empty_url)
    assert done.returncode == 2
    assert "hunter2" not in done.stderr
    monkeypatch.delenv("COPYDESK_SMTP_URL")
    assert received(tmp_path) == []
    assert "1 delivery made" in copydesk("watch", "run", "--db", empty_url).stdout
