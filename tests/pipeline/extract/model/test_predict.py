"""The probability of each block, on pages that the model has never seen."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract.candidates import prose_regions
from pipeline.extract.model.columns import block_columns, candidate_blocks
from pipeline.extract.model.name_features import TokenOdds
from pipeline.extract.model.page_features import StatedTexts
from pipeline.extract.model.predict import (
    FEATURES,
    features,
    keep_probabilities,
    links_far_from_candidates,
    shares_of_blocks,
)
from pipeline.page import Passage
from tests.pipeline.extract.pages import BODY, PAGE, STORY, evidence_of, page_of, shares_of


def test_every_feature_has_a_name_of_its_own() -> None:
    assert len(set(FEATURES)) == len(FEATURES)


def test_what_was_taken_by_mistake_is_less_likely_than_the_story() -> None:
    page = page_of(PAGE)
    wrong = ("Sign up for our newsletter and never miss a tide.",)
    share = shares_of(page, *STORY, *wrong)
    found = keep_probabilities(block_columns([page]), evidence_of(share), [StatedTexts()])
    by_text = {block.text: p for block, p in zip(page.blocks, found, strict=True)}
    assert by_text[wrong[0]] < min(by_text[text] for text in STORY)


def test_links_far_from_all_candidates_are_not_judged() -> None:
    menu = "".join(f'<p><a href="/{n}">A story of another day, number {n}</a></p>' for n in range(12))
    page = page_of(f"<html><body>{menu}<main><article>{BODY}</article></main></body></html>")
    columns, taken = block_columns([page]), evidence_of(shares_of(page, *STORY))
    passed_over = links_far_from_candidates(candidate_blocks(columns, taken))
    assert passed_over.tolist() == [True] * 8 + [False] * (4 + len(STORY))
    found = keep_probabilities(columns, taken, [StatedTexts()])
    assert (found > 0).tolist() == (~passed_over).tolist()
    # On a page without candidates, any block may be the story.
    nothing = evidence_of(np.zeros_like(taken.share))
    assert not links_far_from_candidates(candidate_blocks(columns, nothing)).any()


def test_a_page_without_blocks_has_nothing_to_keep() -> None:
    columns, nothing = block_columns([page_of("<html></html>")]), evidence_of(np.zeros(0, dtype=np.float32))
    assert keep_probabilities(columns, nothing, [StatedTexts()]).shape == (0,)


def test_shares_add_up_the_passages_of_a_block() -> None:
    page = page_of("<html><body><p>abcd efgh</p><p>other</p></body></html>")
    parts = [Passage(0, "abcd", 0.0), Passage(0, "efgh", 0.0), Passage(None, "elsewhere", 0.5)]
    assert shares_of_blocks(page, parts).tolist() == [pytest.approx(8 / 9), 0.0]
    assert shares_of_blocks(page, [Passage(1, "other", 1.0)] * 2).tolist() == [0.0, 1.0]


_WORDS = st.sampled_from(["story", "Share", "a", "1999", "…", "http://x", "Ελλάδα", "新聞", "٣"])
_LINE = st.lists(_WORDS, min_size=1, max_size=30).map(" ".join)
_ELEMENT = st.tuples(st.sampled_from(["p", "div", "li", "h2", "figcaption", "td", "blockquote"]), _LINE)


@settings(max_examples=60, deadline=None)
@given(st.lists(_ELEMENT, min_size=1, max_size=25), st.data())
def test_any_page_and_candidates_give_probabilities(
    lines: list[tuple[str, str]], data: st.DataObject
) -> None:
    page = page_of("<html><body>" + "".join(f"<{t}>{text}</{t}>" for t, text in lines) + "</body></html>")
    share = st.lists(st.floats(0, 1), min_size=len(page.blocks), max_size=len(page.blocks))
    taken, own, ruled_out = (np.array(data.draw(share), dtype=np.float32) for _ in range(3))
    evidence = evidence_of(taken, own, ruled_out=np.round(ruled_out))
    stated = [StatedTexts(("Share",), ("story a 1999",))]
    found = keep_probabilities(block_columns([page]), evidence, stated)
    assert found.shape == (len(page.blocks),)
    assert ((found >= 0) & (found <= 1)).all()


_PART = st.sampled_from(
    [
        "<a href=/1>Ferry timetable changes again</a>",
        "<p>" + STORY[0] + "</p>",
        "<p>Read on.</p>",
        "<p><a href=/2>All of it</a> and no more than that</p>",
        "<p>" + "word " * 70 + "</p>",
    ]
)
_BOX = st.recursive(
    _PART,
    lambda inner: st.lists(inner, min_size=1, max_size=9).map(lambda parts: f"<div>{''.join(parts)}</div>"),
    max_leaves=40,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_BOX, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_a_page_is_the_same_whatever_stands_beside_it(htmls: list[str], random: Random) -> None:
    pages = [page_of(f"<div class=body>{html}</div>") for html in htmls]
    shares, own, ruled_out = (
        [np.array([random.choice(of) for _ in page.blocks], dtype=np.float32) for page in pages]
        for of in ((0.0, 0.3, 1.0), (0.0, 0.7, 1.0), (0.0, 0.0, 1.0))
    )
    stated = [StatedTexts((STORY[n % 2], "Ferry timetable"), (STORY[0],)) for n in range(len(pages))]
    odds = TokenOdds({"body": (1.0, -0.5)})
    of_all = evidence_of(np.concatenate(shares), np.concatenate(own), ruled_out=np.concatenate(ruled_out))
    together = candidate_blocks(block_columns(pages), of_all)
    apart = [
        candidate_blocks(block_columns([page]), evidence_of(share, mine, ruled_out=out))
        for page, share, mine, out in zip(pages, shares, own, ruled_out, strict=True)
    ]
    sights = [prose_regions(view.columns) for view in apart]
    assert np.array_equal(prose_regions(together.columns), np.concatenate(sights))
    assert np.array_equal(
        links_far_from_candidates(together),
        np.concatenate([links_far_from_candidates(view) for view in apart]),
    )
    expected = [features(view, [of], odds) for view, of in zip(apart, stated, strict=True)]
    assert np.array_equal(features(together, stated, odds), np.concatenate(expected, axis=1))
