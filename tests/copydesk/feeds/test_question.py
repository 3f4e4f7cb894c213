"""Which stories a feed has, and that its ids stay the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from copydesk.feeds import Feed, Place, Question, make_feed
from pipeline.errors import OperatorError
from storage import schema
from storage.watching import Rule, add_watchlist
from tests.storage.news import START, article, store, story

PLACE = Place("http://desk.example/", "http://desk.example/")
HOUR = timedelta(hours=1)


def titles(engine: Engine, **asked: Any) -> list[str]:
    return [entry.article.title for entry in make_feed(engine, Question(**asked), PLACE).entries]


def ids(feed: Feed) -> dict[int, str]:
    return dict(zip((entry.story.id for entry in feed.entries), feed.ids, strict=True))


def test_stories_are_chosen_by_what_a_copy_has_the_newest_first(news: Engine) -> None:
    hostile, *others = titles(news)
    assert hostile.startswith("Ferry <script>")
    assert set(others) == {"Offen", "Reserved", "Ferry", "File"}
    assert titles(news, language="de") == titles(news, language="DE") == ["Offen"]
    assert titles(news, agency="Reuters") == titles(news, min_sites=3) == ["Ferry"]
    assert titles(news, site="c.example") == titles(news, site="www.C.example") == ["Ferry"]
    assert titles(news, site="a.example") == ["Reserved", "Ferry"]
    assert titles(news, query="divers -harbour") == [hostile]
    assert titles(news, since="2026-03-01T15:00", site="e.example") == [hostile]
    assert titles(news, until="2026-02-28") == []
    assert len(make_feed(news, Question(), PLACE, limit=2).entries) == 2


def test_a_search_has_a_story_once_whichever_copy_has_the_words(engine: Engine) -> None:
    text = story(1)
    store(
        engine,
        [
            article("https://a.example/1", text, START, title="First"),
            article("https://b.example/1", f"{text}\nZeppelin.", START + HOUR, title="Second"),
            article("https://c.example/1", story(2), START, title="Other"),
        ],
    )
    (entry,) = make_feed(engine, Question("zeppelin"), PLACE).entries
    assert {copy.site for copy in entry.copies} == {"a.example", "b.example"}
    assert entry.story.sites == 2


def test_a_watchlist_is_its_search_and_keeps_its_feed_when_it_changes(news: Engine) -> None:
    add_watchlist(news, Rule("on c", site="c.example", min_sites=2), datetime.now(UTC))
    feed = make_feed(news, Question(watchlist="on c"), PLACE)
    assert [entry.article.title for entry in feed.entries] == ["Ferry"]
    assert feed.title == "Copydesk: watchlist on c"
    assert feed.ids == make_feed(news, Question(site="c.example"), PLACE).ids
    assert feed.id != make_feed(news, Question(site="c.example"), PLACE).id


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"query": "-- ()"}, "nothing to look for"),
        ({"watchlist": "none"}, "none"),
        ({"site": "http://"}, "site"),
        ({"since": "soon"}, "'soon' is no time"),
    ],
)
def test_what_cannot_be_asked_is_said(news: Engine, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(OperatorError, match=says):
        make_feed(news, Question(**asked), PLACE)
    for limit in (0, 501):
        with pytest.raises(OperatorError, match="1 to 500 entries"):
            make_feed(news, Question(), PLACE, limit=limit)


def test_ids_stay_when_copies_come_and_stories_merge_and_differ_between_databases(engine: Engine) -> None:
    whole = story(1, 400)
    half = whole.split("\n")
    first, second = "\n".join(half[: len(half) // 2]), "\n".join(half[len(half) // 2 :])
    store(engine, [article("https://a.example/1", first), article("https://b.example/1", second)])
    before = make_feed(engine, Question(), PLACE)
    assert sorted(ids(before)) == [1, 2]

    store(engine, [article("https://c.example/1", first, START + HOUR)])
    with_copy = make_feed(engine, Question(), PLACE)
    assert ids(with_copy) == ids(before)
    updated = {entry.story.id: entry.updated_at for entry in with_copy.entries}
    earlier = {entry.story.id: entry.updated_at for entry in before.entries}
    assert updated[1] >= earlier[1]
    assert updated[2] == earlier[2]

    store(engine, [article("https://d.example/1", whole, START + HOUR)])
    merged = make_feed(engine, Question(), PLACE)
    assert set(ids(merged)) <= {1, 2}
    assert all(ids(before)[id] == urn for id, urn in ids(merged).items())
    assert make_feed(engine, Question(), PLACE).id == before.id


def _age(engine: Engine) -> Feed:
    """The feed after everything was written an hour earlier: a trigger writes the time of the real clock."""
    with engine.begin() as connection:
        for id, at in connection.execute(select(schema.change.c.article_id, schema.change.c.at)).all():
            own = schema.change.c.article_id == id
            connection.execute(update(schema.change).where(own).values(at=at - HOUR))
    return make_feed(engine, Question(), PLACE)


def _updated(new: Feed, old: Feed) -> set[int]:
    before = {entry.story.id: entry.updated_at for entry in old.entries}
    return {entry.story.id for entry in new.entries if entry.updated_at != before[entry.story.id]}


def test_a_story_is_updated_when_its_text_is_or_a_copy_comes_and_at_no_other_time(engine: Engine) -> None:
    once = article("https://a.example/1", story(1), published_at=START)
    store(engine, [once, article("https://b.example/2", story(2))])
    first = _age(engine)
    again = article("https://a.example/1", story(1), START + HOUR, published_at=START, body="<p>Another page")
    store(engine, [again])  # only the page changed
    assert _updated(make_feed(engine, Question(), PLACE), first) == set()
    store(engine, [article("https://c.example/1", story(1), START + HOUR)])
    second = make_feed(engine, Question(), PLACE)
    assert _updated(second, first) == {1}
    assert second.updated_at > first.updated_at
    second = _age(engine)
    store(engine, [article("https://b.example/2", story(3), START + 2 * HOUR)])
    assert _updated(make_feed(engine, Question(), PLACE), second) == {2}


def test_an_empty_feed_has_a_time_that_stays(engine: Engine) -> None:
    assert make_feed(engine, Question(), PLACE) == make_feed(engine, Question(), PLACE)
    store(engine, [article("https://a.example/1", story(1))])
    changed = make_feed(engine, Question(), PLACE).updated_at
    assert make_feed(engine, Question(site="z.example"), PLACE).updated_at == changed
