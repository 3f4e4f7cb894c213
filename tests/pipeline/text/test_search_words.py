"""Words are cut and folded in the same way for any text, and stay within the limits of both databases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.search_words import (
    LEFT_OUT,
    LONGEST_WORD,
    MOST_BYTES,
    MOST_OCCURRENCES,
    MOST_WORDS,
    folded_words,
    make_search_words,
    query_words,
)

# Letters, marks and signs of many scripts close together, and code points that are not characters.
TEXTS = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("aB9 _-'\"\0\n\u0301\u0345\u200d\u00adßİıŁﬁﾞｶ中央銀行กำที่ががﻼ٢ی½\ud800\ue000\uf8ff"),
    )
)


def indexed(text: str) -> str:
    return make_search_words("", text).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The ferry, 'Maid of Aldane'.", "the ferry maid of aldane"),
        ("don't e-mail 4.25% under_score", "don t e mail 4 25 under score"),
        ("Škoda Łódź Ærø Straße ŒUVRE naïve", "skoda lodz aero strasse oeuvre naive"),
        ("e\u0301te\u0301 \u0301", "ete"),
        ("İstanbul ılık", "istanbul ilik"),
        ("Ёлка, Київ", "елка киів"),
        ("Ελλάδος", "ελλαδοσ"),
        ("الأَخْبَارُ ٢٠٢٦", "الاخبار 2026"),
        ("مكتبةٌ كـبيرة على", "مكتبه كبيره علي"),
        ("שָׁלוֹם", "שלום"),
        ("हिन्दी में", "हिन्दी में"),
        ("ＮＨＫ１２ ﬁsh 𝐛𝐨𝐥𝐝", "nhk12 fish bold"),
        ("co\u00adoper\u200date", "cooperate"),
    ],
)
def test_folding(text: str, expected: str) -> None:
    assert indexed(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("中央銀行", "中央 央銀 銀行 行"),
        ("水", "水"),
        ("NHKは3月5日、", "nhk は 3 月 5 日"),
        ("ｶﾞｽ", "ガス ス"),
        ("か\u3099す", "がす す"),
        ("정부는 오늘", "정부 부는 는 오늘 늘"),
        ("กรุง๒", "กร รุ ุง ง 2"),
    ],
)
def test_scripts_without_spaces_are_cut_into_pairs(text: str, expected: str) -> None:
    assert indexed(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("央銀", (("央銀",), False)),
        ("央銀行", (("央銀", "銀行"), False)),
        ("銀", (("銀",), True)),
        ("3月5", (("3", "月", "5"), False)),
        ("銀行5", (("銀行", "行", "5"), False)),
        ("Don't", (("don", "t"), False)),
        ("—", ((), False)),
    ],
)
def test_terms_of_a_query(text: str, expected: tuple[tuple[str, ...], bool]) -> None:
    assert query_words(text) == expected


@given(TEXTS)
def test_the_words_of_the_text_are_indexed(text: str) -> None:
    found = list(folded_words(text))
    assert indexed(text).split(" ") == [word.text for word in found] or not found
    assert all(0 <= word.start < word.end <= len(text) for word in found)
    assert [word.start for word in found] == sorted(word.start for word in found)


@given(TEXTS)
def test_words_have_no_meaning_in_the_query_languages_of_databases(text: str) -> None:
    """A word has no blank, quotation mark or operator, and nothing that is not a character."""
    for word in folded_words(text):
        assert word.text
        assert not any(c.isspace() or (c.isascii() and not c.isalnum()) for c in word.text)
        assert LEFT_OUT not in word.text
        word.text.encode()


@given(TEXTS)
def test_folding_once_is_enough(text: str) -> None:
    """A word of the index can be used in a query."""
    for word in folded_words(text):
        if not word.unspaced:
            assert [again.text for again in folded_words(word.text)] == [word.text]


@given(TEXTS, TEXTS, TEXTS)
def test_every_part_of_a_text_is_found_in_it(before: str, part: str, after: str) -> None:
    """If the part is cut off at blanks, its words are consecutive words of the whole."""
    wanted, goes_on = query_words(part)
    found = [word.text for word in folded_words(f"{before} {part} {after}")]
    assert any(_stands(found[at:], wanted, goes_on) for at in range(len(found) + 1))


@given(st.text("中央銀行火曜日金利", min_size=1, max_size=12), st.data())
def test_every_run_of_characters_is_found_inside_a_sentence(sentence: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(sentence) - 1))
    end = data.draw(st.integers(start + 1, len(sentence)))
    wanted, goes_on = query_words(sentence[start:end])
    found = [word.text for word in folded_words(sentence)]
    assert _stands(found[start:], wanted, goes_on)


def _stands(found: list[str], wanted: tuple[str, ...], goes_on: bool) -> bool:
    if not goes_on:
        return tuple(found[: len(wanted)]) == wanted
    *whole, last = wanted
    return found[: len(whole)] == whole and len(found) > len(whole) and found[len(whole)].startswith(last)


def test_a_huge_text_is_cut() -> None:
    title, text = "one two", " ".join(f"word{n}" for n in range(1_000_000))
    prepared = make_search_words(title, text)

    assert prepared.title == "one two"
    assert prepared.text == " ".join(f"word{n}" for n in range(MOST_WORDS - 2))


def test_a_word_of_ten_thousand_characters_is_cut_and_found_by_itself() -> None:
    assert indexed("ab" * 5000) == "ab" * (LONGEST_WORD // 2)
    assert query_words("ab" * 5000)[0] == ("ab" * (LONGEST_WORD // 2),)


def test_long_words_of_many_bytes_stay_within_the_limit() -> None:
    prepared = make_search_words(
        "日本" * 5000, " ".join(chr(0x10400 + n % 40) * 99 + str(n) for n in range(5000))
    )

    assert MOST_BYTES / 2 < len(prepared.text.encode()) + len(prepared.title.encode()) < 1.1 * MOST_BYTES


def test_frequent_words_are_left_out_after_their_first_occurrences() -> None:
    found = make_search_words("news", "news of the day " * 400).text.split(" ")

    assert len(found) == 1600
    assert found.count("news") == MOST_OCCURRENCES - 1
    assert found.count("day") == MOST_OCCURRENCES
    assert found[-1] == LEFT_OUT
