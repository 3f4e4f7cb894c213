"""Groups by size, their members and their copies."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine

from storage import reader
from tests.storage.news import START, article, store, story

MINUTE = timedelta(minutes=1)


def test_groups_come_by_size(engine: Engine) -> None:
    texts = [story(1)] * 2 + [story(2)] * 3 + [story(3)]
    store(engine, [article(f"https://s{n}.example/a", body) for n, body in enumerate(texts)])

    found = list(reader.groups(engine))
    assert [(group.id, group.size) for group in found] == [(3, 3), (1, 2)]
    assert [group.id for group in reader.groups(engine, min_size=1)] == [3, 1, 6]
    assert [group.id for group in reader.groups(engine, limit=1)] == [3]
    assert reader.group(engine, 3) == found[0]
    assert reader.group(engine, 4) is None
    assert [member.id for member in reader.members(engine, 3)] == [3, 4, 5]
    assert len(reader.copies(engine, 4)) == 2


def test_details_of_stories_come_in_their_order_with_the_earliest_copies(engine: Engine) -> None:
    text = story(1)
    copied = [
        article(f"https://s{number}.example/1", text, START, published_at=START + (5 - number) * MINUTE)
        for number in range(5)
    ]
    store(
        engine, [*copied, article("https://z.example/2", story(2), START, published_at=None, title="Other")]
    )
    found = reader.stories(engine)
    details = reader.story_details(engine, found[::-1], most_copies=3)
    assert [entry.story for entry in details] == found[::-1]
    by_size = {entry.story.size: entry for entry in details}
    assert [copy.site for copy in by_size[5].copies] == ["s4.example", "s3.example", "s2.example"]
    assert by_size[5].article.is_canonical
    assert by_size[5].article.id == by_size[5].story.canonical_article_id
    (other,) = by_size[1].copies
    assert (other.title, other.published_at, other.time) == ("Other", None, by_size[1].story.time)
    last = {change.article_id: change.at for change in reader.changes(engine)}
    for entry in details:
        members = [member.id for member in reader.members(engine, entry.story.id)]
        assert entry.updated_at == max(last[id] for id in members)
    assert reader.last_changed_at(engine) == max(last.values())
    gone = [replace(found[0], id=1000 + number) for number in range(900)]  # so that they are read in parts
    assert reader.story_details(engine, [found[0], *gone, found[1]], most_copies=3) == details[::-1]


def test_a_story_that_is_no_longer_there_has_no_details(engine: Engine) -> None:
    assert reader.last_changed_at(engine) is None
    store(engine, [article("https://a.example/1", story(1))])
    (found,) = reader.stories(engine)
    assert reader.story_details(engine, [replace(found, id=99)]) == []
    assert reader.story_details(engine, []) == []
