"""Licences in a script of a page: what they permit, prohibit, and where their terms stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.document import RightsStatement
from pipeline.metadata.inline_licence import inline_licences
from pipeline.metadata.rights import MAX_STATEMENTS, judged
from tests.pipeline.metadata.pages import URL, read

TERMS = "https://www.lindenpost.example/terms"
LICENCE = """<?xml version="1.0" encoding="utf-16"?>
<rsl xmlns="https://rslstandard.org/rsl">
  <content url="{place}">
    <license>
      <permits type="usage">search AI-Index</permits>
      <permits type="geo">EU</permits>
      <prohibits type="usage">ai-train</prohibits>
      <payment type="purchase"><standard>/terms</standard></payment>
    </license>
  </content>
</rsl>"""
SAID = [
    ("license-permits", "search, ai-index", None),
    ("license-prohibits", "ai-train", True),
    ("license", TERMS, None),
]


def said_of(*texts: str) -> list[tuple[str, str, bool | None]]:
    found = inline_licences(texts, URL)
    assert {statement.source for statement in found} <= {"script"}
    return [(one.name, one.value, one.reserved) for one in map(judged, found)]


def test_a_page_says_what_the_licence_in_its_script_says() -> None:
    head = f'<script type="application/rsl+xml">{LICENCE.format(place="/")}</script>'
    assert [judged(one) for one in read(head).rights] == [
        RightsStatement(name, value, "script", None, reserved) for name, value, reserved in SAID
    ]


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("/", SAID),
        ("/news/*", SAID),
        ("https://www.lindenpost.example/news/", SAID),
        ("/sport/", []),
        ("https://other.example/", []),
        ("http://[::1", []),
        ("/" * 600, []),
    ],
)
def test_a_licence_holds_for_its_own_content(place: str, found: list[tuple[str, str, bool | None]]) -> None:
    assert said_of(LICENCE.format(place=place)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no licence",
        "<rsl><permits type='usage'>search</permits></rsl>",
        "<rsl><content><license><prohibits type='usage'>;;</prohibits></license></content></rsl>",
        "<rsl><content><license><terms>javascript:alert(1)</terms></license></content></rsl>",
        "<!DOCTYPE rsl [<!ENTITY all 'ai-train'>]>"
        "<rsl><content><license><prohibits>&all;</prohibits></license></content></rsl>",
    ],
)
def test_what_is_no_licence_says_nothing(text: str) -> None:
    assert said_of(text) == []


def test_a_licence_that_is_cut_off_says_what_stands_in_it() -> None:
    assert said_of(LICENCE.format(place="/").partition("<payment")[0]) == SAID[:2]


@given(st.lists(st.text(alphabet="<>/=\"' &;licensecontentprohibits", max_size=200), max_size=12))
def test_any_script_gives_bounded_statements(texts: list[str]) -> None:
    wrapped = [f"<rsl><content><license>{text}<prohibits>a{n}</prohibits>" for n, text in enumerate(texts)]
    assert len(inline_licences(wrapped * 10, URL)) <= MAX_STATEMENTS
