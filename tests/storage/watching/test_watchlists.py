"""Watchlists are made, changed and removed; mistakes are refused when they are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from pipeline.errors import OperatorError
from storage import reader
from storage.watching import (
    Rule,
    add_watchlist,
    edit_watchlist,
    remove_watchlist,
    watchlist_named,
    watchlists,
)
from tests.storage.news import START, article, store

FERRIES = Rule("ferries", "ferry norhaven")


def test_a_watchlist_is_stored_as_it_was_given(engine: Engine) -> None:
    store(engine, [article("https://a.example/1", "The ferry runs again.", START)])
    rule = Rule(
        name="  all of\tit ",
        query=' "runs aground" ',
        site="a.example",
        language="EN",
        agency="Northwire",
        min_sites=3,
        tells=("removals", "copies"),
        outlets=5,
        ways=("feed", "mail:a@b.example", "feed"),
        is_paused=True,
    )
    made = add_watchlist(engine, rule, START)

    assert made.rule == replace(
        rule,
        name="all of it",
        query='"runs aground"',
        language="en",
        tells=("story", "copies", "outlets", "removals"),
        ways=("feed", "mail:a@b.example"),
    )
    assert (made.created_at, made.since) == (START.replace(microsecond=0), reader.last_change(engine))
    assert watchlists(engine) == [made]
    assert watchlist_named(engine, "all of it") == made


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (replace(FERRIES, name=" \n"), "needs a name"),
        (replace(FERRIES, name="x" * 201), "at most 200"),
        (replace(FERRIES, query="-- ()"), "nothing to look for"),
        (replace(FERRIES, query="-strike"), "nothing to look for"),
        (Rule("everything"), "would tell of every story"),
        (replace(FERRIES, min_sites=0), "min_sites is a number of sites"),
        (replace(FERRIES, min_sites=10**12), "min_sites is a number of sites"),
        (replace(FERRIES, outlets=-1), "outlets is a number of sites"),
        (replace(FERRIES, tells=("outlets",)), "how many outlets"),
        (replace(FERRIES, tells=("all",)), "cannot tell 'all'"),
        (replace(FERRIES, ways=("",)), "a way out has"),
        (replace(FERRIES, ways=("x" * 1001,)), "a way out has"),
    ],
)
def test_a_mistake_is_refused_and_nothing_is_stored(engine: Engine, rule: Rule, says: str) -> None:
    with pytest.raises(OperatorError, match=says):
        add_watchlist(engine, rule, START)
    assert watchlists(engine) == []
    add_watchlist(engine, FERRIES, START)
    with pytest.raises(OperatorError, match=says):
        edit_watchlist(engine, "ferries", rule)
    assert [one.rule for one in watchlists(engine)] == [FERRIES]


def test_a_name_is_given_once(engine: Engine) -> None:
    add_watchlist(engine, FERRIES, START)
    add_watchlist(engine, replace(FERRIES, name="boats"), START)
    with pytest.raises(OperatorError, match="there is a watchlist 'ferries' already"):
        add_watchlist(engine, FERRIES, START)
    with pytest.raises(OperatorError, match="there is a watchlist 'boats' already"):
        edit_watchlist(engine, "ferries", replace(FERRIES, name="boats"))
    assert edit_watchlist(engine, "ferries", replace(FERRIES, name="ships")).name == "ships"
    assert [one.name for one in watchlists(engine)] == ["boats", "ships"]


def test_of_two_changes_at_a_time_one_is_refused(engine: Engine) -> None:
    add_watchlist(engine, FERRIES, START)
    edit_watchlist(engine, "ferries", replace(FERRIES, is_paused=True), expected=FERRIES)
    with pytest.raises(OperatorError, match="'ferries' was changed at the same time"):
        edit_watchlist(engine, "ferries", replace(FERRIES, query="boat"), expected=FERRIES)
    assert watchlist_named(engine, "ferries").rule == replace(FERRIES, is_paused=True)


def test_one_that_is_not_there_is_named_with_those_that_are(engine: Engine) -> None:
    with pytest.raises(OperatorError, match="no watchlist 'ferries': there is none"):
        watchlist_named(engine, "ferries")
    add_watchlist(engine, FERRIES, START)
    looks: list[Callable[[], object]] = [
        lambda: remove_watchlist(engine, "boats"),
        lambda: edit_watchlist(engine, "boats", FERRIES),
        lambda: watchlist_named(engine, "boats"),
    ]
    for look in looks:
        with pytest.raises(OperatorError, match="no watchlist 'boats': there are ferries"):
            look()


def test_an_id_is_not_used_again(engine: Engine) -> None:
    first = add_watchlist(engine, FERRIES, START)
    assert remove_watchlist(engine, "ferries") == first
    assert add_watchlist(engine, FERRIES, START).id == first.id + 1
