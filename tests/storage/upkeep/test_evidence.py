"""Why two stored articles are copies, or why not."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from pipeline.copies import Refusal
from storage import reader
from storage.upkeep import explain_group, explain_pair
from tests.storage.news import SETTINGS, START, article, cut, store, story


def test_a_pair_with_all_that_made_it_one(engine: Engine) -> None:
    text = story(1)
    store(engine, [article("https://a.example/a", text), article("https://b.example/a", cut(text, 0.6))])
    found = explain_pair(engine, 2, 1, SETTINGS)
    assert found is not None
    assert (found.article_id, found.other_id) == (1, 2)
    assert found.is_candidate
    assert not found.stated
    assert found.judgement.refusal is None
    assert found.stored == reader.copies(engine, 1)[0]
    assert found.judgement.containment == found.stored.containment
    assert found.path == (1, 2)
    assert list(explain_group(engine, 1, SETTINGS)) == [found]


def test_what_is_no_pair(engine: Engine) -> None:
    store(engine, [article("https://a.example/a", story(1)), article("https://b.example/a", story(2))])
    found = explain_pair(engine, 1, 2, SETTINGS)
    assert found is not None
    assert not found.is_candidate
    assert found.judgement.refusal is Refusal.CONTAINMENT
    assert (found.stored, found.path) == (None, ())
    assert (found.group_id, found.other_group_id) == (1, 2)
    assert explain_pair(engine, 1, 3, SETTINGS) is None
    assert list(explain_group(engine, 2, SETTINGS)) == []
    assert list(explain_group(engine, 99, SETTINGS)) == []


def test_articles_of_one_group_are_linked_by_others(engine: Engine) -> None:
    """The beginning and the end of a long story have little in common, and both are in the whole."""
    lines = story(1, 600).split("\n")
    most = round(0.62 * len(lines))
    texts = ["\n".join(lines), "\n".join(lines[:most]), "\n".join(lines[-most:])]
    times = [START + timedelta(minutes=n) for n in range(3)]
    store(
        engine,
        [
            article(f"https://s{n}.example/a", text, at)
            for n, (text, at) in enumerate(zip(texts, times, strict=True))
        ],
    )
    found = explain_pair(engine, 2, 3, SETTINGS)
    assert found is not None
    assert found.stored is None
    assert found.path == (2, 1, 3)


def test_a_stated_copy_is_compared_without_the_index(engine: Engine) -> None:
    original = article("https://a.example/a", story(1))
    copy = article("https://b.example/a", story(2), syndicated_from=original.url)
    store(engine, [original, copy])
    found = explain_pair(engine, 1, 2, SETTINGS)
    assert found is not None
    assert found.stated
    assert found.is_candidate
    assert found.shared is not None
    assert not found.shared.is_candidate


def test_a_pair_that_joins_no_group(engine: Engine) -> None:
    """A page that holds two stories is a copy of both, and is in the group of one."""
    one, other = story(1), story(2)
    store(
        engine,
        [
            article("https://a.example/a", one),
            article("https://b.example/a", other),
            article("https://briefs.example/a", f"{one}\n{other}"),
        ],
    )
    found = [explain_pair(engine, id, 3, SETTINGS) for id in (1, 2)]
    assert all(pair and pair.stored and pair.judgement.refusal is None for pair in found)
    assert sorted(bool(pair and pair.stored and pair.stored.joins) for pair in found) == [False, True]
    assert sorted(len(pair.path) for pair in found if pair) == [0, 2]
