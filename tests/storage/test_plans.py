"""The cost of downstream queries, and of the desk's, at 200,000 articles: indexes, no sorting, few rows."""

from __future__ import annotations

import itertools
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, event, func, insert, make_url, select, text, update

from copydesk.web import DeskSettings, make_app
from storage import schema, watching
from storage.crawls import revisits
from storage.database import begin_write, open_database
from tests.conftest import PostgresServer

ARTICLES = 200_000

# An article a minute on 400 sites, in three languages; three of five are a group; one of twenty has no date.
# The first 4,000 are on a site that ended then.
_FILL = """
    INSERT INTO article (id, url, site, group_id, is_canonical, first_seen_at, updated_at, revision,
                         text_hash, fetched_us, seen_at, location, title, authors, agency, published_at,
                         language, access, word_count, rules_version, text)
    {numbers}
    SELECT n, 'https://site' || (n % 400) || '.example/' || n,
           CASE WHEN n <= 4000 THEN 'ended.example' ELSE 'site' || (n % 400) || '.example' END,
           CASE WHEN n % 5 IN (1, 2) AND n > 5 THEN n - n % 5 ELSE n END, n % 5 NOT IN (1, 2) OR n < 5,
           {time}, {time}, 1, {hash}, 60000000 * n, {time}, 'pages/' || n, 'Title ' || n, '[]',
           CASE WHEN n % 3 = 0 THEN 'Northwire' END, CASE WHEN n % 20 > 0 THEN {time} END,
           CASE n % 10 WHEN 0 THEN 'de' WHEN 1 THEN 'fr' ELSE 'en' END, 'free', 100, '1',
           'The ferry to Norhaven runs again, said the harbour office on Monday morning.'
    FROM made
"""
_KINDS = {
    "sqlite": {
        "numbers": "WITH RECURSIVE made (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM made WHERE n < :count)",
        "time": "strftime('%Y-%m-%dT%H:%M:%SZ', 1750000000 + 60 * n, 'unixepoch')",
        "hash": "CAST('h' || n AS blob)",
        "earlier": "CAST('r' || id || '-' || n AS blob)",
    },
    "postgresql": {
        "numbers": "WITH made AS (SELECT n FROM generate_series(1, CAST(:count AS bigint)) AS n)",
        "time": "to_timestamp(1750000000 + 60 * n)",
        "hash": "convert_to('h' || n, 'UTF8')",
        "earlier": "convert_to('r' || id || '-' || n, 'UTF8')",
    },
}
_PAIRS = """
    INSERT INTO pair (a, b, kind, jaccard, containment)
    SELECT group_id, id, 'near', 0.9, 0.95 FROM article WHERE id > group_id
"""
_REMOVED = """
    INSERT INTO removal (article_id, line, position, rule, text)
    SELECT id, 0, 0, 'phrase.en.register-now', 'Register now' FROM article WHERE id % 4 = 0
"""
_REVISIONS = """
    INSERT INTO revision (article_id, text_hash, fetched_us, seen_at, location, title, text, authors, access,
                          word_count, rules_version, removed)
    SELECT id, {earlier}, fetched_us - n, seen_at, location, title, text, authors, access, word_count,
           rules_version, '[]'
    FROM article, (SELECT 1 AS n UNION ALL SELECT 2) AS times WHERE id % 3 = 0
"""
# The last 50,000 articles are on five sites only, and one in a hundred is due.
_REVISITS = """
    INSERT INTO revisit (article_id, site, location, due_at, failures)
    SELECT id, 'gazette' || (id % 5), url,
           CASE WHEN id % 99 = 0 THEN published_at ELSE (SELECT max(published_at) FROM article) END, 0
    FROM article WHERE id > 150000 AND published_at IS NOT NULL
"""
_PAGES = """
    INSERT INTO page (id, sha256, location, url, media_type, origin, fetched_us, size, body)
    SELECT id, text_hash, url, url, 'html', 'crawl', fetched_us, 7, text_hash FROM article WHERE id <= 5000
"""
_REJECTIONS = """
    INSERT INTO rejection (location, at_us, stage, reason, detail, run_id, at, rules_version)
    SELECT 'rejected/' || id, fetched_us, 'extract', 'no article', '', 1, seen_at, '1' FROM article
"""
_RUN = """
    INSERT INTO run (id, command, started_at, seen, stored, revised, updated, unchanged, rejected, grouped,
                     reasons)
    SELECT 1, 'ingest', seen_at, 0, 0, 0, 0, 0, 0, 0, '{}' FROM article WHERE id = 1
"""
# Of 1,000 watchlists one matches every text. Of 50,000 deliveries 500 wait, and about 120 were given up.
_WATCHLISTS = """
    INSERT INTO watchlist (id, name, query, tells, ways, is_paused, created_at, since)
    SELECT id, 'list ' || id, CASE id WHEN 1 THEN 'ferry' ELSE 'zeppelin' || id END, '["story"]',
           '["mail:desk@news.example"]', false, seen_at, 0
    FROM article WHERE id <= 1000
"""
_MATCHES = """
    INSERT INTO watch_match (watchlist_id, article_id, matched_at, is_told, is_told_of_outlets,
                             is_told_of_removal)
    SELECT 1 + id / 4 % 1000, id, seen_at, true, false, false FROM article WHERE id % 4 = 0
"""
_NOTIFICATIONS = """
    INSERT INTO notification (id, watchlist_id, kind, group_id, article_id, created_at, body)
    SELECT 'msg_' || id, 1 + id / 4 % 1000, 'story', group_id, id, seen_at, '{}' FROM article WHERE id % 4 = 0
"""
_DELIVERIES = """
    INSERT INTO delivery (notification_id, way, state, attempts, due_at)
    SELECT 'msg_' || id, 'mail:desk@news.example',
           CASE WHEN id % 400 = 0 THEN 'waiting' WHEN id % 404 = 0 THEN 'dead' WHEN id % 20020 = 0 THEN 'gone'
                ELSE 'delivered' END, 0, seen_at
    FROM article WHERE id % 4 = 0
"""
# More than any of the queries takes, far less than reading all articles: instructions of SQLite's machine, of
# which a row needs five and more; accesses to PostgreSQL's pages, of which an index lookup takes about four.
_MOST = {"sqlite": 100_000, "postgresql": 5_000}


@dataclass(frozen=True)
class Query:
    """indexes: those that have to be used. rows: how many come."""

    name: str
    sql: str
    indexes: tuple[str, ...]
    rows: int


QUERIES = (
    Query(
        "newest",
        "SELECT * FROM articles WHERE published_at IS NOT NULL ORDER BY published_at DESC LIMIT 50",
        ("article_published",),
        50,
    ),
    Query(
        "newest, page by page",
        "SELECT * FROM articles WHERE (published_at, id) < ('2025-11-01T00:00:00Z', 199000)"
        " ORDER BY published_at DESC, id DESC LIMIT 50",
        ("article_published",),
        50,
    ),
    Query(
        "newest of an agency",
        "SELECT * FROM articles WHERE agency = 'Northwire' AND published_at IS NOT NULL"
        " ORDER BY published_at DESC LIMIT 50",
        ("article_agency",),
        50,
    ),
    Query(
        "an agency nobody credits", "SELECT * FROM articles WHERE agency = 'Nowire'", ("article_agency",), 0
    ),
    Query(
        "between two times",
        "SELECT * FROM articles WHERE published_at >= '2025-11-01T00:00:00Z'"
        " AND published_at < '2025-11-01T06:00:00Z' ORDER BY published_at",
        ("article_published",),
        342,
    ),
    Query(
        "newest of a site",
        "SELECT * FROM articles WHERE site = 'site7.example' AND published_at IS NOT NULL"
        " ORDER BY published_at DESC LIMIT 50",
        ("article_site",),
        50,
    ),
    Query(
        "a site since",
        "SELECT * FROM articles WHERE site = 'site7.example' AND published_at >= '2025-11-01T00:00:00Z'",
        ("article_site",),
        1,
    ),
    Query(
        "how many of a site",
        "SELECT count(*) FROM articles WHERE site = 'site7.example'",
        ("article_site",),
        1,
    ),
    Query(
        "newest of a language",
        "SELECT * FROM articles WHERE language = 'fr' AND published_at IS NOT NULL"
        " ORDER BY published_at DESC LIMIT 50",
        ("article_language",),
        50,
    ),
    Query("at a URL", "SELECT * FROM articles WHERE url = 'https://site7.example/407'", ("article_url",), 1),
    Query("of a group", "SELECT * FROM articles WHERE group_id = 50005", ("article_group",), 3),
    Query(
        "new or changed since",
        "SELECT * FROM articles WHERE updated_at >= '2025-11-01T00:00:00Z' ORDER BY updated_at, id LIMIT 500",
        ("article_updated",),
        500,
    ),
    Query(
        "changes since",
        "SELECT * FROM changes WHERE change > 199000 ORDER BY change LIMIT 500",
        ("change_number",),
        500,
    ),
    Query(
        "changed articles since",
        "SELECT c.change, a.* FROM changes c LEFT JOIN articles a ON a.id = c.article_id"
        " WHERE c.change > 199000 ORDER BY c.change LIMIT 500",
        ("change_number",),
        500,
    ),
    Query(
        "newest, one a story",
        "SELECT * FROM unique_articles WHERE published_at IS NOT NULL ORDER BY published_at DESC LIMIT 50",
        ("article_published",),
        50,
    ),
    Query(
        "newest of a site, one a story",
        "SELECT * FROM unique_articles WHERE site = 'site5.example' AND published_at IS NOT NULL"
        " ORDER BY published_at DESC LIMIT 50",
        ("article_site",),
        50,
    ),
    Query(
        "the canonical copy of a group",
        "SELECT * FROM unique_articles WHERE group_id = 50005",
        ("article_group",),
        1,
    ),
    Query("a group", "SELECT * FROM story_groups WHERE id = 50005", ("article_group",), 1),
    Query(
        "newest stories with their sizes",
        "SELECT a.published_at, a.title, g.size, g.sites FROM story_groups g"
        " JOIN unique_articles a ON a.group_id = g.id WHERE a.published_at IS NOT NULL"
        " ORDER BY a.published_at DESC LIMIT 50",
        ("article_published", "article_group"),
        50,
    ),
    Query(
        "groups of some articles",
        "SELECT g.* FROM articles a JOIN story_groups g ON g.id = a.group_id"
        " WHERE a.published_at >= '2025-11-01T06:00:00Z'",
        ("article_published", "article_group"),
        367,
    ),
    Query(
        "copies of an article",
        "SELECT * FROM copies WHERE article_id = 50005 UNION ALL SELECT * FROM copies WHERE other_id = 50005",
        ("pair_b",),
        2,
    ),
    Query("either end", "SELECT * FROM copies WHERE article_id = 50006 OR other_id = 50006", ("pair_b",), 1),
    Query(
        "revisions of an article",
        "SELECT * FROM revisions WHERE article_id = 50004",
        (),
        3,
    ),
    Query("what was removed", "SELECT * FROM removed_text WHERE article_id = 50004", (), 1),
)


def fill(url: str) -> None:
    engine = open_database(url)
    with begin_write(engine) as connection:
        connection.execute(text(_FILL.format(**_KINDS[connection.dialect.name])), {"count": ARTICLES})
        connection.execute(text(_REVISIONS.format(**_KINDS[connection.dialect.name])))
        connection.execute(text(_PAIRS))
        connection.execute(text(_REMOVED))
        connection.execute(text(_REVISITS))
        connection.execute(text(_PAGES))
        connection.execute(text(_RUN))
        connection.execute(text(_REJECTIONS))
        for rows in (_WATCHLISTS, _MATCHES, _NOTIFICATIONS, _DELIVERIES):
            connection.execute(text(rows))
    engine.dispose()


@pytest.fixture(scope="module")
def filled_file(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plans") / "filled.db"
    shutil.copyfile(sqlite_template, path)
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="module", params=["sqlite", "sqlite, analysed", "postgresql"])
def filled(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a database with 200,000 articles.

    SQLite runs no ANALYZE by itself, so it is tried with and without.
    """
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.create("copydesk_template")
        fill(url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")  # as autovacuum does within a minute
        yield url
        server.drop(url)
        return
    path: Path = request.getfixturevalue("filled_file")
    if request.param == "sqlite, analysed":
        path = shutil.copyfile(path, path.with_name("analysed.db"))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("ANALYZE")
            connection.commit()
    yield f"sqlite:///{path}"


@dataclass(frozen=True)
class Plan:
    """The cost of a query. faults: steps that read or sort whole tables. cost: see `_MOST`."""

    faults: list[str]
    indexes: set[str]
    rows: int
    cost: int


def plan_sqlite(url: str, query: str, values: Any = ()) -> Plan:
    with closing(sqlite3.connect(make_url(url).database or "")) as connection:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", values)]
        count = itertools.count()
        connection.set_progress_handler(lambda: 0 * next(count), 100)
        rows = len(connection.execute(query, values).fetchall())
    # A scan in the order of an index ends at the LIMIT.
    # So does one of the agencies that the copies of one group credit.
    of_group = r"(credited|compared|\(subquery-\d+\))$"
    bad = rf"^SCAN (?!\w+ USING (COVERING )?INDEX|{of_group})|AUTOMATIC|TEMP B-TREE FOR .*ORDER BY"
    faults = [step for step in steps if re.search(bad, step)]
    indexes = {name for step in steps for name in re.findall(r"USING (?:COVERING )?INDEX (\w+)", step)}
    return Plan(faults, indexes, rows, 100 * next(count))


def plan_postgresql(url: str, query: str, values: Any = None) -> Plan:
    with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as connection:
        rows = len(connection.execute(query.encode(), values).fetchall())
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}".encode()
        explained = connection.execute(explain, values).fetchone()
    assert explained is not None
    root = explained[0][0]["Plan"]
    nodes = list(walk(root))
    # The sites and the agencies of one group are sorted to count them.
    of_group = ("site", "agency")
    sorts = [n for n in nodes if "Sort" in n["Node Type"] and not n["Sort Key"][0].endswith(of_group)]
    faults = [str(n) for n in (*sorts, *(n for n in nodes if n["Node Type"] == "Seq Scan"))]
    indexes = {n["Index Name"] for n in nodes if "Index Name" in n}
    return Plan(faults, indexes, rows, root["Shared Hit Blocks"] + root["Shared Read Blocks"])


def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from walk(child)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_downstream_queries_are_served_by_indexes(filled: str, query: Query) -> None:
    kind = make_url(filled).get_backend_name()
    found = {"sqlite": plan_sqlite, "postgresql": plan_postgresql}[kind](filled, query.sql)

    assert found.faults == []
    assert found.indexes >= set(query.indexes)
    assert found.rows == query.rows
    assert found.cost <= _MOST[kind]


def test_articles_that_are_due_are_found_by_one_query_and_an_index(filled: str) -> None:
    engine = open_database(filled)
    queries: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if "revisit" in statement:
            queries.append((statement, values))

    found = revisits.due(engine, "gazette0", datetime(2025, 10, 25, tzinfo=UTC), 40)
    engine.dispose()
    assert len(found) == 40
    (query,) = queries
    plan = {"sqlite": plan_sqlite, "postgresql": plan_postgresql}[engine.dialect.name](filled, *query)

    assert plan.faults == []
    assert "revisit_due" in plan.indexes
    assert plan.rows == 40
    assert plan.cost <= _MOST[engine.dialect.name] / 10


def test_watchlists_are_matched_and_delivered_by_reading_little(filled: str) -> None:
    engine = open_database(filled)
    kind = engine.dialect.name
    with begin_write(engine) as connection:  # the last 100 articles are news
        last = connection.scalar(select(func.max(schema.change.c.number)))
        news = schema.change.c.article_id > ARTICLES - 100
        connection.execute(update(schema.change).where(news).values(news=schema.change.c.number))
        connection.execute(delete(schema.counter).where(schema.counter.c.name == "watched"))
        connection.execute(insert(schema.counter).values(name="watched", value=last - 100))
    queries: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        # What is deleted by a condition is found as by a query.
        query = re.sub(r"^DELETE FROM (\w+) WHERE", r"SELECT * FROM \1 WHERE", statement.lstrip())
        if query.startswith(("SELECT", "WITH")) and not isinstance(values, list):
            queries.append((query, values))

    now = datetime(2025, 7, 1, tzinfo=UTC)
    assert watching.match_news(engine, now).news == 100
    assert len(watching.claim(engine, now, 20)) == 20
    assert watching.ways_gone(engine)
    assert watching.undelivered(engine)["dead"] > 100
    assert watching.dead_letters(engine, "list 8")
    assert watching.outbox_counts(engine, "list 8").delivered
    assert len(watching.matched_stories(engine, 8)) == 20
    engine.dispose()

    plan = {"sqlite": plan_sqlite, "postgresql": plan_postgresql}[kind]
    plans = [(query, plan(filled, query, values)) for query, values in queries]
    assert len(plans) > 10
    assert [(query, found.cost) for query, found in plans if found.cost > _MOST[kind]] == []
    tables = "(article|change|watch_match|notification|delivery)"
    whole = rf"^SCAN {tables}\b(?! USING)|'Seq Scan'.*'Relation Name': '{tables}'"
    # What is old is looked for once for each watchlist. PostgreSQL rather reads so few notifications all.
    looked_up = [found for query, found in plans if not query.startswith("SELECT * FROM notification")]
    assert [fault for found in looked_up for fault in found.faults if re.search(whole, fault)] == []


# Pages and lists of the desk. /removed, counts, and stories of a site or language in the order of their size
# count or sort everything, and have the time limit of a query instead.
DESK = (
    "/",
    "/?site=site7.example",
    "/?site=nowhere.example",
    "/?agency=Northwire",
    "/?agency=Nowire",
    "/?min_sites=3",
    "/stories/50005",
    "/stories/50005/diff?a=50005&b=50006",
    "/articles/50004",
    "/articles/50004/revisions",
    "/removed?rule=phrase.en.register-now",
    "/sites",
    "/copies",
    "/rejections",
    "/api/v1/rejections",
    "/api/v1/stories?min_sites=3",
    "/api/v1/articles?site=site7.example",
    "/api/v1/articles?language=de",
    "/api/v1/articles?agency=Nowire",
    "/api/v1/articles/50004?include=removed,copies",
    "/api/v1/changes?after=199000",
    "/api/v1/export?after=199900",
    "/api/v1/runs",
)


def asked_by_desk(url: str, address: str) -> list[tuple[str, Any]]:
    """The queries that the desk makes for a page, and for the page behind it, with their values."""
    queries: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            queries.append((statement, values))

    app = make_app(DeskSettings(url))
    event.listen(app.state.engine, "before_cursor_execute", note)
    with TestClient(app, base_url="http://127.0.0.1:8017") as desk:
        answer = desk.get(address)
        assert answer.status_code == 200, answer.text
        if following := answer.links.get("next"):
            assert desk.get(following["url"]).status_code == 200
    return queries


@pytest.mark.parametrize("address", DESK)
def test_pages_of_the_desk_read_little(filled: str, address: str) -> None:
    kind = make_url(filled).get_backend_name()
    plan = {"sqlite": plan_sqlite, "postgresql": plan_postgresql}[kind]
    queries = asked_by_desk(filled, address)
    assert queries
    assert [query for query in queries if plan(filled, *query).cost > _MOST[kind]] == []


@pytest.mark.parametrize(
    "address",
    ["/?site=ended.example", "/?site=ended.example&sort=size", "/?agency=Nowire", "/feeds/search.atom?q=a"],
)
def test_stories_of_few_articles_are_looked_up_and_not_met_on_a_walk(filled: str, address: str) -> None:
    kind = make_url(filled).get_backend_name()
    plan = {"sqlite": plan_sqlite, "postgresql": plan_postgresql}[kind]
    used = [plan(filled, *asked).indexes for asked in asked_by_desk(filled, address)]
    assert any("article_group" in indexes for indexes in used)
    assert not any("article_story" in indexes for indexes in used)


@pytest.mark.parametrize("address", ["/?sort=size", "/?sort=spread", "/about"])
def test_what_counts_all_stories_walks_along_indexes_and_looks_up_few(filled: str, address: str) -> None:
    kind = make_url(filled).get_backend_name()
    plan = {"sqlite": plan_sqlite, "postgresql": plan_postgresql}[kind]
    asked = asked_by_desk(filled, address)
    # The outlets of the fifty stories of a page are sorted by their names.
    plans = [plan(filled, query, values) for query, values in asked if not query.endswith("article.site")]
    assert any("article_group" in found.indexes for found in plans)
    if kind == "postgresql":  # an index entry an article, and no lookup
        assert max(found.cost for found in plans) <= _MOST[kind]
        return
    # No table with texts or bytes as a whole.
    whole = r"^SCAN (article|canonical|page|pair|revision|rejection)\b(?! USING)"
    faults = [fault for found in plans for fault in found.faults]
    assert [fault for fault in faults if re.search(whole, fault)] == []


def test_a_query_that_reads_everything_is_seen(filled: str) -> None:
    """The measure works: a query without an index has faults and exceeds the limit."""
    kind = make_url(filled).get_backend_name()
    query = "SELECT * FROM articles WHERE word_count = 100 ORDER BY word_count, title LIMIT 5"
    found = {"sqlite": plan_sqlite, "postgresql": plan_postgresql}[kind](filled, query)

    assert len(found.faults) >= 2
    assert found.cost > _MOST[kind]
    plan = {"sqlite": plan_sqlite, "postgresql": plan_postgresql}[kind]
    by_size = asked_by_desk(filled, "/?sort=size&language=en")
    assert any(plan(filled, *asked).cost > _MOST[kind] for asked in by_size)
