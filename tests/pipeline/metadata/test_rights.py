"""Statements of rights in headers and pages, as each is recorded, and what it reserves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.document import RightsStatement, as_objects
from pipeline.metadata.rights import (
    MAX_ADDRESS,
    MAX_STATEMENTS,
    MAX_VALUE,
    clean_rights,
    header_rights,
    joined_rights,
    judged,
)
from tests.pipeline.metadata.pages import URL, read

LICENSE = "https://lindenpost.example/license.xml"


def said(*headers: tuple[str, str]) -> list[tuple[str, str, str | None]]:
    statements = header_rights(headers, URL)
    assert {statement.source for statement in statements} <= {"header"}
    return [(one.name, one.value, one.agent) for one in statements]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("TDM-Reservation", " 1 ", [("tdm-reservation", "1", None)]),
        ("tdm-reservation", "0", [("tdm-reservation", "0", None)]),
        ("tdm-reservation", "2", []),
        ("tdm-policy", "/tdm.json", [("tdm-policy", "https://www.lindenpost.example/tdm.json", None)]),
        ("tdm-policy", "javascript:alert(1)", []),
        ("X-Robots-Tag", "noindex, NoAI", [("robots", "noai", None)]),
        ("X-Robots-Tag", "noai, noimageai", [("robots", "noai", None), ("robots", "noimageai", None)]),
        (
            "X-Robots-Tag",
            "GPTBot: noai, noimageai",
            [("robots", "noai", "gptbot"), ("robots", "noimageai", "gptbot")],
        ),
        (
            "X-Robots-Tag",
            "noai, ccbot: noindex, otherbot: noai",
            [("robots", "noai", None), ("robots", "noai", "otherbot")],
        ),
        ("X-Robots-Tag", "unavailable_after: 25 Jun 2030 15:00:00 PST, noai", [("robots", "noai", None)]),
        ("X-Robots-Tag", "max-image-preview: large, noindex", []),
        ("X-Robots-Tag", "noaim", []),
        ("Content-Usage", "train-ai=n, Search=Y", [("content-usage", "train-ai=n, search=y", None)]),
        ("Content-Usage", 'train-ai=n;exceptions="x"', [("content-usage", "train-ai=n", None)]),
        ("Content-Signal", "search=yes,ai-train = no", [("content-signal", "search=yes, ai-train=no", None)]),
        ("Content-Signal", "nothing", []),
        ("Link", f'<{LICENSE}>; rel="license"; type="application/rsl+xml"', [("license", LICENSE, None)]),
        (
            "Link",
            f'</style.css>; rel=preload, <{LICENSE}>; type="application/rsl+xml"; rel=license',
            [("license", LICENSE, None)],
        ),
        ("Link", f'<{LICENSE}>; rel="license"', []),
        ("Link", '</feed>; rel="alternate"; type="application/rsl+xml"', []),
        ("Server", "noai", []),
    ],
)
def test_headers(name: str, value: str, found: list[tuple[str, str, str | None]]) -> None:
    assert said((name, value)) == found


def test_the_same_header_may_come_several_times() -> None:
    assert said(("x-robots-tag", "noai"), ("x-robots-tag", "gptbot: noai"), ("x-robots-tag", "noai")) == [
        ("robots", "noai", None),
        ("robots", "noai", "gptbot"),
    ]


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ('<meta name="tdm-reservation" content="1">', ("tdm-reservation", "1", "meta", None)),
        (
            '<meta name="tdm-policy" content="https://p.example/x">',
            ("tdm-policy", "https://p.example/x", "meta", None),
        ),
        ('<meta name="robots" content="index, noai">', ("robots", "noai", "meta", None)),
        ('<meta name="GPTBot" content="noindex,noai">', ("robots", "noai", "meta", "gptbot")),
        ('<meta http-equiv="X-Robots-Tag" content="noimageai">', ("robots", "noimageai", "meta", None)),
        (
            f'<link rel="license" type="application/rsl+xml" href="{LICENSE}">',
            ("license", LICENSE, "link", None),
        ),
    ],
)
def test_pages(head: str, found: tuple[str, str, str, str | None]) -> None:
    (statement,) = read(head).rights
    assert (statement.name, statement.value, statement.source, statement.agent) == found


@pytest.mark.parametrize(
    "head",
    [
        '<meta name="description" content="A site says noai, and means it">',
        '<meta name="keywords" content="art, noai">',
        '<meta name="robots" content="index, follow">',
        '<meta name="robots" content="">',
        '<link rel="license" href="https://creativecommons.org/licenses/by/4.0/">',
        '<link rel="license" type="application/rsl+xml" href="">',
        "",
    ],
)
def test_pages_that_say_nothing(head: str) -> None:
    assert read(head).rights == ()


@pytest.mark.parametrize(
    ("name", "value", "agent", "reserved"),
    [
        ("tdm-reservation", "1", None, True),
        ("tdm-reservation", "0", None, False),
        ("tdm-policy", "https://p.example/x", None, None),
        ("robots", "noai", None, True),
        ("robots", "noimageai", None, None),
        ("robots", "noai", "gptbot", None),
        ("robots", "noai", "Copydesk", True),
        ("content-usage", "train-ai=n", None, True),
        ("content-usage", "train-ai=y", None, False),
        ("content-signal", "search=yes, ai-train=no", None, True),
        ("content-signal", "search=yes", None, False),
        ("content-signal", "search=maybe", None, None),
        ("license", LICENSE, None, None),
    ],
)
def test_what_a_statement_reserves(name: str, value: str, agent: str | None, reserved: bool | None) -> None:
    assert judged(RightsStatement(name, value, "header", agent)).reserved is reserved


def test_statements_of_several_sources_stand_together_and_once() -> None:
    page = RightsStatement("tdm-reservation", "0", "meta")
    header = RightsStatement("tdm-reservation", "1", "header")
    found = joined_rights([page], [header, page])
    assert found is not None
    assert [(one.source, one.reserved) for one in found] == [("meta", False), ("header", True)]
    assert joined_rights([], []) is None


def test_records_come_back_from_an_export_and_are_judged_anew() -> None:
    found = joined_rights([RightsStatement("robots", "noai", "header", "gptbot")]) or ()
    told = as_objects(found)
    assert told == [
        {"name": "robots", "value": "noai", "source": "header", "agent": "gptbot", "reserved": None}
    ]
    assert joined_rights(clean_rights([{**told[0], "reserved": True}])) == found


@pytest.mark.parametrize(
    "value",
    [
        {"name": "copyright", "value": "1", "source": "header"},
        {"name": "robots", "value": "noindex", "source": "header"},
        {"name": "robots", "value": "noai", "source": "rumour"},
        {"name": "robots", "value": "noai", "source": "meta", "agent": "two words"},
        {"name": "robots", "value": ["noai"], "source": "meta"},
        {"name": "robots", "value": "noai"},
        {"name": "license", "value": "/relative", "source": "link"},
        {"name": "tdm-policy", "value": "https://p.example/" + "x" * MAX_ADDRESS, "source": "meta"},
        "robots",
        5,
        None,
    ],
)
def test_what_is_no_statement(value: object) -> None:
    assert clean_rights([value]) == ()
    assert clean_rights(value) == ()


VALUES = st.recursive(
    st.none()
    | st.integers()
    | st.text(max_size=50)
    | st.sampled_from(["robots", "noai", "header", "license"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["name", "value", "source", "agent"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(
    values=VALUES,
    headers=st.lists(st.tuples(st.sampled_from(["Link", "X-Robots-Tag", "Content-Usage"]), st.text())),
)
def test_whatever_is_said_is_bounded(values: object, headers: list[tuple[str, str]]) -> None:
    for found in (clean_rights(values), header_rights(headers, URL)):
        assert len(found) <= MAX_STATEMENTS
        assert all(len(one.value) <= max(MAX_VALUE, MAX_ADDRESS) for one in found)
        assert clean_rights(as_objects(found)) == found


def test_many_statements_are_cut() -> None:
    many = [("x-robots-tag", f"bot{n}: noai") for n in range(500)]
    assert len(header_rights(many, URL)) == MAX_STATEMENTS
