"""Which blocks are kept, given the probability of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.extract.model.columns import Array, BlockColumns, BlockEvidence, block_columns
from pipeline.extract.model.page_features import StatedTexts
from pipeline.extract.model.predict import keep_probabilities
from pipeline.extract.model.selection import BlockSelection, expected_f1, select_blocks
from tests.pipeline.extract.pages import PAGE, STORY, evidence_of, page_of, shares_of


def selected(columns: BlockColumns, evidence: BlockEvidence, *titles: str) -> BlockSelection:
    """What is selected of a page by the shipped model. No block is vetoed."""
    probabilities = keep_probabilities(columns, evidence, [StatedTexts(titles)])
    (found,) = select_blocks(columns, probabilities, evidence)
    return found


def numbers(*values: float) -> Array:
    return np.array(values, dtype=np.float32)


def kept(
    probability: Array, share: Array | None = None, own: Array | None = None, vetoed: int | None = None
) -> list[bool]:
    """Which paragraphs of STORY are kept. share: by default Trafilatura took all. vetoed: one of them."""
    page = page_of("<html><body>" + "".join(f"<p>{text}</p>" for text in STORY) + "</body></html>")
    evidence = evidence_of(np.ones(len(STORY), dtype=np.float32) if share is None else share, own)
    evidence = replace(evidence, vetoed=np.arange(len(STORY)) == vetoed)
    (selection,) = select_blocks(block_columns([page]), probability, evidence)
    return [bool(keep) for keep in selection.keep]


def test_the_story_is_kept_and_the_page_around_it_is_not() -> None:
    page = page_of(PAGE)
    evidence = evidence_of(shares_of(page, *STORY))
    selection = selected(block_columns([page]), evidence, "Board votes to dredge eastern channel")
    assert not selection.is_empty
    assert [block.text for block, keep in zip(page.blocks, selection.keep, strict=True) if keep] == STORY


def test_a_page_of_which_hardly_any_text_is_kept_is_empty() -> None:
    page = page_of(f"<html><body><p>Closed today.</p><p>{STORY[0]}</p></body></html>")
    columns, everything = block_columns([page]), evidence_of(numbers(1, 1))
    for probability, is_empty in ((numbers(0.9, 0.1), True), (numbers(0.1, 0.9), False)):
        (selection,) = select_blocks(columns, probability, everything)
        assert selection.keep.tolist() == [not is_empty, is_empty][::-1]
        assert selection.is_empty is is_empty


def test_what_is_vetoed_stays_out_however_likely_it_is() -> None:
    assert kept(numbers(0.9, 0.9, 0.9, 0.99, 0.9), vetoed=3) == [True, True, True, False, True]


def test_what_is_vetoed_does_not_make_the_others_less_certain() -> None:
    # With the fourth paragraph, of which all is sure, the others would need more than they have.
    probability = numbers(0.6, 0.3, 0.6, 1.0, 0.3)
    assert kept(probability) == [True, False, True, True, False]
    assert kept(probability, vetoed=3) == [True, True, True, False, True]


def test_what_trafilatura_did_not_take_needs_more() -> None:
    probability = numbers(0.9, 0.32, 0.32, 0.32, 0.0)
    share, own = numbers(1, 1, 0, 0, 1), numbers(1, 0, 1, 0, 1)
    assert kept(probability, share, own) == [True, True, False, False, False]


def test_the_harder_a_page_is_to_judge_the_less_certain_a_block_needs_to_be() -> None:
    assert kept(numbers(0.99, 0.99, 0.99, 0.99, 0.4)) == [True, True, True, True, False]
    assert kept(numbers(0.6, 0.5, 0.5, 0.5, 0.4)) == [True] * 5


ROWS = "<tr><td>{}</td><td>6:41 on the second day</td></tr>"
LIST = "<li>{} and all that was left of it</li>"


def completed(html: str, *unsure: int, least: float = 0.25) -> list[int]:
    """Which blocks are kept of a page on which all is sure but these."""
    page = page_of(f"<html><body><p>{STORY[0]}</p>{html}<p>{STORY[1]}</p></body></html>")
    probability = np.full(len(page.blocks), 0.95, dtype=np.float32)
    probability[list(unsure)] = least
    everything = evidence_of(np.ones(len(page.blocks), dtype=np.float32))
    (selection,) = select_blocks(block_columns([page]), probability, everything)
    return selection.keep.nonzero()[0].tolist()


@pytest.mark.parametrize(
    "html", [f"<table>{ROWS * 4}</table>", f"<ul>{LIST * 4}</ul>", f"<ol><li>One more</li>{LIST * 3}</ol>"]
)
def test_a_table_or_list_of_which_most_is_kept_is_kept_whole(html: str) -> None:
    assert completed(html, 4, 5) == [0, 1, 2, 3, 4]
    assert completed(html, 3, 4, 5) == [0, 1, 2]
    assert completed(html, 4, 5, least=0.1) == [0, 1, 2, 3]


@pytest.mark.parametrize("html", [f"<table>{ROWS * 4}</table>", f"<h2>Facts</h2><ul>{LIST * 3}</ul>"])
def test_what_stands_between_kept_blocks_is_kept_if_all_of_it_is_possible(html: str) -> None:
    assert completed(html, 1, 2, 3, 4) == [0, 1, 2, 3, 4, 5]
    assert completed(html, 2, 3, 4) == [0, 1, 2, 3, 4, 5]
    assert completed(html, 1, 2, 3, 4, least=0.1) == [0, 5]
    # Nothing is kept behind it.
    assert completed(html, 1, 2, 3, 4, 5) == [0]


def test_a_paragraph_ends_what_may_be_completed() -> None:
    html = f"<ul>{LIST * 2}</ul><p>{STORY[2]}</p><ul>{LIST}</ul>"
    assert completed(html, 1, 2, 3) == [0, 4, 5]


def test_a_heading_between_what_is_kept_is_kept() -> None:
    html = f"<h2>Results</h2><p>{STORY[2]}</p><h2>More</h2><p>{STORY[3]}</p>"
    assert completed(html, 1) == [0, 1, 2, 3, 4, 5]
    assert completed(html, 3, 4) == [0, 1, 2, 5]
    assert completed(html, 1, least=0.1) == [0, 2, 3, 4, 5]


def test_a_paragraph_in_a_table_of_the_layout_is_not_kept_for_the_others() -> None:
    html = "<table><tr><td>" + f"<p>{STORY[2]}</p>" * 4 + "</td></tr></table>"
    assert completed(html, 4) == [0, 1, 2, 3, 5]


def test_pages_are_selected_one_by_one() -> None:
    sure, unsure = (page_of(f"<p>{STORY[0]}</p><p>{STORY[1]}</p>") for _ in range(2))
    everything = evidence_of(np.ones(4, dtype=np.float32))
    probability = numbers(0.99, 0.35, 0.4, 0.35)
    both = select_blocks(block_columns([sure, unsure]), probability, everything)
    assert [selection.keep.tolist() for selection in both] == [[True, False], [True, True]]
    assert [selection.probability.tolist() for selection in both] == [
        probability[:2].tolist(),
        probability[2:].tolist(),
    ]


def test_the_f1_to_expect_is_that_of_the_best_choice() -> None:
    words = np.array([10.0, 10.0])
    assert expected_f1(np.array([1.0, 0.0]), words) == pytest.approx(1.0)
    # both: 2 * 10 / (20 + 10); only one of them: 2 * 5 / (10 + 10)
    assert expected_f1(np.array([0.5, 0.5]), words) == pytest.approx(2 / 3)
    assert expected_f1(np.zeros(0), np.zeros(0)) == 0.0
