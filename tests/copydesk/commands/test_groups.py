"""`copydesk groups`: the copies of a story, with the evidence for each."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from storage import reader
from storage.database import open_database
from tests.copydesk.conftest import Run


def _groups(copydesk: Run, url: str, *options: str) -> list[dict[str, Any]]:
    """What --json prints: one group a line."""
    done = copydesk("groups", "--db", url, "--json", *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_groups_show_their_members_and_the_evidence(copydesk: Run, news_url: str) -> None:
    said = copydesk("groups", "--db", news_url).stdout
    assert re.search(r"group \d+ · \d+ copies on \d+ sites · Reuters", said)
    assert re.search(r"partial, \d+% contained", said)
    listed = _groups(copydesk, news_url)
    for group in listed:
        assert group["size"] == len(group["members"]) >= 2
        canonical = [m for m in group["members"] if m["is_canonical"]]
        assert [m["id"] for m in canonical] == [group["canonical_article_id"]]
        assert all(m["copy"] for m in group["members"] if not m["is_canonical"])
        assert all(m["text"].strip() for m in group["members"])


def test_one_group_by_its_id(copydesk: Run, news_url: str) -> None:
    (first,) = _groups(copydesk, news_url, "--limit", "1", "--no-text")
    (again,) = _groups(copydesk, news_url, str(first["id"]), "--no-text")
    pairs = again.pop("pairs")
    assert again == first
    assert not any("text" in member for member in first["members"])
    assert len(pairs) >= first["size"] - 1
    assert all(pair["is_candidate"] and pair["judgement"]["refusal"] is None for pair in pairs)
    assert copydesk("groups", "999999", "--db", news_url).returncode == 2


def test_a_group_shows_what_each_copy_added_and_dropped(copydesk: Run, tmp_path: Path) -> None:
    lead = "The ferry ran aground off Port Alba on Tuesday with 214 people aboard, the coast guard said. "
    middle = "Nobody was hurt, and “the hull is sound,” the captain told reporters on the pier. "
    end = "The line carried 9.8 million passengers last year, 12.5 per cent more than the year before."
    local = "Anna Sundh of Brightwater was on her way to the market in Gull Point. "
    texts = {
        "08:00": lead + middle + end,
        "09:00": lead + middle.replace("“", '"').replace("”", '"'),
        "22:00": lead.replace("214", "219") + local + middle + end.replace("12.5 per cent", "12,5%"),
    }
    path = tmp_path / "copies.jsonl"
    with path.open("w") as file:
        for hour, text in texts.items():
            url = f"https://outlet{hour[:2]}.example/ferry"
            at = f"2024-05-14T{hour}:00Z"
            file.write(
                json.dumps({"url": url, "title": "Ferry aground", "text": text, "published_at": at}) + "\n"
            )
    db = f"sqlite:///{tmp_path}/a.db"
    assert copydesk("ingest", str(path), "--db", db).returncode == 0
    said = copydesk("groups", "1", "--db", db).stdout
    assert "\x1b" not in said
    canonical, cut, localised, why = re.split(r"\n\n", said.strip())[1:]
    assert "outlet08.example" in canonical
    assert "the canonical copy" in canonical
    assert re.search(r"outlet09\.example · \d+ words · partial · \d\d% similar · 100% contained", cut)
    assert cut.splitlines()[-1] == f"    - {end}"
    assert "2 sentences the same, 1 dropped" in cut
    heading, _, *pairs, note = why.splitlines()
    assert heading == "why each pair was joined"
    assert re.match(
        r"1 and 2  partial  100% \(\d+%\) +100% \(80%\) +0 of \d+ +1.0 hours +\d+ +\d+ of 48", pairs[0]
    )
    assert len(pairs) == 3
    assert "copydesk groups --why 1 2" in note
    assert "+ Anna Sundh of Brightwater" in localised
    assert "~ The ferry ran aground off Port Alba on Tuesday with [-214-] {+219+} people aboard" in localised
    assert "12,5%" not in localised, "another style of figures is no change"
    (found,) = _groups(copydesk, db, "1")
    kinds = [[c["kind"] for c in (m["sentences"] or {"changes": []})["changes"]] for m in found["members"]]
    assert kinds == [[], ["dropped"], ["changed", "added"]]
    assert found["members"][2]["sentences"]["changes"][0]["figures"] is True
    brief = copydesk("groups", "1", "--db", db, "--no-text").stdout
    assert "Anna Sundh" not in brief
    assert "Anna Sundh" not in copydesk("groups", "--db", db).stdout


def test_why_two_articles_are_copies_or_not(copydesk: Run, news_url: str) -> None:
    first, second, *_ = _groups(copydesk, news_url)
    one, other = (str(member["id"]) for member in first["members"][:2])
    stranger = str(second["members"][0]["id"])
    said = copydesk("groups", "--why", one, other, "--db", news_url).stdout
    assert said.splitlines()[0] in (f"{one} and {other} are copies", f"{other} and {one} are copies")
    assert re.search(
        r"index +candidates: neighbours in (\d+ \w+ bands?(, | and )?)+, \d+ of 48 values agree", said
    )
    assert re.search(r"containment +\d+% of the shorter text is in the longer, \d+% needed", said)
    assert {line.split()[0] for line in said.splitlines()[1:3]} == {one, other}
    assert str(first["members"][0]["title"]) in said
    said = copydesk("groups", "--why", one, stranger, "--db", news_url).stdout
    assert "are no copies: too little of the shorter text is in the longer" in said
    assert "no candidates, so never compared" in said
    found = json.loads(copydesk("groups", "--why", one, stranger, "--db", news_url, "--json").stdout)
    assert {str(found["article_id"]), str(found["other_id"])} == {one, stranger}
    assert (found["stored"], found["is_candidate"]) == (None, False)


def test_why_needs_two_articles(copydesk: Run, news_url: str) -> None:
    for ids, said in ((("1", "1"), "compares two articles"), (("1", "999999"), "no article 999999 here")):
        done = copydesk("groups", "--why", *ids, "--db", news_url)
        assert done.returncode == 2
        assert said in done.stderr


def test_the_question_of_the_day(copydesk: Run, news_url: str) -> None:
    """Filters choose as SQL does, on times that people write."""

    def ids(*options: str) -> list[int]:
        return [group["id"] for group in _groups(copydesk, news_url, "--limit", "100", *options)]

    engine = open_database(news_url, create=False)
    every = list(reader.groups(engine))
    assert set(ids()) == {group.id for group in every}
    assert set(ids("--min-sites", "2")) == {group.id for group in every if group.sites >= 2}
    spread = [group.sites for id in ids("--sort", "spread") if (group := reader.group(engine, id))]
    assert spread == sorted(spread, reverse=True)
    site = "tessaryobserver.example"
    carried = {one.group_id for one in reader.articles(engine, reader.ArticleFilter(sites=(site,)))}
    for spelt in (site, f"www.{site}", f"https://{site.upper()}/"):
        assert set(ids("--site", spelt, "--min-size", "1")) == carried
    assert set(ids("--agency", "Reuters")) < set(ids())
    assert ids("--language", "EN") == ids("--language", "en") != []
    assert ids("--since", "2h") == ids("--until", "1990-01-01") == []
    assert ids("--since", "1990-01-01", "--until", "today") == ids()
    assert ids("--sort", "newest") != []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--site", "tessaryobservr.example"], "did you mean tessaryobserver.example?"),
        (["--since", "soon"], "is no time: write"),
        (["--sort", "colour"], "write one of newest, size, spread"),
    ],
)
def test_what_cannot_be_asked_is_said(copydesk: Run, news_url: str, options: list[str], said: str) -> None:
    done = copydesk("groups", "--db", news_url, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
