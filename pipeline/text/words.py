"""What a word is, wherever the pipeline counts or compares the words of a text.

A word is a run of letters and digits, with the marks (accents, vowel signs) that belong to them. In a writing
system without spaces between words each character is a word (`pipeline.text.writing_systems`).

Three places need something else, and say why: grouping compares numbers and percentages as well
(`pipeline.copies.shingles`), search folds words so that a query finds them (`storage.search.words`), and the
block model was trained on `runs`.
"""

from __future__ import annotations

import re
import unicodedata

from pipeline.text.writing_systems import UNSPACED


def _marks() -> str:
    """All marks of the Basic Multilingual Plane, as part of a character class."""
    # Neither Han nor Hangul has marks. Characters beyond this plane would make the expressions twice as slow.
    codes = (*range(0x0300, 0x3100), *range(0xA660, 0xAC00), *range(0xFB00, 0xFE30))
    return "".join(chr(code) for code in codes if unicodedata.category(chr(code)).startswith("M"))


# Soft hyphen and the joiners of Persian and Indic words are not visible and divide nothing.
_MARKS = _marks() + "\u00ad\u200c\u200d"
_RUN = rf"[^\W_{UNSPACED}]+(?:[{_MARKS}]+[^\W_{UNSPACED}]*)*"
_CHARACTER = rf"(?=\w)[{UNSPACED}][{_MARKS}]*"

WORD = re.compile(rf"{_RUN}|{_CHARACTER}")
# As an editor counts: "don't", "well-known" and "4.25" are one word each.
_COUNTED = re.compile(rf"{_RUN}(?:['’.,-]{_RUN})*|{_CHARACTER}")

# Letters, digits and underscores in a row, whatever the writing system.
RUN = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words of a text in order, case-folded, so that texts can be compared by them."""
    return WORD.findall(text.casefold())


def words_key(text: str) -> str:
    """The words of a text joined by spaces: equal for texts that differ in case, spaces and punctuation."""
    return " ".join(words(text))


def word_count(text: str) -> int:
    """The number of words of a text, where marks inside a word ("don't", "4.25") do not divide it."""
    return len(_COUNTED.findall(text))


def runs(text: str) -> tuple[str, ...]:
    """The runs of word characters of a text in order, in lower case.

    What a page holds is measured and looked up by these: the block model learned from such counts, and a run
    is found again in what an extractor returns, whatever the writing system.
    """
    return tuple(RUN.findall(text.lower()))


def runs_key(text: str) -> str:
    """The runs of a text joined by spaces, as `words_key`."""
    return " ".join(runs(text))
