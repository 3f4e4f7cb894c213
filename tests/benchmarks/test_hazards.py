"""The made hazards are what their lines say, and are the same in every run."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.hazards import (
    LINES,
    Base,
    Piece,
    Source,
    cases_of,
    figures,
    grouped,
    interval,
    with_other_figures,
    with_other_names,
)
from tests.storage.news import story

BASES = [Base(f"Headline on harbour number {n}", story(n, 260)) for n in range(12)]


@pytest.mark.parametrize(
    "name", ["update, .8 of the body, 4 h", "third of five briefs", "weather of two counties"]
)
def test_a_seed_gives_the_same_cases_again(name: str) -> None:
    made = cases_of(name, BASES, 3)
    assert len(made) == 3
    assert made == cases_of(name, list(reversed(BASES)), 3)


def test_a_line_without_texts_that_fit_has_no_cases() -> None:
    assert cases_of("release, eight other names", BASES, 3) == []


def test_an_update_keeps_its_part_of_the_body() -> None:
    for case in cases_of("update, .8 of the body, 30 h", BASES, 5):
        first, later = (piece.text.split("\n") for piece in case[:2])
        kept = [line for line in later if line in first]
        share = len(" ".join(kept).split()) / len(case[0].text.split())
        assert 0.7 < share <= 0.8
        assert (case[1].hours, case[0].title) == (30, case[1].title)


def test_changed_figures_and_names_leave_the_other_words() -> None:
    text = "On Monday the council of Port Alba, led by Moreau, spent 4,300 crowns on 12 boats in 2019."
    again = with_other_figures(text, 1.0, Random(1))
    assert figures(text) == figures(again) == 3
    assert [word for word in text.split() if word not in again.split()] == ["4,300", "12", "2019."]
    renamed = with_other_names(text, ["Moreau"], Random(1))
    assert "Moreau" not in renamed
    assert len(renamed.split()) == len(text.split())


_AFFAIR = [
    Base(
        "",
        "On Monday the Budget office of Alba, led by Moreau, met the Norwegian firm Tessel.\nAll stayed on.",
    ),
    Base(
        "",
        "Yesterday Moreau told reporters in Alba that the budget was late, and left at once.\nNobody came.",
    ),
    Base("", "Last week a ferry of the Callan line was late again, the captain said in Alba.\nIt rained."),
]


def test_names_are_of_persons_firms_and_places() -> None:
    """Not the words of an office, which some text has in lower case, and not the adjective of a country."""
    assert set(Source(_AFFAIR, Random(1)).names(_AFFAIR[0].text)) == {"Alba", "Moreau", "Tessel"}


def test_a_text_on_the_same_matter_shares_most_names_and_no_sentence() -> None:
    copy = Base("", f"{_AFFAIR[0].text}\nAnd more was said of Tessel and of Moreau, at some length.")
    for bases in (_AFFAIR, [*_AFFAIR, copy]):
        assert Source(bases, Random(1)).take_two(18, 18) == (_AFFAIR[0], _AFFAIR[1])


def test_two_words_of_a_hundred_are_misspelt() -> None:
    for case in cases_of("typos", BASES, 5):
        words, others = (piece.text.split() for piece in case[:2])
        assert len(words) == len(others)
        assert sum(a != b for a, b in zip(words, others, strict=True)) == round(0.02 * len(words))


def test_a_part_of_a_long_text_is_from_its_middle() -> None:
    long = Base("Long", "\n".join(story(n, 300) for n in range(10)))
    for bases in ([long], BASES):
        for whole, part in (case[:2] for case in cases_of("900 words of the middle", bases, 3)):
            assert part.text in whole.text
            assert 900 <= len(part.text.split()) < 940
            assert not whole.text.startswith(part.text)
            assert not whole.text.endswith(part.text)


def test_grouped_judges_the_first_two_pieces_of_each_case() -> None:
    one, other, third = (Piece(base.title, base.text) for base in BASES[:3])
    assert grouped([(one, one, other), (other, third)], Random(1)) == [True, False]


def test_every_line_says_what_it_makes() -> None:
    assert {line.copies for line in LINES.values()} == {True, False}
    assert len({line.make for line in LINES.values()}) == len(LINES)


def test_interval() -> None:
    low, high = interval(95, 100)
    assert (round(low, 3), round(high, 3)) == (0.888, 0.978)
    assert interval(0, 50)[0] == pytest.approx(0.0)
