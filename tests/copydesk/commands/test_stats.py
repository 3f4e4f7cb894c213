"""`copydesk stats`: the counts of a database, the last crawl of each site, and one site over time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from copydesk.cli import app
from storage.database import open_database
from tests.copydesk.conftest import Run
from tests.storage.past import remember

NOW = datetime.now(UTC).replace(microsecond=0)
ALERT = {"figure": "words", "was": 400.0, "now": 60.0, "message": "its new articles have 60 words (median)"}


@pytest.fixture
def stored(database_url: str) -> str:
    """URL of a database with two sites: one that was crawled daily and has short articles now, and a new
    one.
    """
    engine = open_database(database_url)
    fill(engine)
    engine.dispose()
    return database_url


def fill(engine: Engine) -> None:
    for days in range(9, 0, -1):
        remember(
            engine,
            NOW - timedelta(days=days),
            "gazette",
            stored=10,
            discovered=30,
            words=400.0,
            without_date=1,
            bytes=1_000_000,
            seconds=12.5,
            alerts=[],
        )
    remember(
        engine,
        NOW,
        "gazette",
        stored=2,
        discovered=30,
        rejected=8,
        reasons={"error page": 7, "no article": 1},
        words=60.0,
        without_date=2,
        alerts=[ALERT],
    )
    remember(engine, NOW, "po[st]", stored=1, words=300.0, ended=None)


def stats(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["stats", "--db", url, *arguments], env={"COLUMNS": "300"})


def test_each_site_is_shown_beside_its_own_history(stored: str) -> None:
    done = stats(stored, "--sites")
    assert done.exit_code == 0, done.output
    head, gazette, post, _, *alerts = done.output.splitlines()
    assert head.split()[:2] == ["site", "last"]
    assert gazette.split()[:4] == ["gazette", f"{NOW:%Y-%m-%d}", f"{NOW:%H:%M}", "finished"]
    # discovered, fetched, 304, stored, revised, rejected, words, no date, no author, size, time, crawls
    figures = "30 0 0 2↓ 0 8↑ 60↓ 100%↑ 0% 0 bytes↓ 0.0 s↓ 10"
    assert gazette.split()[4:] == [*figures.split(), "▁▁▁▁█████████▂"]
    assert post.split()[0] == "po[st]"
    assert alerts == ["gazette: words: its new articles have 60 words (median)"]


def test_one_site_is_shown_over_time(stored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = stats(stored, "--site", "gazette")
    assert done.exit_code == 0, done.output
    head, *rows = done.output.splitlines()
    assert head.split()[0] == "run"
    assert rows[0].split()[0] == "10"
    assert "error page 7, no article 1" in rows[0]
    assert [row.split()[0] for row in rows[:10]] == [str(number) for number in range(10, 0, -1)]
    assert "median of the crawls before the last: discovered 30, fetched 0, stored 10" in done.output

    sites = tmp_path / "sites.toml"
    sites.write_text(
        '[sites.gazette]\nhomepage = "https://www.gazette.example/"\nsitemaps = ["https://gazette.example/s.xml"]'
    )
    monkeypatch.setenv("COPYDESK_SITES", str(sites))
    assert stats(stored, "--site", "https://www.Gazette.example").output == done.output
    assert "in the last 28 days" not in done.output
    wrong = stats(stored, "--site", "gazete")
    assert wrong.exit_code != 0
    assert "did you mean gazette?" in str(wrong.exception)


def test_json_output_has_all_values(stored: str) -> None:
    gazette, post = json.loads(stats(stored, "--sites", "--json").output)["sites"]
    assert (gazette["site"], gazette["runs"], gazette["alerts"]) == ("gazette", 10, [ALERT])
    assert (gazette["last"]["stored"], gazette["usual"]["stored"]) == (2, 10.0)
    assert gazette["usual"]["without_date"] == 0.1
    assert gazette["stored_by_day"][-3:] == [10, 10, 2]
    assert (post["usual"]["stored"], post["last"]["ended"]) == (None, None)
    found = json.loads(stats(stored, "--site", "gazette", "--json").output)
    assert [run["stored"] for run in found["runs"]] == [2, *[10] * 9]


def test_a_database_without_crawls_is_reported(database_url: str) -> None:
    assert stats(database_url, "--sites").output == "no crawl in the last weeks\n"


def test_stats_counts_agree_with_the_views(copydesk: Run, news_url: str) -> None:
    found = json.loads(copydesk("stats", "--db", news_url, "--json", "--rejections").stdout)
    exported = copydesk("export", "-", "--db", news_url).stdout.splitlines()
    assert found["counts"]["articles"] == len(exported)
    (rejected,) = found["rejections"]
    assert rejected["location"].endswith("politics.html")
    assert found["runs"][-1]["command"].startswith("copydesk ingest ")
    assert rejected["detail"] in copydesk("stats", "--db", news_url, "--rejections").stdout
