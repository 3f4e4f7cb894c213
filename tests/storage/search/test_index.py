"""Both databases find the same, and the index agrees with the articles after every kind of write."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from crawler.runs.ingest import ingest
from pipeline.document import SearchWords
from pipeline.settings import Settings
from pipeline.text.search_words import MOST_WORDS, make_search_words
from storage import reader, writer
from storage.database import begin_write, connect, open_database, upgrade
from storage.search import index as search
from storage.search.query import QueryError
from storage.writer import remove_articles
from storage.writing import groups
from tests.conftest import PostgresServer
from tests.storage.bases import load
from tests.storage.news import SETTINGS, START, article, page, rejection, retold, store, story

ROOT = Path(__file__).parents[3]
FORK = multiprocessing.get_context("fork")

# Name of the article, its title and its text.
TEXTS = {
    "ferry": (
        "Ferry runs aground",
        "The ferry ran aground on a sandbar. Škoda cars were aboard, 4.25% of them.",
    ),
    "strike": ("Ferry crews on strike", "Crews of the ferry went on strike; nobody's boat left the harbour."),
    "boat": (
        "A boat race",
        "Rowing: the boat of the harbour club won. The ferryman watched, naïve and happy.",
    ),
    "bank": ("Bank holds rate", "The bank held its key rate. Ground rents rose, and the ferry port expands."),
    "german": (
        "Über die Brücke",
        "Die Straße nach Łódź führt über eine Brücke, die größer ist als jede andere.",
    ),
    "russian": ("Вода отступает", "Ёлка стоит на площади, а вода в реке Вельмора отступает к старому мосту."),
    "arabic": ("الأخبار", "قال المتحدث إنَّ العبّارة عادت إلى الميناء في سنة ٢٠٢٦ بعد إصلاحها."),
    "hebrew": ("חדשות", "הַמַּעְבֹּרֶת חזרה לנמל בבוקר."),
    "chinese": ("央行维持利率", "中央银行周二表示，将利率维持在百分之四。渡轮3月5日恢复。"),
    "japanese": ("日銀が金利据え置き", "中央銀行は火曜日に金利を据え置いた。ＮＨＫが報じた。"),
    "korean": ("정부 발표", "정부는 오늘 여객선을 다시 운항한다고 밝혔다."),
    "thai": ("ข่าว", "เรือข้ามฟากกลับมาให้บริการอีกครั้งในวันจันทร์"),
    "hindi": ("समाचार", "हिन्दी में नौका फिर से चल रही है।"),
}


@pytest.fixture
def polyglot(engine: Engine) -> Engine:
    store(
        engine,
        [
            article(
                f"https://site{n % 3}.example/{name}",
                body,
                START + timedelta(days=n),
                title=title,
                language=name[:2],
            )
            for n, (name, (title, body)) in enumerate(TEXTS.items())
        ],
    )
    return engine


def found(engine: Engine, query: str, **filters: Any) -> list[str]:
    """Names of the articles, the best first."""
    return [hit.article.url.rpartition("/")[2] for hit in reader.search(engine, query, **filters)]


def check(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return search.find_index_faults(connection)


QUERIES = [
    ("ferry", {"ferry", "strike", "bank"}),
    ("FERRY harbour", {"strike"}),
    ("ferr*", {"ferry", "strike", "bank", "boat"}),
    ("ferry -strike", {"ferry", "bank"}),
    ("ferry -strik*", {"ferry", "bank"}),
    ('ferry -"on a sandbar"', {"strike", "bank"}),
    ('"ran aground"', {"ferry"}),
    ('"aground ran"', set()),
    ('"ran agr*"', {"ferry"}),
    ('"runs aground the"', set()),  # the title does not go on in the text
    ("aground OR rowing", {"ferry", "boat"}),
    ("harbour boat OR rate", {"strike", "boat"}),
    ("rate ferry OR zeppelin", {"bank"}),
    ("skoda", {"ferry"}),
    ("NAÏVE", {"boat"}),
    ("4.25", {"ferry"}),
    ("nobody's", {"strike"}),
    ("zeppelin", set()),
    ("strasse lodz", {"german"}),
    ("bruecke", set()),
    ("BRÜCKE", {"german"}),
    ("елка", {"russian"}),
    ("ВОД*", {"russian"}),
    ('"реке вельмора"', {"russian"}),
    ("العباره", {"arabic"}),
    ("2026", {"arabic"}),
    ("المعبرة", set()),
    ("המעברת", {"hebrew"}),
    ("银行", {"chinese"}),
    ("利率", {"chinese"}),
    ("渡轮3月5", {"chinese"}),
    ("中央", {"chinese", "japanese"}),
    ("水", set()),
    ("火", {"japanese"}),
    ("た", {"japanese"}),
    ("日 -火曜", {"chinese"}),
    ("中央銀行は", {"japanese"}),
    ("银中", set()),
    ("nhk", {"japanese"}),
    ("정부", {"korean"}),
    ("여객 운항", {"korean"}),
    ("ข้าม", {"thai"}),
    ("วันจันทร์ บริการ", {"thai"}),
    ("हिन्दी", {"hindi"}),
    ("हन्द", set()),
]


def test_results_of_queries(polyglot: Engine) -> None:
    assert {query: set(found(polyglot, query)) for query, _ in QUERIES} == dict(QUERIES)
    assert check(polyglot) == []


def test_a_hit_has_the_article_and_where_it_matches(polyglot: Engine) -> None:
    (hit,) = reader.search(polyglot, '"ran aground" skoda')

    assert hit.article == reader.article_by_url(polyglot, "https://site0.example/ferry")
    assert hit.score > 0
    assert hit.snippet.marked("[", "]").startswith("The ferry [ran aground] on a sandbar. [Škoda] cars")


def test_filters(polyglot: Engine) -> None:
    third = START + timedelta(days=2) - timedelta(minutes=30)
    assert found(polyglot, "ferr*", where=reader.ArticleFilter(("site2.example",))) == ["boat"]
    assert found(polyglot, "ferr*", where=reader.ArticleFilter(("elsewhere.example",))) == []
    assert set(found(polyglot, "ferr*", where=reader.ArticleFilter(language="st"))) == {"strike"}
    assert set(found(polyglot, "ferr*", where=reader.ArticleFilter(since=third))) == {"boat", "bank"}
    assert set(found(polyglot, "ferr*", where=reader.ArticleFilter(until=third))) == {"ferry", "strike"}
    assert set(
        found(polyglot, "ferr*", where=reader.ArticleFilter(since=third, until=third + timedelta(seconds=1)))
    ) == {"boat"}


def test_canonical_copies_only(engine: Engine) -> None:
    wire = story(1)
    store(engine, [article(f"https://{n}.example/a", wire, START + timedelta(hours=n)) for n in range(3)])

    (hit,) = reader.search(engine, wire.split()[0], canonical_only=True)
    assert hit.article.is_canonical
    assert hit.article.url == "https://0.example/a"
    assert len(reader.search(engine, wire.split()[0])) == 3


def test_a_story_is_found_by_what_only_a_copy_of_it_says(engine: Engine) -> None:
    wire = story(1)
    own = "A zeppelin of the town of Westerby took part."
    store(engine, [article("https://a.example/a", wire), article("https://c.example/c", story(2))])
    copies = [f"{wire}\n{own}", f"{own}\n{own}\n{wire}"]
    later = START + timedelta(hours=1)
    store(engine, [article(f"https://b.example/{n}", text, later) for n, text in enumerate(copies)])

    (hit,) = reader.search(engine, "zeppelin", canonical_only=True)
    assert not hit.article.is_canonical
    assert "zeppelin" in hit.snippet.text
    assert hit.score == max(hit.score for hit in reader.search(engine, "zeppelin"))
    (hit,) = reader.search(
        engine,
        wire.split()[0].lower() + " OR zeppelin",
        reader.ArticleFilter(("b.example",)),
        canonical_only=True,
    )
    assert hit.article.site == "b.example"


def test_an_article_without_a_date_is_in_no_time(engine: Engine) -> None:
    store(engine, [article("https://a.example/a", "A ferry.", published_at=None)])

    assert found(engine, "ferry") == ["a"]
    assert found(engine, "ferry", where=reader.ArticleFilter(since=START - timedelta(days=9000))) == []
    assert found(engine, "ferry", where=reader.ArticleFilter(until=START + timedelta(days=9000))) == []


def test_the_title_counts_more_and_the_newest_comes_first(engine: Engine) -> None:
    filler = "Nothing else happened in town today, and nobody minded."
    store(
        engine,
        [
            article("https://a.example/old", f"A zeppelin came. {filler}", START),
            article("https://a.example/new", f"A zeppelin came. {filler}", START + timedelta(days=1)),
            article("https://a.example/none", f"A zeppelin came. {filler}", published_at=None),
            article("https://a.example/title", f"A balloon came. {filler}", title="Zeppelin"),
        ],
    )

    assert found(engine, "zeppelin") == ["title", "new", "old", "none"]


def test_pages_of_results_join_without_gap_or_repeat(engine: Engine) -> None:
    store(engine, [article(f"https://a.example/{n}", "The same ferry.", START) for n in range(25)])

    pages = [found(engine, "ferry", limit=10, offset=at) for at in (0, 10, 20, 30)]
    assert [len(names) for names in pages] == [10, 10, 5, 0]
    assert list(chain(*pages)) == [str(n) for n in range(25)]  # of equal score and time: by id


def test_only_the_latest_of_too_many_matches_are_ranked(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "RANKED", 10)
    store(engine, [article(f"https://{n % 2}.example/{n}", "The same ferry.", START) for n in range(25)])

    assert found(engine, "ferry", limit=100) == [str(n) for n in range(15, 25)]
    assert found(engine, "ferry", where=reader.ArticleFilter(("1.example",)), limit=100) == [
        str(n) for n in range(5, 25, 2)
    ]


def test_an_empty_query_is_an_operators_mistake(engine: Engine) -> None:
    with pytest.raises(QueryError, match="write words"):
        reader.search(engine, "-strike")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text() | st.text("ab\"'-*():&|!<>\\;% \0OR"))
def test_any_text_is_a_query(polyglot: Engine, query: str) -> None:
    try:
        reader.search(polyglot, f"{query} ferry*")
        reader.search(polyglot, query)
    except QueryError:
        return


# --- in step ------------------------------------------------------------------------------------------


def test_a_revision_is_found_by_its_own_words(engine: Engine) -> None:
    url = "https://a.example/a"
    store(engine, [article(url, "The first said zebra.", title="Alpha")])
    store(engine, [article(url, "The second said lion.", START + timedelta(hours=1), title="Alpha")])

    assert found(engine, "zebra") == []
    assert found(engine, "lion alpha") == ["a"]

    store(engine, [article(url, "The second said lion.", START + timedelta(hours=2), title="Beta")])
    assert found(engine, "alpha") == []
    assert found(engine, "lion beta") == ["a"]
    assert check(engine) == []


def test_an_older_fetch_that_is_stored_late_changes_nothing(engine: Engine) -> None:
    url = "https://a.example/a"
    store(
        engine,
        [article(url, "Now a lion.", START + timedelta(hours=1)), article(url, "Then a zebra.", START)],
    )

    assert found(engine, "zebra") == []
    assert found(engine, "lion") == ["a"]
    assert check(engine) == []


def test_different_rules_index_different_words_of_the_same_bytes(engine: Engine) -> None:
    url, fetched = "https://a.example/a", page("<p>bytes", START, "https://a.example/a")
    made = article(url, "Register now. The ferry sails.", page=fetched)
    store(engine, [made])
    store(engine, [retold(made, "The ferry sails.", rules_version="later")])

    assert found(engine, "register") == []
    assert found(engine, "sails") == ["a"]

    store(engine, [rejection(url, START, page=fetched, rules_version="latest")])
    assert found(engine, "sails") == []
    assert check(engine) == []


def test_the_older_text_is_found_again_after_the_newer_one_is_removed(engine: Engine) -> None:
    url = "https://a.example/a"
    second = article(url, "The second said lion.", START + timedelta(hours=1))
    store(engine, [article(url, "The first said zebra."), second])
    refused = rejection(url, START + timedelta(hours=1), page=second.page, rules_version="later")
    store(engine, [refused])

    assert found(engine, "zebra") == ["a"]
    assert found(engine, "lion") == []
    assert check(engine) == []


def test_removed_articles_are_not_found(engine: Engine) -> None:
    store(engine, [article(f"https://a.example/{n}", f"{story(n)} ferry") for n in range(6)])
    remove_articles(engine, [1, 3, 6, 99], SETTINGS)

    assert set(found(engine, "ferry")) == {"1", "3", "4"}
    assert check(engine) == []


def test_a_batch_that_fails_leaves_the_index_as_it_was(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(engine, [article("https://a.example/a", "A zebra.")])

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(groups, "add_stories", interrupt)
    with pytest.raises(KeyboardInterrupt):
        store(
            engine,
            [
                article("https://a.example/a", "A lion.", START + timedelta(hours=1)),
                article("https://a.example/b", "A lion."),
            ],
        )

    assert found(engine, "zebra") == ["a"]
    assert found(engine, "lion") == []
    assert check(engine) == []


def test_an_article_that_cannot_be_stored_leaves_no_words(engine: Engine) -> None:
    """Its batch is written with savepoints, and the index must agree with each."""
    bad = article("https://a.example/bad", "A bad zebra.", language="x" * 101)
    made = [article(f"https://a.example/{n}", f"Zebra number{n}.") for n in range(5)]
    store(engine, [*made[:3], bad, *made[3:]])

    assert set(found(engine, "zebra")) == {"0", "1", "2", "3", "4"}
    assert check(engine) == []


def _write(url: str, first: int) -> None:
    engine = open_database(url)
    run = writer.start_run(engine, "test", START)
    for n in range(first, first + 20):
        made = [
            article(f"https://a.example/{n}", f"Zebra number{n}.", START),
            article("https://a.example/shared", f"Lion number{n}.", START + timedelta(minutes=n)),
        ]
        writer.write_batch(engine, run, made, SETTINGS)
    engine.dispose()


def test_two_writers_at_once(database_url: str) -> None:
    writers = [FORK.Process(target=_write, args=(database_url, first)) for first in (0, 20)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert [one.exitcode for one in writers] == [0, 0]
    engine = open_database(database_url)

    assert len(found(engine, "zebra", limit=100)) == 40
    assert found(engine, "lion") == ["shared"]
    assert found(engine, "lion number39") == ["shared"]
    assert check(engine) == []
    engine.dispose()


def test_a_reader_sees_words_and_articles_of_one_moment(engine: Engine) -> None:
    store(engine, [article("https://a.example/a", "A zebra.")])
    with begin_write(engine) as connection:
        search.rebuild_index(connection, without=[1])
        assert found(engine, "zebra") == ["a"]
        connection.rollback()

    assert check(engine) == []


# --- limits of both databases ---------------------------------------------------------------------------


def test_a_huge_article_is_stored_and_found_by_its_first_words(engine: Engine) -> None:
    huge = "zebra " + " ".join(f"word{n}" for n in range(700_000))
    assert len(huge) > 5_000_000
    store(engine, [article("https://a.example/huge", huge, fingerprint=None)])

    assert found(engine, f'zebra "word{MOST_WORDS - 10} word{MOST_WORDS - 9}"') == ["huge"]
    assert found(engine, "word690000") == []
    assert check(engine) == []
    remove_articles(engine, [1], SETTINGS)
    assert check(engine) == []


def test_long_and_frequent_words_are_stored_and_found(engine: Engine) -> None:
    long = "x" * 10_000
    often = "of the zebra " * 2000
    wide = " ".join(chr(0x10400 + n % 40) * 99 + str(n) for n in range(5000))
    store(
        engine,
        [
            article("https://a.example/long", f"A {long} word.", fingerprint=None),
            article("https://a.example/often", f"{often} lion", fingerprint=None),
            article("https://a.example/wide", f"{wide} lion", title=wide, fingerprint=None),
            article("https://a.example/nothing", "…", title="", fingerprint=None),
        ],
    )

    assert found(engine, long) == ["long"]
    assert found(engine, '"the zebra" lion') == ["often"]
    # Both find the quotation among the first occurrences of its words only.
    assert found(engine, '"zebra lion"') == []
    assert check(engine) == []


def test_odd_characters_are_indexed(engine: Engine) -> None:
    odd = "A\0zebra \ud800lion' \u202etiger\u202c | <-> & \\ ' '' :* \"quoted\" \uf8ff"
    store(engine, [article("https://a.example/odd", odd, title=odd, fingerprint=None)])

    for query in ("zebra", "lion", "tiger", "quoted", '"lion tiger quoted"'):
        assert found(engine, query) == ["odd"], query
    assert check(engine) == []


# --- check, rebuild, upgrade --------------------------------------------------------------------------


@pytest.fixture
def three(engine: Engine) -> Engine:
    store(engine, [article(f"https://a.example/{n}", f"Zebra number{n}.") for n in range(3)])
    return engine


def _spoil(engine: Engine, statement: str) -> None:
    with begin_write(engine) as connection:
        connection.execute(text(statement))


# The damage, the articles with wrong index rows after it (on PostgreSQL a foreign key deletes words with
# their article), and the articles found after a rebuild.
SPOILED = {
    "a text changed": ("UPDATE article SET text = 'Lion.' WHERE id = 2", [2], [2], {"0", "2"}),
    "an entry lost": ("DELETE FROM search_entry WHERE article_id = 2", [2], [2], {"0", "1", "2"}),
    "an article gone": ("DELETE FROM article WHERE id = 2", [2], [], {"0", "2"}),
}


@pytest.mark.parametrize("how", SPOILED)
def test_wrong_index_rows_are_reported_and_repaired(three: Engine, how: str) -> None:
    statement, on_sqlite, on_postgresql, afterwards = SPOILED[how]
    _spoil(three, statement)
    assert check(three) == (on_sqlite if three.dialect.name == "sqlite" else on_postgresql)

    with begin_write(three) as connection:
        search.rebuild_index(connection)
    assert check(three) == []
    assert set(found(three, "zebra number*")) == afterwards


def test_words_missing_from_the_index_are_reported(three: Engine) -> None:
    if three.dialect.name == "sqlite":
        with begin_write(three) as connection:
            search._remove_from_fts5(connection, [2])
    else:
        _spoil(three, "DELETE FROM search_words WHERE article_id = 2")

    assert check(three) == [2]


def test_words_that_are_cut_differently_today_are_removed_as_well(
    three: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Python with a newer Unicode database may read different words in a stored article."""

    def other_words(title: str, text: str) -> SearchWords:
        return make_search_words(title, text.replace("Zebra", "Lion"))

    monkeypatch.setattr(search, "make_search_words", other_words)
    store(three, [article("https://a.example/1", "A tiger.", START + timedelta(hours=1))])
    remove_articles(three, [1], SETTINGS)

    assert found(three, "number1") == []
    assert found(three, "number0") == []
    assert found(three, "tiger") == ["1"]
    assert found(three, "number2") == ["2"]
    # SQLite's index was rebuilt. On PostgreSQL all earlier rows stay unchanged.
    assert check(three) == ([] if three.dialect.name == "sqlite" else [3])


def test_compacting_leaves_no_trace_of_deleted_words(engine: Engine, database_url: str) -> None:
    store(engine, [article(f"https://a.example/{n}", f"Quagga number{n}.") for n in range(3)])
    store(engine, [article("https://a.example/kept", "A lion.")])
    remove_articles(engine, [1, 2, 3], SETTINGS)
    with begin_write(engine) as connection:
        search.compact_index(connection)

    assert found(engine, "lion") == ["kept"]
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            blocks = connection.execute(text("SELECT block FROM search_words_data")).scalars().all()
        assert not any(b"quagga" in block or b"uagga" in block for block in blocks)
        assert any(b"lion" in block for block in blocks)


def test_an_upgraded_database_is_searched(empty_database_url: str) -> None:
    load(empty_database_url, "0001")
    engine = connect(empty_database_url)
    upgrade(engine)

    assert check(engine) == []
    for one in reader.articles(engine, limit=20):
        word = next(word for word in one.text.split() if len(word) > 5)
        assert one.id in {hit.article.id for hit in reader.search(engine, f'"{word}"', limit=100)}
    engine.dispose()


# --- alike --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both(
    sqlite_template: Path, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Engine]]:
    """The articles of the examples in SQLite and in PostgreSQL, with the same ids."""
    path = tmp_path_factory.mktemp("both") / "news.db"
    shutil.copyfile(sqlite_template, path)
    on_sqlite = open_database(f"sqlite:///{path}")
    ingest(on_sqlite, [str(ROOT / "examples" / "news")], workers=os.cpu_count() or 1, settings=Settings())
    url = postgres.create("copydesk_template")
    on_postgres = open_database(url)
    store(
        on_postgres,
        [
            article(
                a.url, a.text, title=a.title, site=a.site, language=a.language, published_at=a.published_at
            )
            for a in reader.articles(on_sqlite)
        ],
    )
    yield on_sqlite, on_postgres
    on_sqlite.dispose()
    on_postgres.dispose()
    postgres.drop(url)


@pytest.mark.parametrize(
    "query",
    [
        "ferry",
        "ferry harbour",
        '"ran aground"',
        '"central bank" -key',
        "bank* OR ferry",
        "velmora -ferry -bank",
        '"said on"',
        "4.25",
        "waters OR wasser OR agua OR eau",
        "d'un",
        "sequia",
        "мост*",
        "друкарні",
        '"по второму"',
        '"the" -ferry',
        '"a s*"',
        "e* -the",
    ],
)
def test_both_find_the_same_in_the_examples(both: tuple[Engine, Engine], query: str) -> None:
    on_sqlite, on_postgres = (
        {hit.article.id for hit in reader.search(engine, query, limit=1000)} for engine in both
    )

    assert on_sqlite == on_postgres
    assert on_sqlite
    where = reader.ArticleFilter(language="en", since=START - timedelta(days=365))
    assert {hit.article.id for hit in reader.search(both[0], query, where, limit=1000)} == {
        hit.article.id for hit in reader.search(both[1], query, where, limit=1000)
    }
