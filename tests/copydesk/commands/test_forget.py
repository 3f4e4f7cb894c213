"""`copydesk forget` lists what it would delete, asks, and does not store it again."""

from __future__ import annotations

import json
import os
import pty
import sys
from pathlib import Path

import pytest

from tests import forked
from tests.copydesk.conftest import Run, articles
from tests.waiting import PATIENCE


def test_forgotten_articles_are_deleted_and_not_stored_again(copydesk: Run, own: str, tmp_path: Path) -> None:
    found = articles(copydesk, own)
    url, title = str(found[0]["url"]), str(found[0]["title"])
    text = str(found[0]["text"])
    refused = copydesk("forget", url, "--db", own)
    assert refused.returncode == 2
    assert title in refused.stderr
    assert len(articles(copydesk, own)) == len(found)

    done = copydesk("forget", url, "--reason", "asked for", "--yes", "--json", "--db", own)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["forgotten"]["articles"] == 1
    assert "backups and exports made before still have it" in done.stderr
    assert [a["url"] for a in articles(copydesk, own)] == [a["url"] for a in found[1:]]
    (stone,) = json.loads(copydesk("forget", "--list", "--json", "--db", own).stdout)
    assert (stone["value"], stone["reason"]) == (url, "asked for")

    record = tmp_path / "again.jsonl"
    record.write_text(json.dumps({"url": url + "#top", "text": text}))
    ingested = copydesk("ingest", str(record), "--db", own)
    assert (ingested.returncode, "rejected, forgotten: 1" in ingested.stderr) == (0, True)
    assert len(articles(copydesk, own)) == len(found) - 1

    lifted = copydesk("forget", "--undo", url, "--db", own)
    assert lifted.stdout == f"may be stored again: {url}\n"
    assert copydesk("forget", "--list", "--db", own).stdout == "nothing was forgotten\n"
    assert "stored 1" in copydesk("ingest", str(record), "--db", own).stderr


def test_the_articles_of_a_site_are_counted_before_they_are_deleted(copydesk: Run, own: str) -> None:
    site = "tessaryobserver.example"
    count = sum(a["site"] == site for a in articles(copydesk, own))
    assert count
    dry = copydesk("forget", "--site", site, "--dry-run", "--db", own)
    assert dry.returncode == 0
    assert f"{site}: {count}" in dry.stderr
    assert "copies stay at other addresses" in dry.stderr
    assert copydesk("forget", "--site", f"https://www.{site}/", "--yes", "--db", own).returncode == 0
    left = articles(copydesk, own)
    assert left
    assert all(a["site"] != site for a in left)


@pytest.fixture
def sites_file(tmp_path: Path) -> str:
    path = tmp_path / "sites.toml"
    entry = """
        [sites.tessary]
        homepage = "https://www.tessaryobserver.example/"
        allowed_hosts = ["tessary.example"]
        feeds = ["https://www.tessaryobserver.example/rss.xml"]
    """
    path.write_text(entry)
    return str(path)


def test_a_site_of_the_sites_file_is_forgotten_by_its_key(copydesk: Run, own: str, sites_file: str) -> None:
    def tombstones() -> list[str]:
        found = json.loads(copydesk("forget", "--list", "--json", "--db", own).stdout)
        return sorted(stone["value"] for stone in found)

    near = copydesk("forget", "--site", "tesary", "--sites", sites_file, "--yes", "--db", own)
    assert (near.returncode, "did you mean tessary?" in near.stderr, tombstones()) == (2, True, [])
    done = copydesk("forget", "--site", "tessary", "--sites", sites_file, "--yes", "--db", own)
    assert done.returncode == 0, done.stderr
    assert "0 articles" not in done.stdout
    assert tombstones() == ["tessary.example", "tessaryobserver.example"]
    assert all(a["site"] != "tessaryobserver.example" for a in articles(copydesk, own))
    again = copydesk("forget", "--site", "tessaryobserver.example", "--yes", "--db", own)
    assert (again.returncode, again.stdout) == (0, "nothing of it was stored; it is kept out from now on\n")
    assert (
        copydesk("forget", "--undo", "--site", "tessary", "--sites", sites_file, "--db", own).returncode == 0
    )
    assert tombstones() == []


def test_a_site_of_which_nothing_is_stored_is_kept_out_if_asked(copydesk: Run, own: str) -> None:
    site = "never.invalid"
    done = copydesk("forget", "--site", site, "--unseen", "--yes", "--db", own)
    assert (done.returncode, done.stdout) == (0, "nothing of it was stored; it is kept out from now on\n")
    record = json.dumps({"url": f"www.{site}/news/1", "text": "The ferry to Norhaven runs again. " * 20})
    assert "rejected, forgotten: 1" in copydesk("ingest", "-", "--db", own, stdin=record).stderr


@pytest.mark.parametrize(("answer", "left"), [("y", 0), ("", 1)])
def test_on_a_terminal_it_asks(own: str, copydesk: Run, answer: str, left: int) -> None:
    first = articles(copydesk, own)[0]["id"]
    assert b"Delete this for good?" in _answered(answer, str(first), own)
    assert sum(a["id"] == first for a in articles(copydesk, own)) == left


@pytest.mark.parametrize(("answer", "stones"), [("y", 1), ("", 0)])
def test_what_is_not_stored_is_asked_about_in_its_own_words(
    own: str, copydesk: Run, answer: str, stones: int
) -> None:
    said = _answered(answer, "https://tessaryobserver.example/mistyped", own)
    assert b"Nothing of it is stored. Keep it out all the same?" in said
    assert len(json.loads(copydesk("forget", "--list", "--json", "--db", own).stdout)) == stones


def _answered(answer: str, which: str, url: str) -> bytes:
    """What `copydesk forget` says on a terminal where somebody answers its question."""
    here, there = pty.openpty()
    process = forked.Started([sys.executable, "-m", "copydesk", "forget", which, "--db", url], terminal=there)
    os.close(there)
    os.write(here, f"{answer}\n".encode())
    said = b""
    try:
        while chunk := os.read(here, 4096):
            said += chunk
    except OSError:  # Linux reports the end of a terminal like this
        pass
    os.close(here)
    assert process.wait(timeout=PATIENCE) == 0
    return said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["forget"], "nothing to forget"),
        (["forget", "--list", "1"], "leave out the other arguments"),
        (["forget", "nowhere.html"], "no article 'nowhere.html' here"),
        (["forget", "--undo", "https://a.example/1"], "no such tombstone"),
        (["forget", "--site", "tessaryobservr.example", "--yes"], "did you mean tessaryobserver.example?"),
        (
            ["forget", "--site", "tessaryobservr.example", "--dry-run"],
            "did you mean tessaryobserver.example?",
        ),
        (["forget", "--site", "nothing.invalid", "--yes"], "nothing of nothing.invalid is stored"),
    ],
)
def test_mistakes_are_explained(copydesk: Run, news_url: str, arguments: list[str], said: str) -> None:
    done = copydesk(*arguments, "--db", news_url)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
