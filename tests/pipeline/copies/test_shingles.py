"""What restyling may do to a text without changing its tokens, and how texts are cut into shingles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.copies import shingles as module
from pipeline.copies.shingles import particulars, shingles, spelling, tokens


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
    ],
)
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert words(one) != words(other)


@given(st.text(max_size=200))
def test_any_text_has_tokens_and_the_same_ones_again(text: str) -> None:
    first = words(text)
    module._memo.clear()
    assert words(text) == first
    assert words(f"  {text}\n") == first


@given(st.lists(st.sampled_from(["per", "cent", "12", "500", "000", "7", "harbour", "%", "x"]), max_size=12))
def test_joined_words_leave_nothing_behind(raw: list[str]) -> None:
    found = tokens(" ".join(raw))
    assert found.size <= len(raw)
    assert ("harbour" in raw) == (words("harbour")[0] in spelling(found).tolist())


def test_memo_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MEMO_LIMIT", 8)
    module._memo.clear()
    before = words("1,250 and 3.5")
    for n in range(50):
        words(f"{n + 1},250 tonnes and {'1,' * 100}{n}")
        assert 0 < len(module._memo) <= 8
    assert words("1,250 and 3.5") == before


@pytest.mark.parametrize(
    "text", ["Harbour board’s 12,500 seats rose 5 per cent. ", "港务局宣布Alba渡轮12码头。 "]
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
            assert particulars(tokens(text)).tolist() == words(name)
            assert tokens(text, marked=False).tolist() == words(text)


def test_particulars_are_figures_and_names() -> None:
    found = particulars(tokens("The Alba line sold 12 of its seven ferries to one A. Borg at 3.5 pct"))
    wanted = {n for text in ("The", "Alba", "12", "7", "Borg", "3,5") for n in words(text)}
    assert set(found.tolist()) == wanted
    assert found.tolist() == sorted(found.tolist())


def test_shingles_are_runs_of_words() -> None:
    abcd = tokens("alpha beta gamma delta")
    assert shingles(abcd, 3, 5).tolist() == [
        *shingles(tokens("alpha beta gamma"), 3, 5).tolist(),
        *shingles(tokens("beta gamma delta"), 3, 5).tolist(),
    ]
    assert shingles(abcd, 3, 5).dtype == np.uint32


@pytest.mark.parametrize("text", ["alpha", "alpha beta", "東京", "東京 alpha"])
def test_text_shorter_than_a_shingle_is_one(text: str) -> None:
    assert shingles(tokens(text), 3, 5).size == 1


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("東京都は二十日に新しい港を開いた", 12),  # 16 characters, runs of five
        ("港务局星期二宣布新渡轮码头开放", 11),
        ("ท่าเรือใหม่เปิดแล้ว", 15),
        ("항만청은 화요일 새 부두를 열었다", 3),  # Korean writes blanks: five words, runs of three
    ],
)
def test_scripts_without_blanks_are_cut_by_character(text: str, count: int) -> None:
    assert shingles(tokens(text), 3, 5).size == count


def test_two_scripts_in_one_text_are_cut_each_by_its_own() -> None:
    chinese, english = (
        "港务局星期二宣布新渡轮码头开放",
        "the port authority opened a new ferry terminal on Tuesday",
    )
    both = set(shingles(tokens(f"{chinese} {english}"), 3, 5).tolist())
    assert set(shingles(tokens(chinese), 3, 5).tolist()) <= both
    assert set(shingles(tokens(english), 3, 5).tolist()) <= both
    # those that begin with one of the last four characters and run on into the English
    assert len(both) == 11 + 8 + 4
