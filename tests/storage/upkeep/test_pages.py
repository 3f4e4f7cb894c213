"""Stored pages whose texts were made by different rules."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from storage.upkeep import plan_prune, prune_pages
from storage.upkeep.pages import count_outdated, count_pruned
from tests.storage.news import SETTINGS, START, rejection, store
from tests.storage.upkeep.aged import aged


def test_pruned_pages_of_different_rules_are_counted(engine: Engine) -> None:
    outcomes = aged(6)
    store(engine, [*outcomes, rejection("https://a.example/none", page=None)])
    prune_pages(engine, plan_prune(engine, older_than=START + timedelta(days=3)))

    assert (count_outdated(engine, "other"), count_pruned(engine, "other")) == (3, 3)
    assert count_pruned(engine, SETTINGS.rules_version) == 0
    assert count_pruned(engine, "other", sites=("b.example",)) == 0
    assert count_pruned(engine, "other", sites=("a.example",)) == 3
    assert count_pruned(engine, "other", since=START + timedelta(days=2)) == 1
