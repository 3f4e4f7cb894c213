"""What the command line says of stories of several copies: found by any copy, read in one, told by all."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.copydesk.conftest import Run
from tests.storage.news import START, cut, story

FERRY, BUDGET, STORM = (story(n) for n in (1, 2, 3))
LOCAL = "A zeppelin of the Gull Point museum flew over the pier while the crowd waited.\nIts pilot waved."

# By URL: hours after the first copy, text. One outlet in three credits the agency of the ferry's story, in
# three ways: a dateline, a byline, its own host. The fullest of the first hours credits none.
WORLD = {
    "https://gazette.example/ferry": (0, f"PORT ALBA (Reuters) — {cut(FERRY, 0.6)}"),
    "https://tribune.example/ferry": (3, FERRY),
    "https://courier.example/ferry": (30, f"By Ada Lind, Reuters\n{FERRY}\n{LOCAL}"),
    # The agency's own is the one to read, though it is later than a copy and not longer.
    "https://gazette.example/budget": (0, f"PORT ALBA (AP) — {BUDGET}"),
    "https://apnews.com/budget": (2, BUDGET),
    # The agency's own is a stub.
    "https://apnews.com/storm": (0, cut(STORM, 0.3)),
    "https://tribune.example/storm": (1, f"PORT ALBA (AP) — {STORM}"),
}


@pytest.fixture
def world_url(database_url: str, tmp_path: Path, copydesk: Run) -> str:
    """URL of a database of the stories, on SQLite and on PostgreSQL."""
    path = tmp_path / "world.jsonl"
    with path.open("w") as file:
        for url, (hours, text) in WORLD.items():
            at = (START - timedelta(days=3) + timedelta(hours=hours)).isoformat()
            title = f"What the council heard of the {url.rpartition('/')[2]}"
            file.write(json.dumps({"url": url, "title": title, "text": text, "published_at": at}) + "\n")
    done = copydesk("ingest", str(path), "--db", database_url)
    assert done.returncode == 0, done.stderr
    return database_url


def test_stories_through_the_command_line(copydesk: Run, world_url: str) -> None:
    def said(*arguments: str) -> str:
        done = copydesk(*arguments, "--db", world_url)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def found(*arguments: str) -> set[str]:
        return {hit["url"] for hit in json.loads(said("search", *arguments, "--json"))}

    groups = [json.loads(line) for line in said("groups", "--json", "--no-text").splitlines()]
    assert sorted(group["size"] for group in groups) == [2, 2, 3]
    urls = {member["id"]: member["url"] for group in groups for member in group["members"]}
    to_read = {urls[group["canonical_article_id"]]: group["agency"] for group in groups}
    assert to_read == {
        "https://tribune.example/ferry": "Reuters",
        "https://apnews.com/budget": "AP",
        "https://tribune.example/storm": "AP",
    }
    exported = said("export", "-", "--format", "jsonl", "--unique").splitlines()
    assert {json.loads(line)["url"] for line in exported} == set(to_read)

    assert found("zeppelin", "--unique") == {"https://courier.example/ferry"}
    assert found("council", "--limit", "100") == set(WORLD)
    assert found("council", "--unique") == set(to_read)
    assert json.loads(said("search", "council", "--unique", "--count", "--json")) == {"count": 3}
    assert json.loads(said("search", "zeppelin", "--unique", "--count", "--json")) == {"count": 1}
