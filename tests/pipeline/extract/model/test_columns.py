"""The evidence of a page's blocks, as the block model reads it."""

from __future__ import annotations

from random import Random

import lxml.html
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract.model.columns import columns_of, first_sight, main_containers, teasers, view_of
from pipeline.extract.model.name_features import TokenOdds
from pipeline.extract.model.page_features import Stated
from pipeline.extract.model.trees import NAMES, evidence, hopeless
from pipeline.extract.structure import is_teaser
from pipeline.page.blocks import Page, segment_page
from tests.pipeline.extract.model.test_trees import PAGE, STORY, page_of, verdict_of


def rows_of(
    page: Page,
    verdict: np.ndarray,
    odds: dict[str, tuple[float, float]] | None = None,
    titles: tuple[str, ...] = (),
    descriptions: tuple[str, ...] = (),
) -> list[dict[str, float]]:
    """The evidence of each block by name."""
    view = view_of(columns_of([page]), verdict, verdict)
    found = evidence(view, [Stated(titles, descriptions)], TokenOdds(odds or {}))
    assert found.shape == (len(NAMES), len(page.blocks))
    assert np.isfinite(found).all()
    return [dict(zip(NAMES, row, strict=True)) for row in found.T.tolist()]


def test_every_feature_has_a_name_of_its_own() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_token_odds_reach_the_blocks_below_the_named_container() -> None:
    page = page_of(PAGE)
    odds = {"newsletter": (-2.0, -1.5), "signup": (-1.0, -1.75), "related": (0.5, 0.25), "body": (0.5, 0.75)}
    rows = rows_of(page, verdict_of(page, *STORY), odds)
    row = {block.text: found for block, found in zip(page.blocks, rows, strict=True)}
    line = row["Sign up for our newsletter and never miss a tide."]
    assert [line[f"token.path.{n}"] for n in range(4)] == [-2.0, 0.0, -1.75, 0.0]
    assert [line[f"token.own.{n}"] for n in range(4)] == [0.0] * 4
    assert [line[f"token.up.{n}"] for n in range(4)] == [-2.0, 0.0, -1.75, 0.0]
    below = next(found for text, found in row.items() if text.startswith("Ferry timetable changes again"))
    assert [below[f"token.path.{n}"] for n in range(4)] == [0.0, 0.5, 0.0, 0.25]
    # the article's own container speaks for itself only
    assert row[STORY[0]]["token.path.1"] == 0.0
    assert row[STORY[0]]["token.up.1"] == 0.5


def test_odds_are_told_alike_however_many_names_were_met_before() -> None:
    odds = TokenOdds({"teaser": (-1.0, 0.5), "body": (2.0, -0.25)})
    names = [frozenset((f"body-{'x' * n}", "teaser")) for n in range(600)]
    expected = [-1.0, -2.0, -0.25, -0.5]  # highest odds with their sign turned
    assert odds.of(names[:3]).T.tolist() == [expected] * 3
    assert odds.of([*names, frozenset()]).T.tolist() == [*[expected] * 600, [0.0] * 4]


def test_words_of_names_are_runs_of_plain_letters() -> None:
    odds = TokenOdds({"teaser": (-1.0, 0.5), "body": (2.0, -0.25), "tail": (3.0, 0.0)})
    names = ["#teaser#", "1body\u00fc", "bodyteaser", "b-ody", 24 * "x" + "tail", 23 * "x" + "tail", ""]
    lowest = odds.of([frozenset((name,)) for name in names])[[0, 1]].T.tolist()
    teaser, body, tail, none = [-1.0, 0.0], [0.0, -2.0], [0.0, -3.0], [0.0, 0.0]
    assert lowest == [teaser, body, none, none, tail, none, none]


def test_the_main_container_is_the_deepest_with_most_of_the_kept_text() -> None:
    columns = columns_of([page_of("<div><p>a</p><p>b</p></div>"), page_of("<p>c</p>")])
    assert columns.depth.tolist() == [0, 1, 2, 3, 4, 4, 0, 1, 2, 3]

    def found(*kept: float) -> list[int]:
        return main_containers(columns, np.array([100.0, 100.0, 100.0, *kept, 9.0, 9.0, 9.0, 8.0]))

    assert found(90.0, 85.0, 5.0) == [4, 9]
    assert found(90.0, 45.0, 45.0) == [3, 9]
    assert main_containers(columns, np.zeros(10)) == [0, 6]


def features_of(html: str) -> list[dict[str, float]]:
    """Of every block of a page of which nothing is taken for the article."""
    page = page_of(html)
    return rows_of(page, np.zeros(len(page.blocks), dtype=np.float32))


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
    seen = first_sight(columns_of([page]))
    return [block.text for block, taken in zip(page.blocks, seen, strict=True) if taken]


def test_at_first_sight_the_article_is_where_most_prose_stands() -> None:
    page = page_of(PAGE)
    taken = [
        block.text for block, seen in zip(page.blocks, first_sight(columns_of([page])), strict=True) if seen
    ]
    assert set(STORY) <= set(taken)
    assert not any("timetable" in text or "All rights" in text for text in taken)


def test_at_first_sight_long_comments_do_not_outweigh_the_story() -> None:
    endless = "and so on they wrote and " * 60
    story = STORY * 2
    body = "".join(f"<p>{text}</p>" for text in story)
    page = page_of(f"<main><div>{body}</div></main><section>{endless}</section>")
    taken = [
        block.text for block, seen in zip(page.blocks, first_sight(columns_of([page])), strict=True) if seen
    ]
    assert taken == story


def test_a_page_without_prose_has_a_first_sight_all_the_same() -> None:
    assert first_sight(columns_of([page_of("<p>Closed</p>")])).tolist() == [0.0]
    assert first_sight(columns_of([segment_page(lxml.html.fromstring("<p></p>"))])).shape == (0,)


_LINE = st.sampled_from(
    [
        "<a href=/1>Ferry timetable changes again</a>",
        "<p>" + STORY[0] + "</p>",
        "<p>Read on.</p>",
        "<p><a href=/2>All of it</a> and no more than that</p>",
        "<p>" + "word " * 70 + "</p>",
    ]
)
_BOX = st.recursive(
    _LINE,
    lambda inner: st.lists(inner, min_size=1, max_size=9).map(lambda parts: f"<div>{''.join(parts)}</div>"),
    max_leaves=40,
)


@settings(max_examples=60, deadline=None)
@given(_BOX)
def test_all_teasers_are_told_at_once_as_the_rules_tell_one(html: str) -> None:
    page = page_of(html)
    assert teasers(columns_of([page])).tolist() == [is_teaser(page, block) for block in page.blocks]


@settings(max_examples=60, deadline=None)
@given(st.lists(_BOX, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_a_page_is_the_same_whatever_stands_beside_it(htmls: list[str], random: Random) -> None:
    pages = [page_of(f"<div class=body>{html}</div>") for html in htmls]
    taken = [[random.choice((0.0, 0.3, 1.0)) for _ in page.blocks] for page in pages]
    ruled = [[share * random.choice((0.0, 1.0)) for share in shares] for shares in taken]
    stated = [Stated((STORY[n % 2], "Ferry timetable"), (STORY[0],)) for n in range(len(pages))]
    odds = TokenOdds({"body": (1.0, -0.5)})
    together = view_of(columns_of(pages), np.concatenate(taken), np.concatenate(ruled))
    apart = [view_of(columns_of([page]), *of) for page, *of in zip(pages, taken, ruled, strict=True)]
    sights = [first_sight(view.columns) for view in apart]
    assert np.array_equal(first_sight(together.columns), np.concatenate(sights))
    assert np.array_equal(hopeless(together), np.concatenate([hopeless(view) for view in apart]))
    expected = [evidence(view, [of], odds) for view, of in zip(apart, stated, strict=True)]
    assert np.array_equal(evidence(together, stated, odds), np.concatenate(expected, axis=1))
