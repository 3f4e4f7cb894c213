"""Characters of writing systems without spaces."""

from __future__ import annotations

import re
import unicodedata

import pytest

from pipeline.text import search_words
from pipeline.text.writing_systems import HANGUL, THAI_AND_LAO, UNSPACED, UNSPACED_RANGES

TEXTS = {
    "Thai": "ภาษาไทย",
    "Lao": "ພາສາລາວ",
    "Burmese": "မြန်မာဘာသာ",
    "Khmer": "ភាសាខ្មែរ",
    "kana": "ひらがなカタカナー々",
    "Han": "汉字漢字〇𠀀",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts_without_spaces(text: str) -> None:
    assert re.fullmatch(f"[{UNSPACED}]+", text)
    assert bool(re.fullmatch(f"[{THAI_AND_LAO}]+", text)) == (text in (TEXTS["Thai"], TEXTS["Lao"]))


@pytest.mark.parametrize(
    "text", ["Latin", "Кириллица", "हिन्दी", "አማርኛ", "한국어", "العربية", "2024", "๒๕๖๗", "၂၀၂၄"]
)
def test_texts_and_numbers_with_spaces(text: str) -> None:
    assert not re.search(f"[{UNSPACED}]", text)


def test_hangul_is_the_syllables_of_korean() -> None:
    assert re.fullmatch(f"[{HANGUL}]+", "한국어")


def test_ranges_are_in_order_and_have_no_digits() -> None:
    assert all(first <= last for first, last in UNSPACED_RANGES)
    codes = [code for first, last in UNSPACED_RANGES[:-1] for code in range(first, last + 1)]
    assert codes == sorted(codes)
    assert not any(chr(code).isdecimal() for code in codes)


def test_search_cuts_the_letters_of_these_systems_in_the_same_way() -> None:
    # Signs that stand for a repeated or an abbreviated word, and vowels that are not visible.
    signs = "ฯៗៜ\u17b4\u17b5"
    for first, last in UNSPACED_RANGES[:-1]:
        letters = [chr(code) for code in range(first, last + 1) if unicodedata.category(chr(code)) == "Lo"]
        for letter in set(letters) - set(signs):
            assert re.match(f"[{search_words._UNSPACED}]", letter), hex(ord(letter))
