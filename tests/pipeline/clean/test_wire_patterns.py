"""Patterns of wire conventions: which texts may name an agency, and which agency a credit names."""

from __future__ import annotations

import re

import pytest

from pipeline.clean.wire_patterns import CREDIT, UPPER, agency_of, names_agency, pattern, patterns
from pipeline.text import AGENCIES

SOURCES = (rf"\((?P<credit>{CREDIT})\)$", r"^By \w+$")


def credited(text: str) -> str | None:
    return agency_of(pattern(SOURCES[0]).search(text))


PLAIN_FORMS = {form for agency in AGENCIES for form in agency.forms if form == re.escape(form)}


@pytest.mark.parametrize("form", sorted(PLAIN_FORMS | {"A.P.", "Agence France-Presse", "Télam"}))
def test_every_form_of_an_agency_is_noticed(form: str) -> None:
    assert names_agency(f"BERLIN ({form}) - The council met.")


@pytest.mark.parametrize("text", ["", "The council met on Monday.", "APRIL was cold, said the mayor."])
def test_most_texts_name_no_agency(text: str) -> None:
    assert not names_agency(text)


@pytest.mark.parametrize(
    ("text", "agency"),
    [
        ("The council met. (Reuters)", "Reuters"),
        ("The council met. (AP)", "AP"),
        ("The council met. (dpa/AFP)", "dpa"),  # the first decides
        ("The council met. (Monday)", None),
    ],
)
def test_a_credit_names_its_first_agency(text: str, agency: str | None) -> None:
    assert credited(text) == agency


def test_a_match_without_a_credit_names_no_agency() -> None:
    assert agency_of(re.match("By", "By Reuters")) is None
    assert agency_of(None) is None


def test_patterns_with_a_credit_are_left_out_for_a_text_that_names_no_agency() -> None:
    assert [found.pattern for found in patterns(SOURCES, True)] == list(SOURCES)
    assert [found.pattern for found in patterns(SOURCES, False)] == [SOURCES[1]]


@pytest.mark.parametrize(
    ("text", "is_upper"),
    [("BERLIN", True), ("ŁÓDŹ", True), ("КИЇВ", True), ("ST. JOHN'S", True), ("Berlin", False)],
)
def test_names_in_capitals_of_any_alphabet(text: str, is_upper: bool) -> None:
    assert bool(re.fullmatch(UPPER, text)) is is_upper
