"""Index and groups do not depend on the order, the batches, and articles that were removed again."""

from __future__ import annotations

import random
import re
import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, select

from pipeline import copies
from pipeline.document import Article
from pipeline.settings import GroupSettings, Settings
from storage import schema, writer
from storage.database import open_database
from storage.writing.revisions import unpack_keys
from tests.storage.news import START, article, contents, rejection, retold, store, story, view, wire
from tests.storage.writing.groups.filling import NARROW, fill


@pytest.fixture(scope="module")
def template(sqlite_template: Path) -> Path:
    return sqlite_template


def fresh(template: Path, folder: str, name: str) -> Engine:
    path = Path(folder) / f"{name}.db"
    shutil.copyfile(template, path)
    return open_database(f"sqlite:///{path}")


def spread(made: list[Article], factor: int) -> list[Article]:
    """The articles, some without a date, the rest `factor` times as far apart."""
    dates = [a.published_at and START + (a.published_at - START) * factor for a in made]
    return [replace(a, published_at=None if n % 6 == 5 else dates[n]) for n, a in enumerate(made)]


def expected(outcomes: list[Article], using: Settings) -> tuple[set[frozenset[str]], set[frozenset[str]]]:
    """Pairs and groups by definition, from all articles at once: `pipeline.copies` without a database."""
    current: dict[str, Article] = {}
    first: dict[str, Any] = {}
    for made in sorted(outcomes, key=lambda a: a.page.fetched_at):
        current[made.url] = made
        first.setdefault(made.url, made.page.fetched_at.replace(microsecond=0))
    stories = {
        url: copies.ArticleCopy(
            id=n,
            url=url,
            title=made.title,
            text=made.text,
            fetched_at=first[url],
            published_at=made.published_at.replace(microsecond=0) if made.published_at else None,
            language=made.language,
            agency=made.agency,
            site=made.site,
        )
        for n, (url, made) in enumerate(sorted(current.items()))
    }
    places = {url: copies.order_key(made) for url, made in stories.items()}
    bands: dict[int, list[str]] = {}
    for url, made in current.items():
        for band in set(made.fingerprint.bands if made.fingerprint else ()):
            bands.setdefault(band, []).append(url)
    near: dict[str, list[str]] = {url: [] for url in current}
    sure: dict[str, list[str]] = {url: [] for url in current}
    window = using.group.band_window
    for band, members in bands.items():
        members.sort(key=lambda url: places[url])
        for at, url in enumerate(members):
            around = (*members[max(0, at - window) : at], *members[at + 1 : at + 1 + window])
            low, high = copies.near_range(places[url], using.group)
            if not copies.is_far(band):
                around = tuple(other for other in around if low <= places[other] <= high)
            (sure if copies.is_enough(band) else near)[url].extend(around)

    def candidates(url: str) -> set[str]:
        certain, if_alike = copies.candidates_among(near[url], sure[url], using.group)
        return certain | {o for o in if_alike if copies.are_alike(printed[url], printed[o], using.group)}

    printed = {url: made.fingerprint.signature for url, made in current.items() if made.fingerprint}
    prepared = {url: copies.prepare(made, using.fingerprint) for url, made in stories.items()}
    pairs: dict[frozenset[str], copies.Pair] = {}
    shared: dict[int, dict[int, copies.Passage]] = {}
    held: set[tuple[int, int]] = set()
    for url in current:
        for other in candidates(url):
            pair = copies.verify(prepared[url], prepared[other], using.group)
            if pair:
                one, two = stories[url].id, stories[other].id
                pairs[frozenset((url, other))] = pair
                shared.setdefault(one, {})[two] = pair.passage
                if pair.holds:
                    held.add((one, two))
    ends = [[stories[url].id for url in pair] for pair in pairs]
    ids = {(min(pair), max(pair)) for pair in ends}
    holders = {holder for holder, _ in held}
    cut = copies.bridges({id: shared[id] for id in holders}, held, ids)
    names = {made.id: url for url, made in stories.items()}
    joining = [(a, b) for a, b in ids if (a, b) not in cut and (b, a) not in cut]
    parts = copies.components(names, joining)
    return set(pairs), {frozenset(names[id] for id in part) for part in parts}


def with_pages_of_briefs(made: list[Article], seed: int) -> list[Article]:
    """The articles, and some pages that hold two or three of their stories, or parts of one."""
    chance = random.Random(seed)
    pages = []
    for n in range(6):
        texts = [a.text for a in chance.sample(made, chance.choice([2, 2, 3]))]
        at = START + timedelta(hours=chance.randrange(80), seconds=n)
        pages.append(article(f"https://briefs{n % 2}.example/{n}", "\n".join(texts), at))
        lines = texts[0].split("\n")
        part = "\n".join(lines[len(lines) // 2 :])
        pages.append(article(f"https://parts.example/{n}", part, at + timedelta(hours=1)))
    return made + pages


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    order=st.randoms(use_true_random=False),
    batches=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    window=st.sampled_from([1, 2, 16]),
    factor=st.sampled_from([1, 4, 30]),
)
def test_any_order_and_any_batches_give_the_same_groups(
    template: Path, seed: int, order: random.Random, batches: list[int], window: int, factor: int
) -> None:
    using = Settings(group=GroupSettings(band_window=window))
    # Over three days, over two weeks, and over three months: within a bucket of the index and across several.
    made = spread(with_pages_of_briefs(wire(40, seed=seed, stories=5), seed), factor)
    # Some are revised: into a different story, and with the same page fetched again.
    for n in range(0, 40, 7):
        made.append(
            article(made[n].url, story(seed + n), made[n].page.fetched_at + timedelta(days=1), agency="AFP")
        )
    made += made[10:14]
    shuffled = list(made)
    order.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as folder:
        one, other = fresh(template, folder, "one"), fresh(template, folder, "other")
        fill(one, made, [1000], using)
        fill(other, shuffled, batches, using)
        found = contents(one)
        assert contents(other) == found
        check_index(other)
        one.dispose()
        other.dispose()
    pairs, parts = expected(made, using)
    assert {pair for pair, _, _ in found["copies"]} == pairs
    assert found["groups"] == parts


def check_index(engine: Engine) -> None:
    """Every signature has its band rows, and there are no further rows."""
    with engine.connect() as connection:
        wanted = {
            (key, row.position, row.article_id)
            for row in connection.execute(select(schema.signature))
            for key in unpack_keys(row._mapping["keys"])
        }
        stored = {tuple(row) for row in connection.execute(select(schema.band))}
    assert stored == wanted


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    gone=st.sets(st.integers(1, 42), min_size=1, max_size=16),
    factor=st.sampled_from([1, 4, 30]),
)
def test_removed_articles_leave_no_trace(template: Path, seed: int, gone: set[int], factor: int) -> None:
    made = spread(with_pages_of_briefs(wire(30, seed=seed, stories=3), seed), factor)
    with tempfile.TemporaryDirectory() as folder:
        one, other = fresh(template, folder, "one"), fresh(template, folder, "other")
        fill(one, made, [7], NARROW)
        assert writer.remove_articles(one, gone, NARROW) == len(gone)
        fill(other, [a for n, a in enumerate(made, 1) if n not in gone], [30], NARROW)
        assert contents(one) == contents(other)
        check_index(one)
        for engine in (one, other):
            engine.dispose()


def test_both_databases_have_the_same_groups(engine: Engine, template: Path, tmp_path: Path) -> None:
    made = with_pages_of_briefs(wire(60, stories=6), 1)
    made.extend(article(made[n].url, story(n), made[n].page.fetched_at + timedelta(days=1)) for n in range(9))
    plain = fresh(template, str(tmp_path), "plain")
    fill(plain, made, [1000], NARROW)
    random.Random(3).shuffle(made)
    fill(engine, made, [5, 1, 17], NARROW)

    assert contents(engine) == contents(plain)
    check_index(engine)
    plain.dispose()


def test_a_group_keeps_its_oldest_id_when_others_join(engine: Engine) -> None:
    text = story(1)
    store(engine, [article("https://a.example/1", story(9)), article("https://b.example/1", text)])
    store(engine, [article("https://c.example/1", story(8)), article("https://d.example/1", text)])

    assert [row["id"] for row in view(engine, "story_groups")] == [1, 2, 3]
    assert {row["id"]: row["group_id"] for row in view(engine, "articles")}[4] == 2


def test_a_late_copy_joins_two_groups_into_the_older(engine: Engine) -> None:
    lines = story(1, 400).split("\n")
    one, other = lines[: len(lines) * 6 // 10], lines[len(lines) * 4 // 10 :]
    store(
        engine,
        [
            article("https://a.example/1", "\n".join(one)),
            article("https://b.example/1", "\n".join(other)),
            article("https://c.example/1", "\n".join(one)),
            article("https://d.example/1", "\n".join(other)),
        ],
    )
    assert sorted(row["size"] for row in view(engine, "story_groups")) == [2, 2]

    counts = store(engine, [article("https://e.example/1", "\n".join(lines))])

    assert counts.grouped == 1
    [found] = view(engine, "story_groups")
    assert (found["id"], found["size"], found["sites"]) == (1, 5, 5)
    assert len(view(engine, "unique_articles")) == 1

    # And parts them again when its text changes.
    store(engine, [article("https://e.example/1", story(7), START + timedelta(hours=1))])
    assert sorted(row["size"] for row in view(engine, "story_groups")) == [1, 2, 2]
    assert len(view(engine, "unique_articles")) == 3


def sizes(engine: Engine) -> list[int]:
    return sorted(row["size"] for row in view(engine, "story_groups"))


def test_a_page_that_holds_two_stories_joins_only_one_of_them(engine: Engine) -> None:
    one, other = story(1, 320), story(2, 280)
    briefs = article("https://briefs.example/1", f"{one}\n{other}")
    store(engine, [article("https://a.example/1", one), briefs])
    assert sizes(engine) == [2]

    store(engine, [article("https://b.example/1", other), article("https://c.example/1", other)])
    assert sizes(engine) == [2, 2]
    groups = {row["url"]: row["group_id"] for row in view(engine, "articles")}
    assert groups["https://briefs.example/1"] == groups["https://a.example/1"], (
        "it has most words of that one"
    )
    assert [row["joins"] for row in view(engine, "copies")].count(False) == 2

    # Once the longer story is gone, it is a copy of the other.
    store(engine, [article("https://a.example/1", story(3), START + timedelta(hours=1))])
    assert sizes(engine) == [1, 3]
    assert all(row["joins"] for row in view(engine, "copies"))


def test_no_statement_of_a_batch_reads_a_table_from_end_to_end(engine: Engine) -> None:
    made = wire(60, stories=12)
    fill(engine, made, [60], NARROW)
    seen: dict[str, Any] = {}

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
            seen.setdefault(statement, parameters[0] if many else parameters)

    event.listen(engine, "before_cursor_execute", note)
    later = [a for n in range(5) for a in wire(20, seed=n, stories=4)]
    fill(engine, [replace(a, url=f"{a.url}/{n}", location=f"{n}") for n, a in enumerate(later)], [50], NARROW)
    revised = [article(a.url, story(3), a.page.fetched_at + timedelta(days=2)) for a in made[:30]]
    fill(engine, [*revised, retold(made[40], story(8), rules_version="2")], [50], NARROW)
    writer.remove_articles(engine, range(5, 15), NARROW)
    store(engine, [rejection(made[50].location, rules_version="2", page=made[50].page)])
    event.remove(engine, "before_cursor_execute", note)

    on_postgres = engine.dialect.name == "postgresql"
    scans = []
    with engine.connect() as connection:
        if on_postgres:  # so that it scans a small table only if there is no index
            connection.exec_driver_sql("ANALYZE")
            connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, parameters in seen.items():
            explain = ("EXPLAIN " if on_postgres else "EXPLAIN QUERY PLAN ") + statement
            for row in connection.exec_driver_sql(explain, parameters):
                found = re.search(r"Seq Scan on (\w+)|^SCAN (\w+)", str(row[-1]))
                if found:
                    scans.append((found[1] or found[2], statement))
    assert len(seen) > 25
    bounded = {"counter", "sketch", "run", "tombstone", "wanted", "standing_between", "credited", "flags"}
    bounded |= {"json_each"}  # a list of values of the statement's own
    bounded |= {"ends"}  # the pairs of some articles, read by their index
    # Whether there is anything in these is asked with a limit of one row.
    asked = [
        (table, said)
        for table, said in scans
        if table not in {"quarantine", "watchlist"} or " LIMIT " not in said
    ]
    assert [(table, said) for table, said in asked if table not in bounded] == []
