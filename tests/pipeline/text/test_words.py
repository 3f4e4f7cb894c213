"""Words of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.words import RUN, WORD, runs, runs_key, word_count, words, words_key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Ferry — sails!", ["the", "ferry", "sails"]),
        ("don’t pay 4.25", ["don", "t", "pay", "4", "25"]),
        ("an_underscore", ["an", "underscore"]),
        ("Größe STRASSE Straße", ["grösse", "strasse", "strasse"]),
        ("Wirt\u00adschaft", ["wirt\u00adschaft"]),
        ("हिन्दी में ख़बर", ["हिन्दी", "में", "ख़बर"]),
        ("می\u200cخواهد", ["می\u200cخواهد"]),
        ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("İstanbul", ["i̇stanbul"]),
        ("한국어 뉴스", ["한국어", "뉴스"]),
        ("汉字。漢字", ["汉", "字", "漢", "字"]),
        ("COVID疫苗2024年", ["covid", "疫", "苗", "2024", "年"]),
        ("ข่าวดี", ["ข่", "า", "ว", "ดี"]),
        ("ປີ ໒໐໒໔", ["ປີ", "໒໐໒໔"]),
        ("ខ្មែរ", ["ខ្", "មែ", "រ"]),
        ("မြန်", ["မြ", "န်"]),
        ("… — “”", []),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected
    assert words_key(text) == " ".join(expected)
    assert (WORD.search(text) is None) == (expected == [])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It doesn’t well-known 1,250.5 per cent", 6),
        ("a.b.c d'e", 2),
        ("' - ' , .", 0),
        ("-a- b’", 2),
        ("end.Next", 1),
        ("a--b", 2),
        ("हिन्दी में", 2),
        ("COVID-19疫苗", 3),
    ],
)
def test_marks_inside_a_word_do_not_change_the_count(text: str, count: int) -> None:
    assert word_count(text) == count


@given(st.text(alphabet=st.sampled_from("aßİ1 .'’-,_汉ก่हि\u00ad"), max_size=40))
def test_a_text_has_no_more_words_to_a_reader_than_to_a_comparison(text: str) -> None:
    assert word_count(text) <= len(WORD.findall(text))


def test_runs_are_the_same_in_every_writing_system() -> None:
    assert runs("It’s ½ a _MILE_…") == ("it", "s", "½", "a", "_mile_")
    assert runs("汉字。漢字") == ("汉字", "漢字")
    assert runs_key("  A — b,\nC!") == "a b c"
    assert RUN.search("… — “”") is None
