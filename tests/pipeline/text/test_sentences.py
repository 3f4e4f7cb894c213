"""Ends of sentences."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.sentences import (
    AFTER_SENTENCE,
    EXCLAMATIONS,
    FULL_STOPS,
    STOPS,
    ends_sentence,
    has_long_unstopped,
    sentences,
)

ENDS = [
    "The ferry sails.",
    "The ferry sails. ",
    "“The ferry sails.”",
    "„Die Fähre fährt.“",
    "« Le bac part. »",
    "(The ferry sails.)",
    "[The ferry sails!]",
    "Does it sail?",
    "It might…",
    "It might ...",
    "渡輪開航。",
    "「渡輪開航！」",
    "開航嗎？",
    "वर्षा हुई।",
    "هل تبحر؟",
    "کشتی چلی۔",
    "Նավը մեկնեց։",
    "ጀልባው ሄደ።",
    "သွားသည်။",
    "ទៅហើយ។",
]
OPEN = [
    "",
    " ",
    "The ferry",
    "The ferry:",
    "The ferry,",
    "“The ferry”",
    "(photo)",
    "Ferry sails; cats stay",
    "フェリー",
    "။x",
]


@pytest.mark.parametrize("text", ENDS)
def test_ends(text: str) -> None:
    assert ends_sentence(text)
    assert re.search(rf"{AFTER_SENTENCE}\s*$", text)


@pytest.mark.parametrize("text", OPEN)
def test_dots_that_end_no_sentence(text: str) -> None:
    assert not ends_sentence(text)


@pytest.mark.parametrize("text", ["The ferry”", "(photo)", "Der „Anker“"])
def test_a_closing_mark_may_follow_a_sentence(text: str) -> None:
    assert re.search(f"{AFTER_SENTENCE}$", text)
    assert not re.search(f"{AFTER_SENTENCE}$", text[:-1])


def test_callers_choose_the_marks() -> None:
    assert ends_sentence("Sold out!", FULL_STOPS + EXCLAMATIONS)
    assert not ends_sentence("Sold out!", FULL_STOPS)
    assert not ends_sentence("Want more?", FULL_STOPS + EXCLAMATIONS)
    assert not ends_sentence("", FULL_STOPS)


@pytest.mark.parametrize("text", ["It might...", "It might…", "“It might…”", "It might.."])
def test_an_ellipsis_can_be_distinguished_from_an_end(text: str) -> None:
    assert ends_sentence(text)
    assert not ends_sentence(text, ellipsis=False)
    assert ends_sentence("It does.", ellipsis=False)


def test_thai_needs_no_stop() -> None:
    clause = "เรือข้ามฟากจะวิ่งต่อไปตลอดฤดูหนาว "
    assert not has_long_unstopped(clause)
    assert has_long_unstopped(clause * 3)
    assert not has_long_unstopped("The ferry sails on through the whole winter " * 3)


def test_stops_and_closing_marks_fit_into_a_character_class() -> None:
    assert re.fullmatch(f"[{STOPS}]+", STOPS)
    assert all(
        len(re.findall(AFTER_SENTENCE + "x", f"{mark}x")) == 1 for mark in STOPS + "\"'”’“»«›)]}」』）】》〉"
    )
    assert not re.search(AFTER_SENTENCE + "x", "ax \\x -x :x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rained. It stopped! Why? Nobody knows…", ["It rained.", "It stopped!", "Why?", "Nobody knows…"]),
        ("“No,” he said. “Never.” He left.", ["“No,” he said.", "“Never.”", "He left."]),
        ('He said "Stop!" and left.', ['He said "Stop!" and left.']),
        (
            "Mr. J. Borg of St. Ives met Dr. Lind at 4 p.m. on Monday. They spoke.",
            ["Mr. J. Borg of St. Ives met Dr. Lind at 4 p.m. on Monday.", "They spoke."],
        ),
        ("Up 3.5 pct to 1.250,5 points. Then down.", ["Up 3.5 pct to 1.250,5 points.", "Then down."]),
        ("Am 3. Mai sagte er: „Nein.“ Dann ging er.", ["Am 3. Mai sagte er: „Nein.“", "Dann ging er."]),
        ("¿Quién fue? ¡Nadie! Así terminó.", ["¿Quién fue?", "¡Nadie!", "Así terminó."]),
        ("Он приехал в 2019 г. в город. Потом уехал.", ["Он приехал в 2019 г. в город.", "Потом уехал."]),
        ("من فعل هذا؟ لا أحد يعرف. انتهى.", ["من فعل هذا؟", "لا أحد يعرف.", "انتهى."]),
        ("वर्षा हुई। फिर धूप निकली।", ["वर्षा हुई।", "फिर धूप निकली।"]),
        ("港务局宣布关闭。“不会回来。”主席说！", ["港务局宣布关闭。", "“不会回来。”", "主席说！"]),
        ("市長は「続ける。」と述べた。会議は未定。", ["市長は「続ける。」と述べた。", "会議は未定。"]),
        ("비가 왔다. 그리고 그쳤다.", ["비가 왔다.", "그리고 그쳤다."]),
        ("ฝนตกหนัก ถนนปิด 2 วัน", ["ฝนตกหนัก", "ถนนปิด 2 วัน"]),
        ("A headline\nA first line", ["A headline", "A first line"]),
    ],
)  # fmt: skip
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text(alphabet=st.sampled_from('aB1 .!?"”“。」と 中ก\n…;'), max_size=60))
def test_cutting_into_sentences_loses_nothing(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


def test_no_sentence_is_endless() -> None:
    assert max(map(len, sentences("word " * 5000 + "字" * 9000))) <= 2000
