"""Names in a byline."""

from __future__ import annotations

import pytest

from pipeline.metadata.names import is_full_name, is_person, names_of, without_initialled


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("By Ida Brandt and Per Holm", ["Ida Brandt", "Per Holm"]),
        ("Ida Brandt (Malmö), Per Holm", ["Ida Brandt", "Per Holm"]),
        ("ida.brandt@lindenpost.example Ida Brandt", ["Ida Brandt"]),
        ("Brandt & Holm", ["Brandt & Holm"]),
        ("12 | 34", []),
        ("Image: Getty Images", []),
        ("Ida Brandt, Getty Images", ["Ida Brandt"]),
        ("Words by Ida Brandt, photos by Per Holm and Una Vik", ["Ida Brandt"]),
        ("Photography by Per Holm, words by Ida Brandt", ["Ida Brandt"]),
        ("Fotos: Per Holm", []),
        ("Illustrated by Per Holm", []),
        ("Opinion by Ida Brandt", ["Ida Brandt"]),
        ("Ida BrandtPer Holm", ["Ida Brandt", "Per Holm"]),
        ("Ida BrandtCorrespondent", ["Ida Brandt"]),
        ("Ida BrandtJanuary", ["Ida Brandt"]),
        ("Ida McAllister", ["Ida McAllister"]),
        ("Per LaRue MacHolm", ["Per LaRue MacHolm"]),
        ("Ida Brandt in Malmö", ["Ida Brandt"]),
        ("Ida Brandt for the Linden Post", ["Ida Brandt for the Linden Post"]),
        ("Ida Brandt for Linden Post", ["Ida Brandt"]),
        ("Ida Brandt - Linden Post Sea Team", ["Ida Brandt"]),
        ("Ida Brandt The Associated Press", ["Ida Brandt", "The Associated Press"]),
        ("Ida Brandt Reuters", ["Ida Brandt", "Reuters"]),
        ("Sea Trade Institute for Ports", ["Sea Trade Institute for Ports"]),
    ],
)
def test_names_of(value: str, names: list[str]) -> None:
    assert names_of([value]) == names


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("Ida Brandt", True),
        ("Ida van der Brandt", True),
        ("Ida Brandt Jr.", True),
        ("Brandt", False),
        ("Malmö Tribune", False),
        ("The Sea Desk", False),
        ("Linden Post Staff", False),
        ("The Associated Press", False),
    ],
)
def test_is_person(name: str, is_one: bool) -> None:
    assert is_person(name) is is_one


@pytest.mark.parametrize(
    ("name", "is_full"),
    [
        ("Ida Brandt", True),
        ("山田太郎", True),
        ("김철수", True),
        ("編集部", False),
        ("Brandt", False),
        ("Talk to us.", True),
        ("It rained.", False),
        ("Let us talk!", False),
    ],
)
def test_is_full_name(name: str, is_full: bool) -> None:
    assert is_full_name(name) is is_full


def test_initials_repeat_a_name() -> None:
    assert without_initialled(["I. Brandt", "Ida Brandt"]) == ["Ida Brandt"]
