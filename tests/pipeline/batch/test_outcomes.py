"""Outcomes survive the way through an Arrow table and a Parquet file in every field."""

from __future__ import annotations

import io
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.batch import OUTCOMES, PAGES, outcomes_of, outcomes_table, pages_table, shard_of
from pipeline.document import (
    Access,
    Article,
    Claims,
    Fingerprint,
    MediaType,
    Origin,
    Outcome,
    PageBytes,
    Reason,
    Rejection,
    Removed,
    RightsStatement,
    SearchWords,
    Stage,
)

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
MAYBE = st.none() | TEXT
SMALL = st.integers(-(1 << 62), 1 << 62)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC) | ZONES)  # noqa: DTZ001


def several(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, max_size=3).map(tuple)


RIGHTS = several(st.builds(RightsStatement, TEXT, TEXT, TEXT, MAYBE, st.none() | st.booleans()))
CLAIMS = st.builds(
    Claims,
    title=MAYBE,
    published_at=MAYBE,
    authors=several(TEXT),
    language=MAYBE,
    description=MAYBE,
    section=MAYBE,
    keywords=st.none() | several(TEXT),
    image_url=MAYBE,
    rights=RIGHTS,
)
PAGE = st.builds(
    PageBytes,
    sha256=st.binary(min_size=32, max_size=32),
    compressed=st.binary(max_size=9),
    size=SMALL,
    media_type=st.sampled_from(MediaType),
    encoding=MAYBE,
    origin=st.sampled_from(Origin),
    fetched_at=TIMES,
    url=TEXT,
    publisher=MAYBE,
    claims=CLAIMS,
    headers=several(st.tuples(TEXT, TEXT)),
)
ARTICLES = st.builds(
    Article,
    url=TEXT,
    location=TEXT,
    publisher=MAYBE,
    site=TEXT,
    title=TEXT,
    text=TEXT,
    authors=several(TEXT),
    byline=MAYBE,
    dateline=MAYBE,
    agency=MAYBE,
    published_at=st.none() | TIMES,
    published_offset=st.none() | st.integers(-900, 900),
    published_source=MAYBE,
    language=MAYBE,
    access=st.sampled_from(Access),
    syndicated_from=MAYBE,
    word_count=SMALL,
    search_words=st.just(SearchWords("", "")),
    removed=several(st.builds(Removed, SMALL, TEXT, TEXT)),
    fingerprint=st.none()
    | st.builds(Fingerprint, TEXT, st.binary(max_size=12), several(st.integers(-(1 << 63), (1 << 63) - 1))),
    rules_version=TEXT,
    page=PAGE,
    description=MAYBE,
    section=MAYBE,
    keywords=st.none() | several(TEXT),
    image_url=MAYBE,
    rights=st.none() | RIGHTS,
)
REJECTIONS = st.builds(
    Rejection,
    location=TEXT,
    url=MAYBE,
    stage=st.sampled_from(Stage),
    reason=st.sampled_from(Reason),
    detail=TEXT,
    at=TIMES,
    rules_version=TEXT,
    page=st.none() | PAGE,
    is_gone=st.booleans(),
)
OUTCOME: st.SearchStrategy[Outcome] = st.one_of(ARTICLES, REJECTIONS)


def without_bytes(outcome: Outcome) -> Outcome:
    return replace(outcome, page=replace(outcome.page, compressed=b"")) if outcome.page else outcome


def through_parquet(table: pa.Table, rows: int) -> pa.Table:
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=rows)
    return pq.read_table(file)


@settings(max_examples=60, deadline=None)
@given(made=st.lists(OUTCOME, max_size=8), rows=st.integers(1, 8), start=st.integers(0, 8))
def test_every_field_comes_back(made: list[Outcome], rows: int, start: int) -> None:
    sequences = [n << 32 for n in range(len(made))]
    table = outcomes_table(made, sequences)
    assert table.schema == OUTCOMES
    wanted = [without_bytes(outcome) for outcome in made]
    assert outcomes_of(table) == wanted
    assert outcomes_of(table.slice(start)) == wanted[start:]
    read = through_parquet(table, rows)
    assert read.schema == OUTCOMES
    assert outcomes_of(read) == wanted
    assert read["sequence"].to_pylist() == sequences


@settings(max_examples=30, deadline=None)
@given(made=st.lists(OUTCOME, max_size=5))
def test_bytes_of_pages_are_a_table_of_their_own(made: list[Outcome]) -> None:
    table = pages_table(made, list(range(10, 10 + len(made))))
    assert table.schema == PAGES
    pages = [(n, outcome.page.compressed) for n, outcome in enumerate(made, 10) if outcome.page]
    assert list(zip(table["sequence"].to_pylist(), table["body"].to_pylist(), strict=True)) == pages


@given(article=ARTICLES)
@settings(max_examples=5, deadline=None)
def test_none_and_nothing_are_different(article: Article) -> None:
    for keywords, rights in ((None, ()), ((), None)):
        made = replace(article, keywords=keywords, rights=rights)
        [found] = outcomes_of(outcomes_table([made], [1]))
        assert isinstance(found, Article)
        assert (found.keywords, found.rights) == (keywords, rights)


def test_every_field_has_a_column() -> None:
    of_outcomes = {field.name for record in (Article, Rejection) for field in fields(record)}
    assert set(OUTCOMES.names) == of_outcomes - {"search_words"} | {"sequence", "shard", "kind"}
    for name, record, left_out in (
        ("page", PageBytes, {"compressed"}),
        ("fingerprint", Fingerprint, set()),
    ):
        children = {child.name for child in OUTCOMES.field(name).type}
        assert children == {field.name for field in fields(record)} - left_out
    claims = OUTCOMES.field("page").type.field("claims").type
    assert {child.name for child in claims} == {field.name for field in fields(Claims)}


@given(article=ARTICLES, rejection=REJECTIONS)
@settings(max_examples=5, deadline=None)
def test_an_article_and_what_was_rejected_there_are_in_one_shard(
    article: Article, rejection: Rejection
) -> None:
    made: list[Outcome] = [article, replace(rejection, location=article.url)]
    assert outcomes_table(made, [1, 2])["shard"].to_pylist() == [shard_of(article.url)] * 2
    assert 0 <= shard_of(article.url) < 1 << 31


@given(article=ARTICLES)
@settings(max_examples=5, deadline=None)
def test_what_is_not_storable_is_refused(article: Article) -> None:
    with pytest.raises(UnicodeEncodeError):
        outcomes_table([replace(article, title="\ud800")], [1])
    with pytest.raises(TypeError):
        outcomes_table([replace(article, published_at=datetime(2026, 1, 1))], [1])  # noqa: DTZ001
