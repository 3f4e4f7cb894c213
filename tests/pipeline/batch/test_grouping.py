"""Groups of all pairs at once, against the plain functions for one group."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import copies
from pipeline.batch import CUTS, GROUPS, PAIRS, group
from pipeline.copies import LOOKED_AT, ArticleCopy, Contender, Cut, Passage, Shared
from pipeline.text import is_agency_site
from tests.pipeline.batch.made import IdPair, stories_table
from tests.pipeline.copies.stories import NOON, story

Row = dict[str, Any]


@st.composite
def passages(draw: st.DrawFn) -> tuple[int, int]:
    start = draw(st.integers(0, 90))
    return start, start + draw(st.integers(1, 60))


@st.composite
def pairs(draw: st.DrawFn, ids: int) -> list[Row]:
    """Pairs with any passages: about a third of them hold one another."""
    of = st.integers(1, ids)
    chosen = draw(st.sets(st.tuples(of, of).filter(lambda pair: pair[0] < pair[1]), max_size=3 * ids))
    rows = []
    for a, b in sorted(chosen):
        (a_start, a_end), (b_start, b_end) = draw(passages()), draw(passages())
        jaccard = draw(st.sampled_from([0.3, 0.6, 0.95, 1.0]))
        rows.append(
            {
                "a": a,
                "b": b,
                "kind": "near",
                "jaccard": jaccard,
                "containment": max(jaccard, draw(st.sampled_from([0.6, 1.0]))),
                "a_start": a_start,
                "a_end": a_end,
                "b_start": b_start,
                "b_end": b_end,
                "holder": draw(st.sampled_from([None, None, a, b])),
            }
        )
    return rows


@st.composite
def members(draw: st.DrawFn, ids: int) -> list[ArticleCopy]:
    """Articles at few times and of few sites; one of them is on the site of an agency that some credit."""
    made = []
    for id in range(1, ids + 1):
        site = draw(st.sampled_from(["a.example", "b.example", "reuters.com"]))
        days = draw(st.sampled_from([None, 0, 0, 0.25, 2]))
        text = " ".join(["word"] * draw(st.integers(1, 9)))
        one = story(text, id=id, days=days, site=site, title=draw(st.sampled_from(["One", "Two", ""])))
        agency = draw(st.sampled_from([None, "Reuters", "AFP"]))
        fetched_at = NOON + timedelta(days=draw(st.integers(0, 2)))
        made.append(replace(one, url=f"https://{site}/{hash_of(id)}", agency=agency, fetched_at=fetched_at))
    return made


def hash_of(id: int) -> int:
    """Names in an order of their own."""
    return id * 7919 % 100_003


def plain(
    rows: list[Row], stories: list[ArticleCopy]
) -> tuple[set[tuple[int, int, bool]], dict[IdPair, int]]:
    """GROUPS and CUTS by definition."""
    shared: dict[int, dict[int, Passage]] = {}
    held: set[IdPair] = set()
    for row in rows:
        for one, other in (("a", "b"), ("b", "a")):
            shared.setdefault(row[one], {})[row[other]] = Passage(row[f"{one}_start"], row[f"{one}_end"])
            if row["holder"] == row[one]:
                held.add((row[one], row[other]))
    ids = {(row["a"], row["b"]) for row in rows}
    bridged = copies.bridges(shared, held, ids)
    cuts = {
        (a, b): (Cut.BY_A if (a, b) in bridged else 0) | (Cut.BY_B if (b, a) in bridged else 0)
        for a, b in ids
        if (a, b) in bridged or (b, a) in bridged
    }
    known = {one.id: one for one in stories}
    found = set()
    for part in copies.components(shared, ids - cuts.keys()):
        chosen = canonical([known[id] for id in part], rows, cuts, known)
        found |= {(id, min(part), id == chosen) for id in part}
    return found, cuts


def canonical(
    part: list[ArticleCopy], rows: list[Row], cuts: dict[IdPair, int], known: dict[int, ArticleCopy]
) -> int:
    if len(part) > LOOKED_AT:
        dated = [one for one in part if one.published_at is not None]
        undated = [one for one in part if one.published_at is None]
        part = sorted(dated, key=lambda one: (one.published_at, one.url))[:LOOKED_AT]
        part += sorted(undated, key=lambda one: (one.fetched_at, one.url))[:LOOKED_AT]
    agencies = {one.agency for one in part if one.agency}
    contenders, shared = [], {}
    for one in part:
        of: list[Shared] = []
        holds_more = False
        for row in rows:
            for end, other, bit in (("a", "b", Cut.BY_A), ("b", "a", Cut.BY_B)):
                cut = cuts.get((row["a"], row["b"]), 0)
                if row[end] == one.id and not cut:
                    by = known[row[other]]
                    evidence = row["jaccard"], row["containment"], row[f"{end}_start"]
                    of.append(Shared(by.site, by.title, len(by.text.split()), *evidence))
                holds_more |= row[end] == one.id and bool(cut & bit)
        shared[one.id] = of
        words = len(one.text.split())
        is_own = is_agency_site(one.site, agencies)
        contenders.append(
            Contender(one.id, one.url, one.site, one.title, words, one.published_at, is_own, holds_more)
        )
    return copies.choose_canonical(contenders, shared)


def check(rows: list[Row], stories: list[ArticleCopy]) -> dict[IdPair, int]:
    found = group(pa.Table.from_pylist(rows, schema=PAIRS), stories_table(stories, {}))
    assert (found.groups.schema, found.cuts.schema) == (GROUPS, CUTS)
    groups, cuts = plain(rows, stories)
    assert [tuple(row.values()) for row in found.groups.to_pylist()] == sorted(groups)
    assert [tuple(row.values()) for row in found.cuts.to_pylist()] == [
        (a, b, bits) for (a, b), bits in sorted(cuts.items())
    ]
    return cuts


@settings(max_examples=100, deadline=None)
@given(rows=pairs(12), stories=members(14))
def test_any_pairs_give_the_groups_of_the_definition(rows: list[Row], stories: list[ArticleCopy]) -> None:
    check(rows, stories)


@settings(max_examples=10, deadline=None)
@given(rows=pairs(20), stories=members(3 * LOOKED_AT), start=st.integers(1, 5))
def test_of_a_crowd_the_earliest_are_looked_at(
    rows: list[Row], stories: list[ArticleCopy], start: int
) -> None:
    joined = {(row["a"], row["b"]) for row in rows}
    like = {"kind": "exact", "jaccard": 1.0, "containment": 1.0, "holder": None}
    whole = {"a_start": 0, "a_end": 150, "b_start": 0, "b_end": 150}
    chain = [(n, n + 1) for n in range(start, len(stories))]
    check([*rows, *({"a": a, "b": b, **like, **whole} for a, b in chain if (a, b) not in joined)], stories)


def test_a_page_of_two_stories_joins_one() -> None:
    whole = {"kind": "partial", "jaccard": 0.4, "containment": 1.0}
    page = {"b": 9, "a_start": 0, "a_end": 100, "holder": 9}
    rows = [
        {"a": 1, "b": 2, **whole, "a_start": 0, "a_end": 100, "b_start": 0, "b_end": 100, "holder": None},
        {"a": 1, **page, **whole, "b_start": 0, "b_end": 100},
        {"a": 2, **page, **whole, "b_start": 0, "b_end": 100},
        {"a": 3, **page, **whole, "b_start": 200, "b_end": 260},
    ]
    stories = [replace(story("word", id=id), site=f"{id}.example") for id in (9, 1, 3, 2)]
    assert check(rows, stories) == {(3, 9): Cut.BY_B}


def test_no_pairs_are_no_groups() -> None:
    assert check([], []) == {}
    assert check([], [story("word")]) == {}


def test_a_missing_story_is_an_error() -> None:
    row = {"a": 1, "b": 2, "kind": "exact", "jaccard": 1.0, "containment": 1.0}
    row |= {"a_start": 0, "a_end": 9, "b_start": 0, "b_end": 9, "holder": None}
    with pytest.raises(KeyError, match="article 2"):
        group(pa.Table.from_pylist([row], schema=PAIRS), stories_table([story("word", id=1)], {}))
