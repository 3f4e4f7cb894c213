"""The evidence of a page's blocks, as the block model reads it."""

from __future__ import annotations

import lxml.html
import numpy as np
import pytest

from pipeline.blockfeatures import (
    TokenOdds,
    columns_of,
    first_sight,
    main_container,
    page_features,
    token_features,
)
from pipeline.blocks import Page, segment
from tests.pipeline.test_blockmodel import PAGE, STORY, page_of, verdict_of


def test_names_and_columns_agree() -> None:
    page = page_of(PAGE)
    columns, verdict = columns_of(page), verdict_of(page, *STORY)
    for matrix, names in (
        page_features(columns, verdict, verdict, ("a title",), ("A description of some six words here.",)),
        token_features(columns, verdict, TokenOdds({"newsletter": (-2.0, -1.0)})),
    ):
        assert matrix.shape == (len(page.blocks), len(names))
        assert len(set(names)) == len(names)
        assert np.isfinite(matrix).all()


def test_token_odds_reach_the_blocks_below_the_named_container() -> None:
    page = page_of(PAGE)
    columns, verdict = columns_of(page), verdict_of(page, *STORY)
    matrix, names = token_features(
        columns, verdict, TokenOdds({"newsletter": (-2.0, -1.5), "body": (0.5, 0.7)})
    )
    row = {b.text: dict(zip(names, r, strict=True)) for b, r in zip(page.blocks, matrix, strict=True)}
    line = row["Sign up for our newsletter and never miss a tide."]
    assert (line["token.path.0"], line["token.path.2"]) == (-2.0, -1.5)
    assert row["Lighthouse keeper retires with a concert on the pier"]["token.path.0"] == 0.0


def test_the_main_container_is_the_deepest_with_most_of_the_kept_text() -> None:
    depth = np.array([0, 1, 2, 2])
    assert main_container(np.array([100.0, 90.0, 85.0, 5.0]), depth) == 2
    assert main_container(np.array([100.0, 90.0, 45.0, 45.0]), depth) == 1
    assert main_container(np.zeros(4), depth) == 0


def features_of(html: str) -> list[dict[str, float]]:
    """Of every block of a page of which nothing is taken for the article."""
    columns = columns_of(page_of(html))
    none = np.zeros(len(columns.words), dtype=np.float32)
    matrix, names = page_features(columns, none, none)
    return [dict(zip(names, row.tolist(), strict=True)) for row in matrix]


def test_characters_are_counted_in_each_text_by_itself() -> None:
    first, second = features_of(
        "<p>At 10:45 the <a>Mayor</a> said: «No.» Then, in 1999; he left /Łódź/.</p><p>a | b © c</p>"
    )
    assert first["upper"] * first["chars"] == pytest.approx(4)  # A, M, N, T; Ł is not among those counted
    assert first["capitalised"] * first["words"] == pytest.approx(4)
    assert first["commas"] * first["words"] == pytest.approx(2)
    assert first["stops"] == 0  # none of its full stops stands before a blank
    assert first["quotes"] == 2
    assert first["separators"] * first["words"] == pytest.approx(3)  # » and two strokes
    assert (first["clock"], first["address"], first["sentence_end"]) == (1, 0, 1)
    assert (second["clock"], second["address"], second["sentence_end"]) == (0, 1, 0)
    assert second["separators"] * second["words"] == pytest.approx(1)
    assert (second["lower_start"], first["lower_start"], first["upper_start"]) == (1, 0, 1)


@pytest.mark.parametrize(
    ("text", "clock", "address"),
    [
        ("since 2019", 1, 0),
        ("room 12019 or 1999x", 0, 0),
        ("9.30 p.m.", 1, 0),
        ("two: three", 0, 0),
        ("see https://example.org", 0, 1),
        ("write to desk@example.org", 0, 1),
        ("1", 0, 0),
        ("20", 0, 0),
    ],
)
def test_times_years_and_addresses_are_found_at_any_place(text: str, clock: int, address: int) -> None:
    # also where the next text could be read on from this one
    rows = features_of(f"<p>{text}</p><p>19 was the number</p><p>{text}</p>")
    assert [(row["clock"], row["address"]) for row in rows[::2]] == [(clock, address)] * 2
    assert rows[1]["clock"] == 0


def test_a_character_beyond_the_basic_plane_is_one_character() -> None:
    plain, other = features_of("<p>A dog and a Cat.</p><p>A 🐕🐕🐕 and a Cat.</p>")
    assert other["chars"] == plain["chars"]
    assert other["capitalised"] * other["words"] == pytest.approx(1)


def seen_at_first(page: Page) -> list[str]:
    seen = first_sight(columns_of(page))
    return [block.text for block, taken in zip(page.blocks, seen, strict=True) if taken]


def test_at_first_sight_the_article_is_where_most_prose_stands() -> None:
    page = page_of(PAGE)
    taken = [
        block.text for block, seen in zip(page.blocks, first_sight(columns_of(page)), strict=True) if seen
    ]
    assert set(STORY) <= set(taken)
    assert not any("timetable" in text or "All rights" in text for text in taken)


def test_at_first_sight_long_comments_do_not_outweigh_the_story() -> None:
    endless = "and so on they wrote and " * 60
    story = STORY * 2
    body = "".join(f"<p>{text}</p>" for text in story)
    page = page_of(f"<main><div>{body}</div></main><section>{endless}</section>")
    taken = [
        block.text for block, seen in zip(page.blocks, first_sight(columns_of(page)), strict=True) if seen
    ]
    assert taken == story


def test_a_page_without_prose_has_a_first_sight_all_the_same() -> None:
    assert first_sight(columns_of(page_of("<p>Closed</p>"))).tolist() == [0.0]
    assert first_sight(
        columns_of(Page(containers=segment(lxml.html.fromstring("<p></p>")).containers))
    ).shape == (0,)
