"""Groups are rebuilt from the stored pairs."""

from __future__ import annotations

from sqlalchemy import Engine, update

from storage import schema
from storage.database import begin_write
from storage.writing.groups.rebuild import rebuild_groups
from tests.storage.news import article, contents, store, story


def test_groups_are_derived_from_the_pairs(engine: Engine) -> None:
    texts = [story(1), story(1), story(2), story(2), story(3)]
    store(engine, [article(f"https://s{n}.example/a", text) for n, text in enumerate(texts)])
    before = contents(engine)
    with begin_write(engine) as connection:
        connection.execute(update(schema.article).values(group_id=1, is_canonical=False))

    with begin_write(engine) as connection:
        assert rebuild_groups(connection, [1]) == 3

    assert contents(engine) == before
