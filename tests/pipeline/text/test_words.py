"""Words by a table are those that a regular expression finds."""

from __future__ import annotations

import re

import pytest

from pipeline.clean import boilerplate as clean
from pipeline.page import blocks
from pipeline.text.words import word_finder


@pytest.mark.parametrize("word", [blocks.WORD, clean._WORD], ids=["of blocks", "of clean"])
def test_a_table_finds_what_the_expression_does(word: re.Pattern[str]) -> None:
    found = word_finder(word)
    # every character of the Basic Multilingual Plane between two of Windows-1252
    lines = [f"A{chr(code)}É" for code in range(0x10000)]
    assert [found(line) for line in lines] == [word.findall(line.lower()) for line in lines]
