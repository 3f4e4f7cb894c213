"""`copydesk search` on a terminal, in a pipe, and for scripts."""

from __future__ import annotations

import json

import pytest

from tests.copydesk.conftest import Run


def test_a_search_lists_the_best_first_with_their_snippets(copydesk: Run, news_url: str) -> None:
    done = copydesk("search", '"ran aground" ferry', "--db", news_url, "--limit", "2")

    assert done.returncode == 0
    assert done.stderr == ""
    first, facts, snippet = done.stdout.strip().split("\n\n")[0].splitlines()
    assert "Ferry with 214 aboard runs aground off Port Callan" in first
    assert "group" in facts
    assert "[ran aground]" in snippet
    assert done.stdout.count("group") == 2


def test_json_output_for_scripts(copydesk: Run, news_url: str) -> None:
    done = copydesk("search", "ferry", "aground", "--db", news_url, "--unique", "--json")

    hits = json.loads(done.stdout)
    assert hits
    assert all(hit["score"] > 0 for hit in hits)
    groups = [hit["group_id"] for hit in hits]
    assert len(set(groups)) == len(groups)
    assert {hit["group_id"] for hit in hits} == {
        hit["group_id"]
        for hit in json.loads(copydesk("search", "ferry", "aground", "--db", news_url, "--json").stdout)
    }
    snippet = hits[0]["snippet"]
    start, end = snippet["marks"][0]
    assert snippet["text"][start:end].casefold() in ("ferry", "aground")
    assert "text" not in hits[0]


def test_filters(copydesk: Run, news_url: str) -> None:
    def ids(*options: str) -> set[int]:
        found = json.loads(copydesk("search", "ferry", "--db", news_url, "--json", *options).stdout)
        return {hit["id"] for hit in found}

    everywhere = ids("--limit", "100")
    here = ids("--site", "tessaryobserver.example", "--language", "en")
    assert here < everywhere
    day = ids("--since", "2025-03-04", "--until", "2025-03-04")
    assert day < everywhere
    assert ids("--since", "2025-03-04T00:00:00", "--until", "2025-03-04T23:59:59") == day


def test_nothing_is_found(copydesk: Run, news_url: str) -> None:
    done = copydesk("search", "zeppelin", "--db", news_url)

    assert done.returncode == 0
    assert done.stdout == "No article matches.\n"


@pytest.mark.parametrize("query", ["", "NOT ferry"])
def test_an_empty_query_is_one_line(copydesk: Run, news_url: str, query: str) -> None:
    done = copydesk("search", query, "--db", news_url)

    assert done.returncode == 2
    assert done.stderr.startswith("copydesk: nothing to look for in ")
    assert done.stderr.count("\n") == 1


def test_matches_are_counted(copydesk: Run, news_url: str) -> None:
    found = json.loads(copydesk("search", "the", "--db", news_url, "--json", "--limit", "1000").stdout)
    assert copydesk("search", "the", "--db", news_url, "--count").stdout == f"{len(found)} articles\n"
    unique = json.loads(copydesk("search", "the", "--unique", "--db", news_url, "--count", "--json").stdout)
    assert unique == {"count": len({hit["group_id"] for hit in found})}


def test_a_search_takes_an_agency_and_any_spelling_of_a_site(copydesk: Run, news_url: str) -> None:
    found = json.loads(copydesk("search", "the", "--agency", "Reuters", "--db", news_url, "--json").stdout)
    assert {hit["agency"] for hit in found} == {"Reuters"}
    site = "tessaryobserver.example"
    own = copydesk("search", "the", "--site", site, "--db", news_url, "--count").stdout
    assert copydesk("search", "the", "--site", f"www.{site}", "--db", news_url, "--count").stdout == own != ""
    assert copydesk("search", "the", "--site", "nobody.example", "--db", news_url).returncode == 2
