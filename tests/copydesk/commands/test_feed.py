"""`copydesk feed`: feeds on standard output, and their tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from copydesk.cli import app
from pipeline.errors import OperatorError
from storage.database import open_database
from storage.watching import Rule, add_watchlist, find_feed_token
from tests.copydesk.feeds.validity import read_atom, read_json, read_rss
from tests.storage.news import START, article, store, story


@pytest.fixture
def db(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/news.db"
    engine = open_database(url)
    store(
        engine,
        [
            article("https://a.example/1", story(1), START, title="Ferry", agency="Reuters"),
            article("https://b.example/1", story(1), START, title="Ferry"),
            article("https://a.example/2", f"{story(2)}\nZeppelin.", START, title="Airship", language="de"),
        ],
    )
    add_watchlist(engine, Rule("ships", min_sites=2), datetime.now(UTC))
    engine.dispose()
    return url


def run(db: str, *args: str) -> Result:
    return CliRunner().invoke(app, ["feed", *args, *(["--db", db] if db else [])])


def titles(db: str, *args: str) -> list[str]:
    done = run(db, *args)
    assert done.exit_code == 0, done.exception
    return [entry.title for entry in read_atom(done.stdout_bytes).entries]


def test_the_stories_that_are_asked_for_are_printed(db: str) -> None:
    assert set(titles(db)) == set(titles(db, "print")) == {"Ferry", "Airship"}
    assert titles(db, "zeppelin") == titles(db, "print", "zeppelin") == ["Airship"]
    assert titles(db, "--site", "b.example") == titles(db, "--min-sites", "2") == ["Ferry"]
    assert titles(db, "--agency", "Reuters", "--language", "en") == ["Ferry"]
    assert titles(db, "--watchlist", "ships") == ["Ferry"]
    assert len(titles(db, "--limit", "1")) == 1
    assert titles(db, "print", "token") == []  # a word to look for, and no command


def test_each_format_is_printed(db: str) -> None:
    rss = read_rss(run(db, "zeppelin", "--format", "rss", "--full-text").stdout_bytes)
    assert "<p>Zeppelin.</p>" in rss.entries[0].summary
    made = read_json(run(db, "--format", "json", "--desk", "https://desk.example").stdout_bytes)
    assert made["home_page_url"] == "https://desk.example/"
    assert made["items"][0]["_copydesk"]["page"].startswith("https://desk.example/stories/")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--format", "xml"), "format xml: write one of atom, rss, json"),
        (("--watchlist", "ships", "ferry"), "a watchlist says itself what it looks for"),
        (("--watchlist", "boats"), "boats"),
        (("--site", "b.exampel"), "did you mean b.example?"),
        (("--limit", "501"), "1 to 500 entries"),
        (("--", "-- ()"), "nothing to look for"),
        (("token", "revoke", "x"), "no token 'x'"),
        (("token", "add", " "), "1 to 200 characters"),
    ],
)
def test_a_mistake_is_one_line(db: str, args: tuple[str, ...], says: str) -> None:
    done = CliRunner().invoke(app, ["feed", *args], env={"COPYDESK_DB": db})
    assert isinstance(done.exception, OperatorError)
    assert says in str(done.exception)
    assert "\n" not in str(done.exception)
    assert done.stdout == ""


def test_tokens_are_made_listed_and_revoked(db: str) -> None:
    assert run(db, "token", "list").stdout.startswith("There are no tokens")
    made = run(db, "token", "add", "ada's reader")
    (secret,) = made.stdout.splitlines()
    engine = open_database(db, create=False)
    assert find_feed_token(engine, secret) is not None
    listed = run(db, "token", "list").stdout
    assert "ada's reader" in listed
    assert secret not in listed
    assert secret not in run(db, "token", "list", "--json").stdout
    again = run(db, "token", "add", "ada's reader")
    assert "revoke it first" in str(again.exception)
    assert run(db, "token", "revoke", "ada's reader").exit_code == 0
    assert find_feed_token(engine, secret) is None
    engine.dispose()


def test_the_help_names_both() -> None:
    help = CliRunner().invoke(app, ["feed", "--help"]).stdout
    assert "print" in help
    assert "token" in help
