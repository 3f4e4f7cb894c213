"""Which blocks are kept, given the probability of each."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.extract.model.columns import BlockColumns, block_columns
from pipeline.extract.model.page_features import StatedTexts
from pipeline.extract.model.predict import keep_probabilities
from pipeline.extract.model.selection import BlockSelection, expected_f1, select_blocks
from tests.pipeline.extract.pages import PAGE, STORY, page_of, shares_of


def selected(columns: BlockColumns, share: np.ndarray, ruled: np.ndarray, *titles: str) -> BlockSelection:
    probabilities = keep_probabilities(columns, share, ruled, [StatedTexts(titles)])
    (found,) = select_blocks(columns, probabilities, share, ruled)
    return found


def test_the_story_is_kept_and_the_page_around_it_is_not() -> None:
    page = page_of(PAGE)
    share = shares_of(page, *STORY)
    selection = selected(block_columns([page]), share, share, "Board votes to dredge eastern channel")
    assert not selection.is_empty
    assert [block.text for block, keep in zip(page.blocks, selection.keep, strict=True) if keep] == STORY


def test_a_page_that_the_model_would_empty_is_left_to_the_rules() -> None:
    page = page_of("<html><body><div><p>Closed today.</p></div></body></html>")
    selection = selected(block_columns([page]), np.ones(1), np.ones(1))
    assert selection.is_empty
    assert selection.expected_f1 == 0.0
    assert selection.keep.tolist() == [True]


def test_what_a_rule_drops_stays_out_and_what_nobody_took_needs_more_than_what_the_rules_keep() -> None:
    page = page_of("<html><body>" + "".join(f"<p>{text}</p>" for text in STORY) + "</body></html>")
    probability = np.array([0.9, 0.34, 0.34, 0.9, 0.2], dtype=np.float32)
    (selection,) = select_blocks(
        block_columns([page]), probability, candidate=[1, 1, 0, 1, 1], ruled=[1, 1, 0, 0, 1]
    )
    assert selection.keep.tolist() == [True, True, False, False, False]


def test_the_harder_a_page_is_to_judge_the_less_certain_a_block_needs_to_be() -> None:
    page = page_of("<html><body>" + "".join(f"<p>{text}</p>" for text in STORY) + "</body></html>")
    everywhere = [1.0] * len(STORY)
    sure = np.array([0.99, 0.99, 0.99, 0.99, 0.4], dtype=np.float32)
    unsure = np.array([0.6, 0.5, 0.5, 0.5, 0.4], dtype=np.float32)
    (of_sure,) = select_blocks(block_columns([page]), sure, everywhere, everywhere)
    assert of_sure.keep.tolist() == [True, True, True, True, False]
    (of_unsure,) = select_blocks(block_columns([page]), unsure, everywhere, everywhere)
    assert of_unsure.keep.all()


def test_the_f1_to_expect_is_that_of_the_best_choice() -> None:
    words = np.array([10.0, 10.0])
    assert expected_f1(np.array([1.0, 0.0]), words) == pytest.approx(1.0)
    # both: 2 * 10 / (20 + 10); only one of them: 2 * 5 / (10 + 10)
    assert expected_f1(np.array([0.5, 0.5]), words) == pytest.approx(2 / 3)
    assert expected_f1(np.zeros(0), np.zeros(0)) == 0.0
