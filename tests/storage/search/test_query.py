"""Every text is a query or is refused in one line, and snippets show the matches."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.text.search_words import folded_words
from storage.search.query import (
    MOST_WORDS,
    SNIPPET_WORDS,
    Query,
    QueryError,
    Snippet,
    Term,
    as_fts5,
    as_tsquery,
    make_snippet,
    parse_query,
)
from tests.conftest import PostgresServer

SIGNS = """
    ferry OR AND NOT NEAR(a b) NEAR " “ - * ' : <-> & | ! \\ ( ) {title}: ^ + ; -- /* %s :query 中央 水 a*b
"""
PIECES = st.one_of(st.text(max_size=8), st.sampled_from(SIGNS.split()), st.sampled_from(["\0", "\ud800", ""]))
QUERIES = st.lists(PIECES, max_size=8).map(" ".join) | st.lists(PIECES, max_size=8).map("".join)


def term(*words: str, begins: bool = False) -> Term:
    return Term(words, begins)


FERRY, BOAT, STRIKE = term("ferry"), term("boat"), term("strike")


@pytest.mark.parametrize(
    ("query", "clauses", "excluded"),
    [
        ("ferry", [[FERRY]], []),
        ("Ferry BOAT", [[FERRY], [BOAT]], []),
        ("ferry AND boat", [[FERRY], [BOAT]], []),
        ("ferry OR boat", [[FERRY, BOAT]], []),
        ("strike ferry OR boat", [[STRIKE], [FERRY, BOAT]], []),
        ("ferry or boat", [[FERRY], [term("or")], [BOAT]], []),
        ("ferry -strike", [[FERRY]], [STRIKE]),
        ("ferry NOT strike", [[FERRY]], [STRIKE]),
        ("-strike ferry OR boat", [[FERRY, BOAT]], [STRIKE]),
        ("ferry OR -strike boat", [[FERRY], [BOAT]], [STRIKE]),
        ("OR ferry OR OR boat OR", [[FERRY, BOAT]], []),
        ('"runs aground"', [[term("runs", "aground")]], []),
        ('"runs aground', [[term("runs", "aground")]], []),
        ("„runs aground“", [[term("runs", "aground")]], []),
        ('ferry -"runs aground"boat', [[FERRY], [BOAT]], [term("runs", "aground")]),
        ('"runs agr"*', [[term("runs", "agr", begins=True)]], []),
        ('"runs agr*"', [[term("runs", "agr", begins=True)]], []),
        ("ferr* - * boat", [[term("ferr", begins=True)], [BOAT]], []),
        ("a-b 4.25 l'eau", [[term("a", "b")], [term("4", "25")], [term("l", "eau")]], []),
        ("title:ferry NEAR(ferry)", [[term("title", "ferry")], [term("near", "ferry")]], []),
        ("中央銀行", [[term("中央", "央銀", "銀行")]], []),
        ("中央* 水", [[term("中央")], [term("水", begins=True)]], []),
    ],
)
def test_a_query_is_read_into_terms(query: str, clauses: list[list[Term]], excluded: list[Term]) -> None:
    assert parse_query(query) == Query(tuple(map(tuple, clauses)), tuple(excluded))


@pytest.mark.parametrize(
    "query", ["", " ", "-ferry", "NOT ferry", "OR", '"', "— *", "-", "\0", " ".join(map(str, range(201)))]
)
def test_a_query_without_anything_to_look_for_is_refused(query: str) -> None:
    with pytest.raises(QueryError, match=r"write words|use fewer") as refused:
        parse_query(query)
    assert "\n" not in str(refused.value)


def test_a_query_is_written_for_each_database() -> None:
    query = parse_query('ferr* "runs aground" OR sinks -strike -"on hold"')

    assert as_fts5(query) == '(("ferr" *) AND ("runs aground" OR "sinks")) NOT ("strike" OR "on hold")'
    assert as_tsquery(query) == (
        "('ferr':*) & ('runs' <-> 'aground' | 'sinks') & !('strike') & !('on' <-> 'hold')"
    )


@pytest.fixture(scope="module")
def fts5() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE s USING fts5 (title, text, content = '', tokenize = 'ascii')")
    connection.execute("INSERT INTO s (rowid, title, text) VALUES (1, 'ferry', 'a b 中央 水')")
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE s (words tsvector)")
        connection.execute("INSERT INTO s VALUES (%s)", ("'ferry':1A 'a':3 'b':4 '中央':5 '水':6",))
        yield connection


@settings(max_examples=300)
@given(QUERIES)
def test_no_query_is_an_error_in_a_database(
    fts5: sqlite3.Connection, server: psycopg.Connection[Any], query: str
) -> None:
    try:
        read = parse_query(query)
    except QueryError:
        return
    assert on_sqlite(fts5, read) == on_postgresql(server, read)


def test_the_longest_query_is_no_error(fts5: sqlite3.Connection, server: psycopg.Connection[Any]) -> None:
    numbers = [str(n) for n in range(MOST_WORDS)]
    for query in (
        " ".join(numbers),
        " OR ".join(numbers),
        f'"{" ".join(numbers)}"',
        " ".join(f"{n} -x{n}" for n in numbers[: MOST_WORDS // 2]),
    ):
        read = parse_query(query)
        assert not on_sqlite(fts5, read)
        assert not on_postgresql(server, read)


def on_sqlite(fts5: sqlite3.Connection, query: Query) -> bool:
    return bool(fts5.execute("SELECT rowid FROM s WHERE s MATCH ?", (as_fts5(query),)).fetchall())


def on_postgresql(server: psycopg.Connection[Any], query: Query) -> bool:
    statement = "SELECT 1 FROM s WHERE words @@ CAST(%s AS tsquery)"
    return bool(server.execute(statement, (as_tsquery(query),)).fetchall())


# --- snippets -----------------------------------------------------------------------------------------

STORY = (
    "The council met on Monday. Nobody spoke of the harbour, and the meeting was soon over.\n"
    + "Filler words stand here to push things apart. " * 12
    + "The ferry Maid of Aldane ran aground outside the harbour, the coastguard said.\n"
    + "Further words follow it. " * 12
)


def shown(text: str, query: str) -> str:
    return make_snippet(text, parse_query(query)).marked("[", "]")


def test_a_snippet_shows_the_place_with_most_terms() -> None:
    found = shown(STORY, "harbour ferry")

    assert "The [ferry] Maid of Aldane ran aground outside the [harbour], the coastguard said." in found
    assert found.startswith("…")
    assert found.endswith("…")
    assert len(found.split()) <= SNIPPET_WORDS + 1


def test_a_snippet_marks_quotations_and_beginnings_whole() -> None:
    assert "[ran aground] [outside] the" in shown(STORY, '"ran aground" out*')


def test_a_text_without_the_terms_shows_its_beginning() -> None:
    assert shown(STORY, "zeppelin").startswith("The council met on Monday. Nobody")
    assert shown("", "zeppelin") == ""
    assert shown("— …", "zeppelin") == ""


def test_a_short_text_is_shown_whole() -> None:
    assert shown('"Škoda" wins.\nCould be.', "skoda") == '"[Škoda]" wins. Could be.'


def test_pairs_of_characters_are_marked_as_one_run() -> None:
    assert (
        shown("中央銀行は火曜日に金利を据え置いた。", "火曜日 金")
        == "中央銀行は[火曜日]に[金]利を据え置いた。"
    )


def test_a_snippet_of_a_sentence_without_spaces_is_cut() -> None:
    found = make_snippet("銀行は" * 500 + "金利" + "を上げ" * 500, parse_query("金利"))

    assert "金利" in found.text
    assert len(found.text) <= 2 * SNIPPET_WORDS + 3


def test_a_word_of_ten_thousand_characters_is_clipped() -> None:
    found = make_snippet("x" * 10_000 + " ferry " + "y" * 10_000, parse_query("ferry"))

    assert len(found.text) <= 500
    assert found.marked("[", "]").count("[ferry]") == 1


def test_excluded_terms_are_not_marked() -> None:
    assert shown("The ferry and the boat.", "ferry -zebra") == "The [ferry] and the boat."


@given(
    st.lists(st.sampled_from([*"abcde", "中央銀行", "ﬁ", "x\u0301y", "½", "水", "a.b", "\n", "— "])), QUERIES
)
def test_marks_are_parts_of_the_text_and_match_a_term(parts: list[str], query: str) -> None:
    text = " ".join(parts)
    try:
        read = parse_query(query + " a OR 央 OR fi* OR 銀行")
    except QueryError:
        return
    found = make_snippet(text, read)

    assert found == Snippet(found.text, tuple(sorted(found.marks)))
    flat = text.replace("\n", " ")
    assert found.text.strip("…") in flat
    end = 0
    for start, stop in found.marks:
        assert end <= start < stop <= len(found.text)
        end = stop
        marked = "".join(word.text for word in folded_words(found.text[start:stop]))
        assert any(term.words[0][0] == marked[0] for term in read.wanted)
