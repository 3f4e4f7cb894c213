"""Words of a changed sentence: same, added or dropped, and figures that differ."""

from __future__ import annotations

import pytest

from pipeline.copies.word_changes import Key, Part, PartKind, have_other_figures, key_of, word_changes

SAME, DROPPED, ADDED = PartKind.SAME, PartKind.DROPPED, PartKind.ADDED


def nowhere(key: Key) -> bool:
    return False


def changes(canonical: str, copy: str) -> tuple[Part, ...]:
    return word_changes(canonical, copy, nowhere, nowhere)


def test_keys_are_equal_for_equal_words() -> None:
    assert key_of("12.5 per cent") == key_of("12,5%")
    assert key_of("THE FERRY,") == key_of("the ferry")
    assert key_of("—") == ()


def test_a_changed_word_is_dropped_and_added_in_its_place() -> None:
    assert changes("The old ferry sails on Monday.", "The old ferry sails on Tuesday.") == (
        Part(SAME, "The old ferry sails on "),
        Part(DROPPED, "Monday. "),
        Part(ADDED, "Tuesday."),
    )


def test_same_words_are_written_as_the_copy_has_them() -> None:
    assert changes("the old ferry sails", "THE OLD FERRY – sails") == (Part(SAME, "THE OLD FERRY – sails"),)


def test_words_that_make_a_figure_together_stay_together() -> None:
    (_, dropped, added, _) = changes("It lost 12 500 crowns last year", "It lost 13 700 crowns last year")
    assert (dropped, added) == (Part(DROPPED, "12 500 "), Part(ADDED, "13 700 "))


def test_words_that_are_elsewhere_in_the_text_are_neither_dropped_nor_added() -> None:
    short, rest = "The old ferry sails on.", "the mayor said on Monday"
    is_rest = key_of(rest).__eq__
    assert word_changes(f"{short} {rest}", short, nowhere, is_rest) == (Part(SAME, short),)
    assert word_changes(short, f"{short} {rest}", is_rest, nowhere) == (Part(SAME, f"{short} {rest}"),)
    assert changes(f"{short} {rest}", short)[-1] == Part(DROPPED, rest)


def test_a_script_without_blanks_is_compared_by_characters() -> None:
    assert changes("关闭两个码头", "关闭三个码头") == (
        Part(SAME, "关闭"),
        Part(DROPPED, "两"),
        Part(ADDED, "三"),
        Part(SAME, "个码头"),
    )


@pytest.mark.parametrize(
    ("canonical", "copy", "differ"),
    [
        ("with 146 jobs lost", "with 152 jobs lost", True),
        ("with 146 jobs lost", "with some jobs lost", True),
        ("with 146 jobs lost", "with 146 posts lost", False),
        ("said Moreau on Monday", "said Lindqvist on Monday", False),
    ],
)
def test_figures_that_differ_are_noticed(canonical: str, copy: str, differ: bool) -> None:
    assert have_other_figures(changes(canonical, copy)) is differ
