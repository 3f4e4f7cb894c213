"""Labels of blocks: whether they are in the true text of a page."""

from __future__ import annotations

import lxml.html
import pytest

from pipeline.page.blocks import RawBlock, segment_page
from training.labels import label_blocks

FIRST = "The harbour board voted on Tuesday to dredge the eastern channel after nine years of dispute."
SECOND = "Work is to begin in March, the engineer of the board said at the end of the meeting."


def blocks_of(*texts: str) -> list[RawBlock]:
    return segment_page(lxml.html.document_fromstring("".join(f"<p>{text}</p>" for text in texts))).blocks


def labels(truth: str, *texts: str) -> list[float]:
    return [round(float(share), 2) for share in label_blocks(blocks_of(*texts), truth)]


def test_blocks_of_the_truth_are_labelled_and_others_are_not() -> None:
    assert labels(f"{FIRST}\n{SECOND}", "Menu", FIRST, "Buy a boat today", SECOND, "Imprint") == [
        0,
        1,
        0,
        1,
        0,
    ]


def test_case_and_punctuation_do_not_matter() -> None:
    assert labels(FIRST, FIRST.upper().replace(",", "")) == [1]


def test_a_repeated_text_is_labelled_once() -> None:
    assert sum(labels(FIRST, FIRST, FIRST)) == 1


def test_a_block_is_labelled_by_the_part_that_is_in_the_truth() -> None:
    (share,) = labels(FIRST, f"{FIRST} {SECOND}")
    assert share == pytest.approx(16 / 34, abs=0.02)


def test_a_short_line_counts_only_as_a_line_of_the_truth_or_beside_a_match() -> None:
    truth = f"{FIRST}\nThe plan\n{SECOND}"
    assert labels(truth, FIRST, "The plan", SECOND) == [1, 1, 1]
    assert labels(f"{FIRST}\n{SECOND}", "the eastern", "Sport and weather of the day") == [0, 0]


def test_text_elsewhere_in_the_truth_is_labelled_too() -> None:
    third = (
        "Fishermen fear that the spoil could drift back over the mussel beds on which forty families live."
    )
    assert labels(f"{FIRST}\n{SECOND}\n{third}", third, FIRST, SECOND) == [1, 1, 1]


def test_a_page_without_a_match_has_no_label() -> None:
    assert labels("Nothing of this is here", FIRST) == [0]
    assert labels("", FIRST) == [0]
