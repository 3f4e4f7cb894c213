"""The spelling of the rules: one character for one, without decoration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clean.spelling import folded, folded_phrase, without_closing, without_decoration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don’t “stop”", 'Don\'t "stop"'),
        ("1914–1918 — war", "1914-1918 - war"),
        ("10\u00a0Uhr\u202f30", "10 Uhr 30"),
        ("来源：新华社｜北京", "来源:新华社|北京"),
        ("İSTANBUL", "ISTANBUL"),
        ("plain ASCII - as it is", "plain ASCII - as it is"),
        ("»» Read more", ">> Read more"),
        ("»Read more«, he said", '"Read more", he said'),
        ("« Lire aussi »", '" Lire aussi "'),
    ],
)
def test_quotes_dashes_and_blanks_are_plain(text: str, expected: str) -> None:
    assert folded(text) == expected


@given(st.text(alphabet=st.sampled_from("aİßé’“–\u00a0：｜ \t") | st.characters(codec="latin-1")))
def test_offsets_hold_in_the_original_and_in_lower_case(text: str) -> None:
    assert len(folded(text)) == len(text)
    assert len(folded(text).lower()) == len(text)


def test_a_phrase_is_in_lower_case_with_single_blanks() -> None:
    assert folded_phrase("Don’t \n MISS\u00a0 it") == "don't miss it"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("• Read more", "Read more"),
        ("→ [Read] more", "Read] more"),
        ("© Reuters", "© Reuters"),
        ('"Read" more', '"Read" more'),
        ("• • •", ""),
        ("", ""),
    ],
)
def test_decoration_goes_and_signs_with_a_meaning_stay(text: str, expected: str) -> None:
    assert without_decoration(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Read more ...", "Read more"),
        ("Read more >>", "Read more"),
        ("Read more?", "Read more?"),
        ("up 5%", "up 5%"),
        ("(Reuters)", "(Reuters)"),
        ("...", ""),
    ],
)
def test_closing_punctuation_goes(text: str, expected: str) -> None:
    assert without_closing(text) == expected
