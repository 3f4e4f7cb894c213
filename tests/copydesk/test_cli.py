"""The command line as scripts and people meet it."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from pipeline.settings import Settings
from tests.copydesk.conftest import NEWS, Run

FERRY = "copied/ferry-stranded.txt"


def test_help_names_every_command(copydesk: Run) -> None:
    said = copydesk("--help").stdout
    for command in ("ingest", "crawl", "reprocess", "groups", "show", "stats", "extract", "export", "db"):
        assert re.search(rf"\b{command}\b", said), command


@pytest.mark.parametrize(
    "command", ["ingest", "crawl", "reprocess", "groups", "show", "stats", "extract", "export"]
)
def test_every_command_explains_itself(copydesk: Run, command: str) -> None:
    said = copydesk(command, "--help")
    assert said.returncode == 0
    assert len(said.stdout) > 300


def test_an_unknown_option_is_a_usage_error(copydesk: Run) -> None:
    assert copydesk("stats", "--colour").returncode == 2


@pytest.mark.parametrize(
    "args",
    [
        ("ingest", "no/such/folder"),
        ("stats", "--db", "sqlite:///no-such.db"),
        ("stats", "--db", "oracle://somewhere"),
        ("extract", "no-such-page.html"),
        ("crawl", "no-such-site"),
        ("export", "articles.xml"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    copydesk: Run, tmp_path: Path, args: tuple[str, ...]
) -> None:
    done = copydesk(*args, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("copydesk: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_ingest_again_stores_nothing_and_says_so(copydesk: Run, base: str) -> None:
    done = copydesk("ingest", str(NEWS / "tessaryobserver.example"), "--db", base, "--json")
    counts = json.loads(done.stdout)["counts"]
    assert counts["seen"] == counts["unchanged"] > 5
    assert counts["stored"] == counts["revised"] == counts["updated"] == 0


def test_no_progress_bar_and_no_colour_in_a_pipe(copydesk: Run, tmp_path: Path) -> None:
    done = copydesk("ingest", str(NEWS / "copied"), "--db", f"sqlite:///{tmp_path}/a.db")
    assert "\x1b" not in done.stdout + done.stderr
    assert "stored 2" in done.stderr


def test_jsonl_on_standard_input(copydesk: Run, tmp_path: Path) -> None:
    record = {
        "url": "https://gazette.example/a",
        "title": "Bridge opens",
        "text": "The bridge over the Wend opened to traffic on Monday after two years of repairs.",
    }
    done = copydesk("ingest", "-", "--db", f"sqlite:///{tmp_path}/a.db", "--json", stdin=json.dumps(record))
    assert json.loads(done.stdout)["counts"]["stored"] == 1


def test_groups_show_their_members_and_the_evidence(copydesk: Run, base: str) -> None:
    said = copydesk("groups", "--db", base).stdout
    assert re.search(r"group \d+ · \d+ copies on \d+ sites · Reuters", said)
    assert re.search(r"partial, \d+% contained", said)
    listed = json.loads(copydesk("groups", "--db", base, "--json").stdout)
    for group in listed:
        assert group["size"] == len(group["members"]) >= 2
        canonical = [m for m in group["members"] if m["is_canonical"]]
        assert [m["id"] for m in canonical] == [group["canonical_article_id"]]
        assert all(m["copy"] for m in group["members"] if not m["is_canonical"])


def test_one_group_by_its_id(copydesk: Run, base: str) -> None:
    first = json.loads(copydesk("groups", "--db", base, "--json", "--limit", "1").stdout)[0]
    again = json.loads(copydesk("groups", str(first["id"]), "--db", base, "--json", "--no-text").stdout)
    assert again == [first]
    assert copydesk("groups", "999999", "--db", base).returncode == 2


def test_a_group_shows_what_each_copy_added_and_dropped(copydesk: Run, tmp_path: Path) -> None:
    lead = "The ferry ran aground off Port Alba on Tuesday with 214 people aboard, the coast guard said. "
    middle = "Nobody was hurt, and “the hull is sound,” the captain told reporters on the pier. "
    end = "The line carried 9.8 million passengers last year, 12.5 per cent more than the year before."
    local = "Anna Sundh of Brightwater was on her way to the market in Gull Point. "
    texts = {
        "08:00": lead + middle + end,
        "09:00": lead + middle.replace("“", '"').replace("”", '"'),
        "10:00": lead.replace("214", "219") + local + middle + end.replace("12.5 per cent", "12,5%"),
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
    canonical, cut, localised = re.split(r"\n\n", said.strip())[1:]
    assert "outlet08.example" in canonical
    assert "the canonical copy" in canonical
    assert re.search(r"outlet09\.example · \d+ words · partial · \d\d% similar · 100% contained", cut)
    assert cut.splitlines()[-1] == f"    - {end}"
    assert "2 sentences the same, 1 dropped" in cut
    assert "+ Anna Sundh of Brightwater" in localised
    assert "~ The ferry ran aground off Port Alba on Tuesday with [-214-] {+219+} people aboard" in localised
    assert "12,5%" not in localised, "another style of figures is no change"
    (found,) = json.loads(copydesk("groups", "1", "--db", db, "--json").stdout)
    kinds = [[c["kind"] for c in (m["sentences"] or {"changes": []})["changes"]] for m in found["members"]]
    assert kinds == [[], ["dropped"], ["changed", "added"]]
    assert found["members"][2]["sentences"]["changes"][0]["figures"] is True
    brief = copydesk("groups", "1", "--db", db, "--no-text").stdout
    assert "Anna Sundh" not in brief
    assert "Anna Sundh" not in copydesk("groups", "--db", db).stdout


def test_show_tells_before_from_after(copydesk: Run, base: str) -> None:
    said = copydesk("show", str(NEWS / FERRY), "--db", base, "--removed").stdout
    went = [line for line in said.splitlines() if line.startswith("- ")]
    assert any("Register now" in line and "[phrase.en.register-now]" in line for line in went)
    assert any("[wire.dateline]" in line for line in went)
    kept = "\n".join(line for line in said.splitlines() if not line.startswith("- "))
    assert "Register now" not in kept
    assert "ran aground on a sandbar" in kept


def test_show_finds_an_article_by_id_url_and_location(copydesk: Run, base: str) -> None:
    by_location = json.loads(copydesk("show", str(NEWS / FERRY), "--db", base, "--json").stdout)
    by_id = json.loads(copydesk("show", str(by_location["id"]), "--db", base, "--json").stdout)
    by_url = json.loads(copydesk("show", by_location["url"], "--db", base, "--json").stdout)
    assert by_url["rules_version"] == Settings().rules_version
    assert by_location == by_id == by_url
    assert by_id["removed"]
    assert copydesk("show", "https://nowhere.example/", "--db", base).returncode == 2


def test_show_says_that_an_article_is_gone_from_its_site(copydesk: Run, base: str, tmp_path: Path) -> None:
    copy = shutil.copy(base.removeprefix("sqlite:///"), tmp_path / "copy.db")
    with sqlite3.connect(copy) as connection:
        connection.execute("UPDATE article SET gone_at = '2026-03-03T10:00:00Z' WHERE id = 8")
    connection.close()
    shown = copydesk("show", "8", "--db", f"sqlite:///{copy}").stdout
    assert "gone  from its site since 2026-03-03 10:00" in shown
    assert "gone" not in copydesk("show", "8", "--db", base).stdout


def test_extract_needs_no_database(copydesk: Run, tmp_path: Path) -> None:
    done = copydesk("extract", str(NEWS / FERRY), "--json", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert found["title"].startswith("Divers find no leak")
    assert "Register now" not in found["text"]
    assert {"position", "rule", "text"} == set(found["removed"][0])
    assert list(tmp_path.iterdir()) == []


def test_export_jsonl_and_csv_agree(copydesk: Run, base: str, tmp_path: Path) -> None:
    for name in ("all.jsonl", "all.csv"):
        done = copydesk("export", str(tmp_path / name), "--db", base)
        assert done.returncode == 0, done.stderr
    from_jsonl = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text("utf-8").splitlines()]
    from_csv = list(csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text("utf-8"))))
    assert [a["title"] for a in from_jsonl] == [a["title"] for a in from_csv]
    assert [a["authors"] for a in from_jsonl] == [json.loads(a["authors"]) for a in from_csv]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["all.csv", "all.jsonl"]


def test_export_of_canonical_copies_and_of_other_views(copydesk: Run, base: str, tmp_path: Path) -> None:
    def rows(*args: str) -> list[dict[str, object]]:
        done = copydesk("export", "-", "--db", base, *args)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    every, unique = rows(), rows("--unique")
    assert 0 < len(unique) < len(every)
    assert all(row["is_canonical"] for row in unique)
    assert len(rows("--view", "story_groups")) == len(unique)
    assert rows("--site", "tessaryobserver.example")
    assert copydesk("export", "-", "--db", base, "--view", "bands").returncode == 2


def test_stats_counts_agree_with_the_views(copydesk: Run, base: str) -> None:
    found = json.loads(copydesk("stats", "--db", base, "--json", "--rejections").stdout)
    exported = copydesk("export", "-", "--db", base).stdout.splitlines()
    assert found["counts"]["articles"] == len(exported)
    (rejected,) = found["rejections"]
    assert rejected["location"].endswith("politics.html")
    assert found["runs"][-1]["command"].startswith("ingest ")
    assert rejected["detail"] in copydesk("stats", "--db", base, "--rejections").stdout


def test_db_upgrade_makes_a_database_and_current_reads_it(copydesk: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    assert copydesk("db", "current", "--db", url).returncode == 2
    assert copydesk("db", "upgrade", "--db", url).returncode == 0
    assert "the newest" in copydesk("db", "current", "--db", url).stdout


def test_reprocess_tells_what_new_rules_change(copydesk: Run, base: str, tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    shutil.copyfile(base.removeprefix("sqlite:///"), path)
    db = f"sqlite:///{path}"
    done = copydesk("reprocess", "--db", db, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["seen"] == 0, "all of it is by today's rules"
    connection = sqlite3.connect(path)
    with connection:
        (changed,) = connection.execute("SELECT min(id) FROM article").fetchone()
        connection.execute("UPDATE article SET rules_version = '0-old'")
        connection.execute("UPDATE document SET rules_version = '0-old'")
        connection.execute("UPDATE rejection SET rules_version = '0-old'")
        connection.execute(
            "UPDATE article SET title = 'Old title', text = 'Register now.' || char(10) || text WHERE id = ?",
            (changed,),
        )
    connection.close()
    articles = json.loads(copydesk("stats", "--db", db, "--json").stdout)["counts"]["articles"]
    dry = copydesk("reprocess", "--db", db, "--dry-run").stdout
    assert f"1 of {articles + 1} pages would change" in dry
    assert re.search(r"text: 1\n  1  \S+\n  \d+ sentences the same, 1 dropped\n    - Register now\.", dry)
    assert re.search(r"title: 1\n  1  \S+\n    Old title → \S", dry)
    assert json.loads(copydesk("show", str(changed), "--db", db, "--json").stdout)["title"] == "Old title"
    real = json.loads(copydesk("reprocess", "--db", db, "--json", "--workers", "2").stdout)
    assert real["changes"]["counts"] == {"text": 1, "title": 1}
    assert real["counts"]["updated"] == 1
    assert json.loads(copydesk("show", str(changed), "--db", db, "--json").stdout)["title"] != "Old title"
    assert json.loads(copydesk("reprocess", "--db", db, "--json").stdout)["counts"]["seen"] == 0
    assert copydesk("reprocess", "--db", db, "--fingerprints", "--site", "a.example").returncode == 2
    said = copydesk("reprocess", "--db", db, "--fingerprints").stdout
    assert said.startswith("0 articles got new fingerprints")
