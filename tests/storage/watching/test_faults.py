"""What cannot be in the tables of watchlists is found, and mended where it follows from other rows."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from storage import writer
from storage.watching import (
    Rule,
    add_watchlist,
    claim,
    find_watch_faults,
    match_news,
    mend_watch_faults,
)
from tests.storage.news import SETTINGS, START, article, store
from tests.storage.upkeep.damage import assert_found_and_repaired, damage


@pytest.fixture
def watched(engine: Engine) -> Engine:
    """A watchlist that matched two articles, of which one is gone, which is still to be told."""
    add_watchlist(engine, Rule("ferries", "ferry", ways=("mail:a@b.example",)), START)
    store(engine, [article(f"https://{site}.example/1", f"The ferry {site} runs.", START) for site in "ab"])
    writer.remove_articles(engine, [2], SETTINGS)
    return engine


def found(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(find_watch_faults(connection))


def test_what_is_still_to_be_told_is_no_fault(watched: Engine) -> None:
    assert found(watched) == []
    match_news(watched)
    assert found(watched) == []


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO watch_match SELECT watchlist_id, 99, matched_at, is_told, is_told_of_outlets,"
        " is_told_of_removal FROM watch_match WHERE article_id = 1",
        "UPDATE counter SET value = 9999 WHERE name = 'watched'",
    ],
)
def test_one_fault_is_found_and_repaired(watched: Engine, statement: str) -> None:
    match_news(watched)
    assert_found_and_repaired(watched, statement, find_watch_faults, mend_watch_faults)


def test_news_is_told_again_after_a_repair(watched: Engine) -> None:
    match_news(watched)
    damage(watched, "UPDATE counter SET value = 9999 WHERE name = 'watched'")
    store(watched, [article("https://c.example/1", "A new ferry was built in the harbour.", START)])
    assert mend_watch_faults(watched) == 1
    store(watched, [article("https://d.example/1", "An old ferry was sold to an island.", START)])
    urls = {due.body["article"]["url"] for due in claim(watched, START.replace(year=2100), 10)}
    assert urls == {"https://a.example/1", "https://d.example/1"}


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE watchlist SET query = '--'", "watchlist 1: nothing to look for"),
        ("UPDATE delivery SET state = 'lost'", "a delivery is 'lost'"),
    ],
)
def test_what_nothing_tells_how_to_mend_is_found(watched: Engine, statement: str, says: str) -> None:
    damage(watched, statement)
    assert any(says in line for line in found(watched))
