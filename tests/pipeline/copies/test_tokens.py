"""What restyling may do to a text without changing its tokens."""

from __future__ import annotations

import re
from itertools import groupby

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.copies import tokens as module
from pipeline.copies.tokens import names_and_figures, spelling, tokens


def plain(text: str) -> list[int]:
    """The spelling of the tokens of a text in small letters and digits of ASCII, word by word."""
    found = []
    for kind, run in groupby(text, key=lambda char: (char.isalpha(), char.isdigit())):
        if any(kind):
            codes = (ord(char.upper()) if char.isalpha() else 0x80 + int(char) for char in run)
            hashed = sum(code * pow(module._BASE, n, 2**64) for n, code in enumerate(codes, 1)) % 2**64
            found.append((hashed ^ module._RESPELLING.item(hashed >> 52)) & ~63)
    return found


@given(st.text("abcxyz 019-\n", max_size=300))
def test_tokens_are_polynomials_of_their_characters(text: str) -> None:
    assume(re.search(r"\d \d", text) is None)
    assert words(text) == plain(text)


def words(text: str) -> list[int]:
    folded: list[int] = spelling(tokens(text)).tolist()
    return folded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HARBOUR board Says", "harbour Board says"),
        ("“It’s done,” she said – again…", '"It\'s done," she said -- again...'),
        ("the ministers’ plan", "the ministers' plan"),
        ("a coffee‐table book", "a coffee-table book"),
        ("rose 5 per cent", "rose 5%"),
        ("rose 5 percent", "rose 5 pct"),
        ("Per cent by per\ncent", "percent by %"),
        ("stieg um 5 Prozent", "stieg um 5 %"),
        ("subió un 5 por ciento", "subió un 5%"),
        ("a hausse de 5 pour cent", "a hausse de 5 %"),
        ("1,250,000 tonnes", "1.250.000 tonnes"),
        ("1,250,000 tonnes", "1 250 000 tonnes"),
        ("1,250,000 tonnes", "1\u202f250\u202f000 tonnes"),
        ("1,250,000 tonnes", "1'250'000 tonnes"),
        ("1,250,000 tonnes", "1250000 tonnes"),
        ("12,500-seat hall", "12 500-seat hall"),
        ("at 1,250.50 crowns", "at 1.250,50 crowns"),
        ("at 3.5 crowns", "at 3,50 crowns"),
        ("£10 mln and 2 bln", "£10 million and 2 billion"),
        ("on Oct. 17 and Sept 3, from Jan 4", "on October 17 and September 3, from January 4"),
        ("seven of twelve ships", "7 of 12 ships"),
        ("twenty-five ships", "25 ships"),
        ("Thirty ships", "30 ships"),
        ("oﬃcial ﬁgures", "official figures"),
        ("ＡＢＣ １２３", "abc 123"),
        ("１２．５％", "12.5%"),
        ("１０，０００人", "10,000人"),
        ("在2023，5人", "在2023, 5人"),
        ("S\u00e3o Jo\u00e3o", "Sao Joao"),
        ("exposé", "expose\u0301"),
        ("co\u00adop\u00aderation", "cooperation"),
        ("ещё раз", "еще раз"),
        ("٣ سفن", "3 سفن"),
        ("die Straße", "die Strasse"),
        ("Größe 5 %", "GRÖSSE 5%"),
        ("вырос на 5 процентов", "вырос на 5%"),
        ("THIRTY-FIVE ships", "35 ships"),
        ("‘Ferry’ and “pier”…", "'Ferry' and \"pier\""),
        ("ท่าเรือ ๏ใหม่๛", "ท่าเรือ ใหม่"),
        ("မြန်မာ၊ သတင်း။", "မြန်မာ သတင်း"),
        ("ភាសាខ្មែរ។ ព័ត៌មាន៖", "ភាសាខ្មែរ ព័ត៌មាន"),
        ("か\u3099ん", "がん"),
        ("समाचार। और", "समाचार और"),
        ("\u2764\ufe0f ferry", "\u2764 ferry"),
        ("ferry \u0947", "ferry"),
    ],
)
def test_restyling_changes_no_token(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("rose 5.1 per cent", "rose 51 per cent"),
        ("12 500 seats", "13 500 seats"),
        ("in 1990 500 ships", "in 1990500 ships"),
        ("May 3, 500 ships", "May 3500 ships"),
        ("cent per cent", "per cent cent per"),
        ("port", "sort"),
        ("ab cd", "abc d"),
        ("ab cd", "cd ab"),
        ("thirty one-way tickets", "31 two-way tickets"),
        ("ไม่", "ไม้"),
        ("की", "के"),
    ],
)
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert words(one) != words(other)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("हिन्दी में समाचार", 3),
        ("வணக்கம் தமிழ்", 2),
        ("العَرَبِيَّة نص", 2),
        ("שָׁלוֹם עולם", 2),
        ("ใหม่", 3),
        ("နိုင်ငံ", 3),
        ("ភាសា", 2),
        ("1\ufe0f\u20e3 ferry", 2),
    ],
)
def test_marks_belong_to_the_word_before_them(text: str, count: int) -> None:
    assert len(words(text)) == count


@given(st.text(max_size=200))
def test_any_text_has_tokens_and_the_same_ones_again(text: str) -> None:
    first = words(text)
    assert words(text) == first
    assert words(f"  {text}\n") == first


@given(st.lists(st.sampled_from(["per", "cent", "12", "500", "000", "7", "harbour", "%", "x"]), max_size=12))
def test_joined_words_leave_nothing_behind(raw: list[str]) -> None:
    found = tokens(" ".join(raw))
    assert found.size <= len(raw)
    assert ("harbour" in raw) == (words("harbour")[0] in spelling(found).tolist())


@pytest.mark.parametrize(
    "text",
    [
        "Harbour board’s 12,500 seats rose 5 per cent. ",
        "港务局宣布Alba渡轮12码头。 ",
        "ท่าเรือใหม่",
        "ใหม่ม่ม่ม่ม่",
    ],
)
def test_long_texts_are_cut_into_pieces_between_words(text: str) -> None:
    """Their tokens are those of the pieces, so that the length of a text changes none."""
    assert words(text * 2000) == words(text) * 2000


def test_characters_that_grow_when_normalised() -> None:
    assert words("\ufdfa " * 16_000) == words("\ufdfa ") * 16_000


@pytest.mark.parametrize(
    "text",
    [
        "Ünder thé brídge",
        "Большой мост",
        "μεγάλη γέφυρα",
        "항만청은 부두를",
        "जहाज़",
        "e\u0301te\u0301 \u1112\u1161\u11ab",
    ],
)
def test_no_letter_is_lost(text: str) -> None:
    """Two texts that differ in one letter have different tokens, whatever the script."""
    letters = [n for n, c in enumerate(text) if c.isalpha()]
    for n in letters:
        assert words(text[:n] + "q" + text[n + 1 :]) != words(text)


def test_capitals_are_marked_in_all_scripts() -> None:
    for name, rest in (("Alba", "moved on"), ("Émile", "est là"), ("Альба", "идёт")):
        for text in (f"{rest} {name}", f"{name} {rest}"):
            assert names_and_figures(tokens(text)).tolist() == words(name)


def test_names_and_figures() -> None:
    found = names_and_figures(tokens("The Alba line sold 12 of its seven ferries to one A. Borg at 3.5 pct"))
    wanted = {n for text in ("The", "Alba", "12", "7", "Borg", "3,5") for n in words(text)}
    assert set(found.tolist()) == wanted
    assert found.tolist() == sorted(found.tolist())
