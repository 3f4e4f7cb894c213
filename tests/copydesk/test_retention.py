"""`prune` and `forget` as they are typed: they tell first, ask, and say what they did."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from copydesk.amounts import parse_age, parse_size, shown_size
from pipeline.errors import OperatorError
from tests.copydesk.conftest import Run


@pytest.fixture
def own(base: str, tmp_path: Path) -> str:
    """A copy of the base, to be changed."""
    shutil.copyfile(base.removeprefix("sqlite:///"), tmp_path / "own.db")
    return f"sqlite:///{tmp_path / 'own.db'}"


def articles(copydesk: Run, url: str) -> list[dict[str, object]]:
    lines = copydesk("export", "-", "--format", "jsonl", "--db", url).stdout.splitlines()
    return [json.loads(line) for line in lines]


def test_prune_tells_and_drops_only_what_is_said(copydesk: Run, own: str) -> None:
    dry = copydesk("prune", "--keep-size", "20kB", "--dry-run", "--db", own)
    assert dry.returncode == 0
    assert "pages would be dropped" in dry.stderr
    asked = copydesk("prune", "--keep-size", "20kB", "--db", own)
    assert (asked.returncode, asked.stderr.splitlines()[-1]) == (
        2,
        "copydesk: nothing was changed: there is no terminal to ask on, so give --yes",
    )
    before = articles(copydesk, own)
    told = json.loads(copydesk("prune", "--keep-size", "20kB", "--dry-run", "--json", "--db", own).stdout)
    done = copydesk("prune", "--keep-size", "20kB", "--yes", "--vacuum", "--json", "--db", own)
    assert done.returncode == 0, done.stderr
    assert "the file had" in done.stderr
    found = json.loads(done.stdout)
    assert found["plan"] == told["plan"]
    assert found["pruned"] == {
        "pages": told["plan"]["pages"],
        "size": told["plan"]["size"],
        "is_interrupted": False,
    }
    assert 0 < found["plan"]["kept_size"] <= 20_000
    assert found["space"]["free"] == 0
    assert articles(copydesk, own) == before
    again = copydesk("prune", "--keep-size", "20kB", "--db", own)
    assert (again.returncode, "nothing to prune" in again.stderr) == (0, True)


def test_who_looks_at_a_pruned_article_is_told(copydesk: Run, own: str) -> None:
    assert "pruned" not in copydesk("show", "1", "--db", own).stdout
    done = copydesk("prune", "--older-than", "0d", "--yes", "--db", own)
    assert "--vacuum makes it smaller" in done.stderr
    assert "pages dropped" in done.stdout
    assert "page  pruned" in copydesk("show", "1", "--db", own).stdout
    assert json.loads(copydesk("show", "1", "--json", "--db", own).stdout)["page_pruned"] is True


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["prune"], "nothing to do"),
        (["prune", "--older-than", "90"], "'90' is not an age"),
        (["prune", "--older-than", "9999y"], "there were no pages then"),
        (["prune", "--keep-size", "5"], "'5' is not a size"),
        (["forget"], "nothing to forget"),
        (["forget", "--list", "1"], "leave out the other arguments"),
        (["forget", "nowhere.html"], "no article 'nowhere.html' here"),
        (["forget", "--undo", "https://a.example/1"], "no such tombstone"),
    ],
)
def test_mistakes_are_explained(copydesk: Run, base: str, arguments: list[str], said: str) -> None:
    done = copydesk(*arguments, "--db", base)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_forget_takes_out_and_keeps_out(copydesk: Run, own: str, tmp_path: Path) -> None:
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


def test_a_whole_site_is_counted_before_it_goes(copydesk: Run, own: str) -> None:
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


@pytest.mark.parametrize(("answer", "left"), [("y", 0), ("", 1)])
def test_on_a_terminal_it_asks(own: str, copydesk: Run, answer: str, left: int) -> None:
    first = articles(copydesk, own)[0]["id"]
    here, there = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "copydesk", "forget", str(first), "--db", own],
        stdin=there,
        stdout=there,
        stderr=there,
        close_fds=True,
    )
    os.close(there)
    os.write(here, f"{answer}\n".encode())
    said = b""
    try:
        while chunk := os.read(here, 4096):
            said += chunk
    except OSError:  # how a terminal ends on Linux
        pass
    assert process.wait(timeout=600) == 0
    assert b"Delete this for good?" in said
    assert sum(a["id"] == first for a in articles(copydesk, own)) == left


def test_ages_and_sizes() -> None:
    assert [parse_age(t).total_seconds() / 3600 for t in ("36h", "90d", "2 w", "1Y")] == [36, 2160, 336, 8760]
    sizes = [parse_size(t) for t in ("800MB", "5GB", "0.5 tb", "5GiB", "2k", "12B")]
    assert sizes == [800_000_000, 5_000_000_000, 500_000_000_000, 5 << 30, 2000, 12]
    for text in ("", "d", "-1d", "90", "3m", "1e3d"):
        with pytest.raises(OperatorError, match="is not an age"):
            parse_age(text)
    for text in ("", "GB", "-1GB", "5", "5XB", "5 G B"):
        with pytest.raises(OperatorError, match="is not a size"):
            parse_size(text)
    shown = [shown_size(n) for n in (0, 999, 1000, 1_234_567, 5_000_000_000)]
    assert shown == ["0 bytes", "999 bytes", "1.0 kB", "1.2 MB", "5.0 GB"]
