"""Feeds for files: the same from a program and from the command."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from typer.testing import CliRunner

import copydesk
from copydesk.cli import app
from pipeline.errors import OperatorError
from storage.database import open_database
from tests.copydesk.feeds.validity import read_atom, read_json, read_rss
from tests.storage.news import START, article, store, story


@pytest.fixture
def db(database_url: str) -> str:
    engine = open_database(database_url)
    store(
        engine,
        [
            article("https://a.example/1", story(1), START, title="Ferry", agency="Reuters"),
            article("https://b.example/1", story(1), START, title="Ferry"),
            article(
                "https://a.example/2", f"{story(2)}\nZeppelin.", START + timedelta(days=2), title="Airship"
            ),
        ],
    )
    engine.dispose()
    return database_url


def test_a_program_gets_the_bytes_that_the_command_prints(db: str) -> None:
    with copydesk.open(db) as opened:
        opened.watchlists.add("ships", min_sites=2)
        for options, args in (
            ({}, ()),
            ({"query": "zeppelin", "format": "rss", "full_text": True}, ("zeppelin", "--full-text")),
            ({"format": "json", "watchlist": "ships"}, ("--watchlist", "ships")),
            ({"site": "b.example", "agency": "Reuters"}, ("--site", "b.example", "--agency", "Reuters")),
            (
                {"limit": 1, "desk": "https://desk.example"},
                ("--limit", "1", "--desk", "https://desk.example"),
            ),
        ):
            command = ["feed", *args, "--db", db, "--format", str(options.get("format", "atom"))]
            done = CliRunner().invoke(app, command)
            assert done.exit_code == 0, done.exception
            assert opened.feed(**options) == done.stdout_bytes


def test_a_program_asks_for_stories_by_words_and_times(db: str) -> None:
    with copydesk.open(db) as opened:
        assert [entry.title for entry in read_atom(opened.feed("zeppelin")).entries] == ["Airship"]
        assert [entry.title for entry in read_rss(opened.feed(format="rss")).entries] == ["Airship", "Ferry"]
        found = read_json(opened.feed(format="json", min_sites=2))
        assert [item["title"] for item in found["items"]] == ["Ferry"]
        # Without a zone it is UTC.
        for since in (START + timedelta(hours=1), (START + timedelta(hours=1)).replace(tzinfo=None)):
            assert [entry.title for entry in read_atom(opened.feed(since=since)).entries] == ["Airship"]
        zone = timezone(timedelta(hours=5))
        until = (START + timedelta(minutes=1)).astimezone(zone)
        assert [entry.title for entry in read_atom(opened.feed(until=until)).entries] == ["Ferry"]
        assert read_atom(opened.feed(since=datetime.now(UTC) + timedelta(days=1))).entries == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"format": "xml"}, "format xml: write one of atom, rss, json"),
        ({"watchlist": "boats"}, "boats"),
        ({"watchlist": "boats", "min_sites": 2}, "give it alone"),
        ({"site": "b.exampel"}, r"did you mean b\.example"),
        ({"limit": 0}, "1 to 500 entries"),
        ({"query": "-- ()"}, "nothing to look for"),
        ({"since": "soon"}, "soon"),
    ],
)
def test_a_program_is_told_of_a_mistake(db: str, options: dict[str, object], says: str) -> None:
    with copydesk.open(db) as opened, pytest.raises(OperatorError, match=says):
        opened.feed(**options)  # type: ignore[arg-type]
