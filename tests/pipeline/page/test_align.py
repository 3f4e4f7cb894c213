"""Finding an extractor's lines among the blocks of a page."""

from __future__ import annotations

import lxml.html
from hypothesis import given
from hypothesis import strategies as st

from pipeline.page.align import align_lines
from pipeline.page.blocks import RawBlock, segment_page
from pipeline.text import runs


def blocks(*texts: str) -> list[RawBlock]:
    body = "".join(f"<p>{text}</p>" for text in texts)
    return segment_page(lxml.html.document_fromstring(f"<html><body><div>{body}</div></body></html>")).blocks


def test_lines_find_their_blocks() -> None:
    page = blocks("Home", "The first line.", "Share", "The second line.", "Contact")
    assert [p.index for p in align_lines(page, ["The first line.", "The second line."])] == [1, 3]


def test_spaces_case_and_punctuation_do_not_matter() -> None:
    page = blocks("“The  mayor — she left.”")
    assert align_lines(page, ['"The mayor - she left."'])[0].text == "“The mayor — she left.”"


def test_a_line_may_be_several_blocks_and_a_block_several_lines() -> None:
    page = blocks("Six words stand in this line.", "Six more words stand in here.", "Left over, a b c d.")
    joined = "Six words stand in this line. Six more words stand in here."
    assert [p.index for p in align_lines(page, [joined, "Left over, a b", "c d."])] == [0, 1, 2]


def test_a_short_block_is_found_only_where_a_line_begins() -> None:
    page = blocks("Share", "People who share a garden talk more, a study says.")
    assert [p.index for p in align_lines(page, ["People who share a garden talk more, a study says."])] == [1]


def test_a_repeated_line_is_found_once_a_time_in_order() -> None:
    page = blocks("Watch below.", "One sentence here.", "Watch below.", "Another sentence there.")
    lines = ["Watch below.", "One sentence here.", "Watch below.", "Another sentence there."]
    assert [p.index for p in align_lines(page, lines)] == [0, 1, 2, 3]


def test_a_line_from_which_a_piece_was_cut_keeps_its_own_text() -> None:
    page = blocks("The mill opens a new tab (opens in a new window) on Monday, said its owner.")
    line = "The mill opens a new tab on Monday, said its owner."
    piece = align_lines(page, [line])[0]
    assert (piece.index, piece.text) == (0, line)


def test_a_line_that_is_not_on_the_page_is_kept_after_the_line_before_it() -> None:
    page = blocks("The first line.", "The second line.")
    pieces = align_lines(page, ["The first line.", "Made of something else altogether.", "The second line."])
    assert [p.index for p in pieces] == [0, None, 1]
    assert pieces[1].text == "Made of something else altogether."


_LINES = st.lists(
    st.text(alphabet="ab c.", min_size=1, max_size=12).filter(lambda t: t.strip(" .")), max_size=12
)


@given(_LINES, _LINES)
def test_no_word_of_the_lines_is_lost(page: list[str], lines: list[str]) -> None:
    found = align_lines(blocks("x", *page), lines)
    wanted = sorted(word for line in lines for word in runs(line))
    assert sorted(word for piece in found for word in runs(piece.text)) == wanted
