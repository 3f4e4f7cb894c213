"""Changes since a number: a program that follows them has the articles of the database, without gaps or
repeats.
"""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, text, update

from pipeline.document import Outcome, Removed, RightsStatement
from storage import reader, schema, writer
from storage.database import begin_write, open_database
from storage.reader import StoredArticle
from tests.storage.news import SETTINGS, START, article, cut, page, rejection, store, story, view, wire

FORK = multiprocessing.get_context("fork")


@dataclass
class Follower:
    """A copy of the articles in a second program, which reads only the changes."""

    unique: bool = False
    after: int = 0
    articles: dict[int, StoredArticle] = field(default_factory=dict)
    seen: list[int] = field(default_factory=list)

    def follow(self, engine: Engine, most: int | None = None) -> list[int]:
        """Applies the changes, or the first of them; returns the articles concerned."""
        ids = []
        for found in reader.changed_articles(engine, self.after, canonical_only=self.unique):
            if found.article is None:
                self.articles.pop(found.id, None)
            else:
                self.articles[found.id] = found.article
            self.seen.append(found.change)
            self.after = found.change
            ids.append(found.id)
            if len(ids) == most:
                break
        assert len(ids) == len(set(ids))
        assert self.seen == sorted(set(self.seen))
        return ids

    def check(self, engine: Engine) -> None:
        now = {a.id: a for a in reader.articles(engine, canonical_only=self.unique)}
        assert self.articles == now


def ids_by_url(engine: Engine) -> dict[str, int]:
    return {row["url"]: row["id"] for row in view(engine, "articles")}


def test_every_article_that_is_new_is_a_change(engine: Engine) -> None:
    assert reader.last_change(engine) == 0
    assert list(reader.changes(engine)) == []

    store(engine, wire(10), batch=3)

    found = list(reader.changes(engine))
    assert [c.change for c in found] == sorted({c.change for c in found})
    assert {c.article_id for c in found} == {a.id for a in reader.articles(engine)}
    assert {(c.kind, c.url) for c in found} == {("stored", None)}
    assert reader.last_change(engine) == found[-1].change
    assert list(reader.changes(engine, found[-1].change)) == []


def test_the_rows_come_in_parts_of_any_size(engine: Engine) -> None:
    store(engine, wire(10))
    whole = list(reader.changes(engine))

    parts, after = [], 0
    while part := list(reader.changes(engine, after, limit=3)):
        parts += part
        after = part[-1].change

    assert parts == whole


def test_a_new_text_is_one_change(engine: Engine) -> None:
    store(engine, [article(f"https://a.example/{n}", story(n)) for n in range(4)])
    after = reader.last_change(engine)

    store(engine, [article("https://a.example/2", story(9), START + timedelta(hours=1))])

    (found,) = reader.changes(engine, after)
    assert (found.article_id, found.kind) == (ids_by_url(engine)["https://a.example/2"], "stored")


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "Another"},
        {"publisher": None},
        {"authors": ("Ben Ahl",)},
        {"byline": "Ben Ahl"},
        {"dateline": "NORHAVEN"},
        {"agency": "Reuters"},
        {"published_at": START - timedelta(days=1)},
        {"published_offset": 120},
        {"description": "It sails."},
        {"section": None},
        {"keywords": ("ferry",)},
        {"image_url": None},
        {"rights": None},
        {"rights": (RightsStatement("tdm-reservation", "1", "header"),)},
        {"language": None},
        {"word_count": 7},
        {"removed": ()},
        {"removed": (Removed(3, "Register now", "another.rule"),)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_change_of_any_visible_column_is_a_change(engine: Engine, changed: dict[str, Any]) -> None:
    store(engine, [article("https://a.example/1", story(1)), article("https://a.example/2", story(2))])
    after = reader.last_change(engine)

    store(engine, [article("https://a.example/1", story(1), rules_version="newer", **changed)])

    (found,) = reader.changes(engine, after)
    assert found.article_id == ids_by_url(engine)["https://a.example/1"]


def test_a_change_of_hidden_columns_is_no_change(engine: Engine) -> None:
    made = wire(12)
    store(engine, made)
    after = reader.last_change(engine)

    store(engine, made)
    store(
        engine,
        [
            article(a.url, a.text, a.page.fetched_at, title=a.title, agency=a.agency, rules_version="newer")
            for a in made
        ],
    )
    later = START + timedelta(days=30)
    first = made[0]
    store(
        engine,
        [
            article(
                first.url,
                first.text,
                later,
                title=first.title,
                agency=first.agency,
                published_at=first.published_at,
                body="fetched again",
            )
        ],
    )

    assert list(reader.changes(engine, after)) == []


def test_a_change_of_a_group_is_a_change_of_each_article_whose_columns_change(engine: Engine) -> None:
    text_, other = story(1), story(2)
    copies = [article(f"https://a.example/{n}", text_, START + timedelta(minutes=n)) for n in range(1, 4)]
    apart = article("https://b.example/1", other)
    store(engine, [apart, *copies])
    ids = ids_by_url(engine)
    after = reader.last_change(engine)

    # The agency's own article becomes the canonical copy of the group that it joins.
    own = article("https://reuters.com/1", text_, START + timedelta(hours=2), agency="Reuters")
    store(engine, [own])
    joined = {c.article_id for c in reader.changes(engine, after)}
    assert joined == {ids["https://a.example/1"], ids_by_url(engine)[own.url]}

    # The article that names the group is removed, so the remaining ones are in a different group.
    after = reader.last_change(engine)
    writer.remove_articles(engine, [ids["https://a.example/1"]], SETTINGS)
    found = list(reader.changes(engine, after))
    assert {c.article_id for c in found if c.kind == "stored"} == {
        ids["https://a.example/2"],
        ids["https://a.example/3"],
        ids_by_url(engine)[own.url],
    }
    assert [(c.article_id, c.url) for c in found if c.kind == "gone"] == [
        (ids["https://a.example/1"], "https://a.example/1")
    ]


def test_a_removed_article_stays_a_change(engine: Engine) -> None:
    made = [article(f"https://a.example/{n}", story(n)) for n in range(4)]
    store(engine, made)
    ids = ids_by_url(engine)
    after = reader.last_change(engine)

    writer.remove_articles(engine, [ids[made[1].url]], SETTINGS)  # removed
    gone = rejection(made[2].url, rules_version="newer", page=made[2].page)
    store(engine, [gone])  # different rules reject it
    store(engine, [article(made[1].url, story(1), START + timedelta(days=1))])  # stored again, with a new id

    found = list(reader.changes(engine, after))
    assert [(c.article_id, c.kind, c.url) for c in found] == [
        (ids[made[1].url], "gone", made[1].url),
        (ids[made[2].url], "gone", made[2].url),
        (ids_by_url(engine)[made[1].url], "stored", None),
    ]
    assert ids_by_url(engine)[made[1].url] not in ids.values()


def test_a_write_that_is_rolled_back_is_no_change(engine: Engine) -> None:
    store(engine, wire(4))
    before = list(reader.changes(engine))

    with engine.connect() as connection:
        connection.execute(delete(schema.article).where(schema.article.c.id == 1))
        connection.rollback()

    assert list(reader.changes(engine)) == before


def test_a_statement_by_hand_is_recorded_as_a_change(engine: Engine) -> None:
    store(engine, wire(30))
    after = reader.last_change(engine)
    table = schema.article

    with engine.begin() as connection:
        connection.execute(update(table).where(table.c.id.in_([3, 7, 8])).values(publisher="Other"))
        connection.execute(update(table).values(publisher=table.c.publisher))

    assert [c.article_id for c in reader.changes(engine, after)] == [3, 7, 8]


@pytest.mark.parametrize("seed", range(3))
def test_followers_have_the_articles_of_the_database(engine: Engine, seed: int) -> None:
    """Writes of all kinds, with readers between them that stop at any place."""
    chance = random.Random(seed)
    followers = [Follower(), Follower(), Follower(unique=True)]
    texts = [story(seed * 100 + n) for n in range(6)]
    for step in range(25):
        change(engine, chance, texts, step)
        for follower in followers:
            if chance.random() < 0.5:
                follower.follow(engine, chance.choice([None, 1, 3]))
    for follower in followers:
        follower.follow(engine)
        follower.check(engine)
    assert followers[0].seen


def change(engine: Engine, chance: random.Random, texts: Sequence[str], step: int, names: str = "a") -> None:
    """One random write: new articles, new texts of known ones, rejected pages, removed articles."""
    at = START + timedelta(minutes=step)
    kind = chance.choice(["store", "store", "store", "turn away", "remove"])
    if kind == "remove":
        ids = [row["id"] for row in view(engine, "articles")]
        writer.remove_articles(engine, chance.sample(ids, min(len(ids), chance.randint(1, 3))), SETTINGS)
        return
    urls = [f"https://{chance.choice(names)}.example/{chance.randrange(15)}" for _ in range(5)]
    made: list[Outcome] = [
        article(
            url,
            cut(chance.choice(texts), chance.choice([1, 0.8, 0.6])),
            at,
            agency=chance.choice([None, "Reuters"]),
            body=f"{url} {step}",
        )
        for url in dict.fromkeys(urls)
    ]
    if kind == "turn away":
        made = [
            rejection(url, at, rules_version=f"newer {step}", page=page(f"{url} {back}", at, url))
            for url in dict.fromkeys(urls)
            for back in range(max(0, step - 6), step)
        ]
    store(engine, made)


def write_on(url: str, seed: int, names: str) -> None:
    engine = open_database(url)
    chance = random.Random(seed)
    texts = [story(n) for n in range(4)]
    for step in range(20):
        change(engine, chance, texts, step, names)
    engine.dispose()


def test_followers_miss_nothing_while_two_programs_write(database_url: str) -> None:
    processes = [FORK.Process(target=write_on, args=(database_url, n, "ab"[n])) for n in range(2)]
    for process in processes:
        process.start()
    engine = open_database(database_url)
    followers = [Follower(), Follower(unique=True)]
    polls = 0
    while any(process.is_alive() for process in processes):
        for follower in followers:
            polls += bool(follower.follow(engine, 7 if polls % 3 else None))
    assert [process.exitcode for process in processes] == [0, 0]
    assert polls > 5
    for follower in followers:
        follower.follow(engine)
        follower.check(engine)
    engine.dispose()


def test_articles_older_than_the_list_of_changes_are_its_first_entries(empty_database_url: str) -> None:
    from alembic import command

    from storage import database
    from storage.database import versions

    engine = database.connect(empty_database_url, create=True)
    config = versions.alembic_config()
    with begin_write(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        for id in (2, 5, 9):
            connection.execute(
                text(
                    "INSERT INTO article (id, url, site, group_id, is_canonical, first_seen_at, updated_at,"
                    " revision, text_hash, fetched_us, seen_at, location, title, authors, access, word_count,"
                    " rules_version, text) VALUES (:id, :url, 'a.example', :id, :yes, :at, :at, 1, :hash, 0,"
                    " :at, :url, 'T', '[]', 'free', 1, '1', 'x')"
                ),
                {
                    "id": id,
                    "url": f"https://a.example/{id}",
                    "yes": True,
                    "at": "2026-03-01T10:00:00Z",
                    "hash": b"1",
                },
            )
    database.upgrade(engine)

    assert [c.article_id for c in reader.changes(engine)] == [2, 5, 9]
    after = reader.last_change(engine)
    store(engine, [article("https://a.example/new", story(1))])
    assert [c.kind for c in reader.changes(engine, after)] == ["stored"]
    engine.dispose()
