"""A watchlist matches what search finds, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from pipeline.errors import OperatorError
from pipeline.text import make_search_words
from storage import reader, schema, search
from storage.database import begin_write
from storage.search import parse_query
from storage.watching import Rule
from storage.watching.matcher import Matcher, WatchedText
from tests.storage.news import START, article, store

# Few words, so that they meet: spaced scripts, two that fold alike, and scripts without spaces.
WORDS = [
    "ferry",
    "ferries",
    "Škoda",
    "skoda",
    "don't",
    "4.25",
    "a",
    "港",
    "港口",
    "港口渡轮",
    "渡轮",
    "สะพาน",
    "서울에서",
    "ёлка",
]
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=7).map(" ".join)
terms = st.builds(
    lambda minus, words, is_quoted, star: minus + (f'"{words}"' if is_quoted else words.split()[0]) + star,
    st.sampled_from(["", "", "", "-"]),
    st.lists(st.sampled_from([*WORDS, "fer", "sko", "口"]), min_size=1, max_size=3).map(" ".join),
    st.booleans(),
    st.sampled_from(["", "", "*"]),
)
queries = st.lists(st.one_of(terms, st.sampled_from(["OR", "NOT", "AND"])), min_size=1, max_size=6).map(
    " ".join
)


def put(engine: Engine, made: list[tuple[str, str]]) -> None:
    """Stores articles of these titles and texts instead of those that are there: only what search reads."""
    with begin_write(engine) as connection:
        ids = list(connection.execute(select(schema.article.c.id).order_by(schema.article.c.id)).scalars())
        search.remove_from_index(connection, ids)
        for id, (title, text) in zip(ids, made, strict=True):
            values = {"title": title, "text": text}
            connection.execute(schema.article.update().where(schema.article.c.id == id).values(values))
        search.add_to_index(
            connection,
            [(id, make_search_words(title, text)) for id, (title, text) in zip(ids, made, strict=True)],
        )


ARTICLES = 4


@pytest.fixture
def filled(engine: Engine) -> Engine:
    store(engine, [article(f"https://{n}.example/", f"Text {n}.", START) for n in range(ARTICLES)])
    return engine


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    made=st.lists(st.tuples(texts, texts), min_size=ARTICLES, max_size=ARTICLES),
    asked=st.lists(queries, min_size=1, max_size=12),
)
@example(
    made=[("ferry a", "skoda"), ("a", "ferry"), ("港口", "渡轮"), ("x", "港口渡轮")],
    asked=['"ferry skoda"', "港"],
)
def test_a_watchlist_matches_what_search_finds(
    filled: Engine, made: list[tuple[str, str]], asked: list[str]
) -> None:
    put(filled, made)
    wanted = []
    for query in asked:
        try:
            parse_query(query)
        except OperatorError:
            continue
        wanted.append(query)
    matcher = Matcher((n, Rule("x", query)) for n, query in enumerate(wanted))
    found: dict[int, set[int]] = {n: set() for n in range(len(wanted))}
    for at, (title, text) in enumerate(made, 1):
        for n in matcher.matches(WatchedText.of(title, text, "a.example", None, "en", None)):
            found[n].add(at)

    for n, query in enumerate(wanted):
        assert found[n] == {hit.article.id for hit in reader.search(filled, query)}, query


TEXT = WatchedText.of("Ferry", "The ferry runs again.", "a.example", "gazette", "en", "Northwire")
FERRY = Rule("ferries", "ferry")


@pytest.mark.parametrize(
    ("rule", "is_match"),
    [
        (FERRY, True),
        (replace(FERRY, site="a.example", language="en", agency="Northwire"), True),
        (replace(FERRY, site="gazette"), True),
        (replace(FERRY, site="b.example"), False),
        (replace(FERRY, language="de"), False),
        (replace(FERRY, agency="Reuters"), False),
        (Rule("x", site="a.example"), True),
        (Rule("x", site="gazette"), True),
        (Rule("x", site="gazette", agency="Reuters"), False),
        (Rule("x", agency="Northwire"), True),
        (Rule("x", language="en"), True),
        (Rule("x", language="de"), False),
        (Rule("x", min_sites=2), True),
    ],
)
def test_filters(rule: Rule, is_match: bool) -> None:
    assert Matcher([(7, rule)]).matches(TEXT) == ([7] if is_match else [])


def test_an_article_without_language_and_agency_is_of_none() -> None:
    text = WatchedText.of("Ferry", "", "", None, None, None)
    rules = [FERRY, Rule("x", language="en"), Rule("x", agency="Northwire"), Rule("x", site="a.example")]
    assert Matcher(enumerate(rules)).matches(text) == [0]
