"""How the tokens of a text are cut into shingles."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.copies.shingles import shingles
from pipeline.copies.tokens import spelling, tokens


def shingles_of(text: str) -> list[int]:
    hashes: list[int] = shingles(spelling(tokens(text)), 3, 5).tolist()
    return hashes


def test_shingles_are_runs_of_words() -> None:
    abcd = tokens("alpha beta gamma delta")
    assert shingles(abcd, 3, 5).tolist() == [
        *shingles_of("alpha beta gamma"),
        *shingles_of("beta gamma delta"),
    ]
    assert shingles(abcd, 3, 5).dtype == np.uint32


@pytest.mark.parametrize("text", ["alpha", "alpha beta", "東京", "東京 alpha"])
def test_text_shorter_than_a_shingle_is_one(text: str) -> None:
    assert len(shingles_of(text)) == 1


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("東京都は二十日に新しい港を開いた", 12),  # 16 characters, runs of five
        ("港务局星期二宣布新渡轮码头开放", 11),
        ("ท่าเรือใหม่เปิดแล้ว", 10),  # 14 characters with their marks
        ("ท่าเรือใหม่ฯ๏ เปิดแล้ว๛", 11),  # the sign of an abbreviation is a letter, the others punctuation
        ("မြန်မာ၊ နိုင်ငံ။", 2),
        ("ភាសា។ ខ្មែរ៖", 1),
        ("हिन्दी में समाचार, लिखा गया।", 3),  # Hindi writes blanks
        ("항만청은 화요일 새 부두를 열었다", 3),  # Korean writes blanks: five words, runs of three
    ],
)
def test_scripts_without_blanks_are_cut_by_character(text: str, count: int) -> None:
    assert len(shingles_of(text)) == count


def test_two_scripts_in_one_text_are_cut_each_by_its_own() -> None:
    chinese, english = (
        "港务局星期二宣布新渡轮码头开放",
        "the port authority opened a new ferry terminal on Tuesday",
    )
    both = set(shingles_of(f"{chinese} {english}"))
    assert set(shingles_of(chinese)) <= both
    assert set(shingles_of(english)) <= both
    # those that begin with one of the last four characters and run on into the English
    assert len(both) == 11 + 8 + 4
