"""The stories that a watchlist matched, and those that it would match."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine

from storage import writer
from storage.watching import Rule, add_watchlist, match_news, matched_stories, would_match
from tests.storage.news import SETTINGS, START, article, cut, story

RULE = Rule("norhaven", "norhaven", min_sites=2)
NOW = START.replace(microsecond=0)
HOUR = timedelta(hours=1)


def fill(engine: Engine) -> None:
    """Two stories, the first one on two sites, and a different one."""
    run = writer.start_run(engine, "ingest", START)
    texts = [f"Norhaven news. {story(n)}" for n in (1, 2)]
    made = [
        article("https://a.example/1", texts[0], START, title="One"),
        article("https://a.example/2", texts[1], START + HOUR, title="Two"),
        article("https://b.example/1", cut(texts[0], 0.9), START + 2 * HOUR, title="One again"),
        article("https://c.example/3", story(3), START + 2 * HOUR),
    ]
    for n, one in enumerate(made):
        writer.write_batch(engine, run, [one], SETTINGS)
        match_news(engine, START + n * HOUR)


def test_stories_are_listed_by_what_matched_last(engine: Engine) -> None:
    made = add_watchlist(engine, RULE, START)
    fill(engine)
    found = matched_stories(engine, made.id)
    assert [(one.id, one.article_id, one.title, one.sites, one.is_told) for one in found] == [
        (1, 3, "One again", 2, True),
        (2, 2, "Two", 1, False),
    ]
    assert [one.matched_at for one in found] == [NOW + 2 * HOUR, NOW + HOUR]
    assert [one.id for one in matched_stories(engine, made.id, limit=1)] == [1]
    assert matched_stories(engine, 99) == []


def test_what_would_match_is_what_a_watchlist_would_have_matched(engine: Engine) -> None:
    fill(engine)
    tried = would_match(engine, RULE, START)
    assert [(one.id, one.article_id, one.sites, one.is_told) for one in tried] == [
        (1, 3, 2, True),
        (2, 2, 1, False),
    ]
    assert [one.id for one in would_match(engine, RULE, START + 90 * timedelta(minutes=1))] == [1]
    assert [one.id for one in would_match(engine, RULE, START, limit=1)] == [1]
    assert would_match(engine, replace(RULE, language="de"), START) == []
    made = add_watchlist(engine, RULE, START)
    match_news(engine)
    assert matched_stories(engine, made.id) == [], "to try a rule writes nothing"
