"""The made hazards are what their lines say, and are the same in every run."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.hazards import (
    LINES,
    Base,
    Piece,
    cases_of,
    figures,
    grouped,
    interval,
    names,
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
    assert set(names(text)) == {"Port", "Alba", "Moreau"}
    renamed = with_other_names(text, ["Moreau"], Random(1))
    assert "Moreau" not in renamed
    assert len(renamed.split()) == len(text.split())


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
