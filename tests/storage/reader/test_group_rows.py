"""Groups by size, their members and their copies."""

from __future__ import annotations

from sqlalchemy import Engine

from storage import reader
from tests.storage.news import article, store, story


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
