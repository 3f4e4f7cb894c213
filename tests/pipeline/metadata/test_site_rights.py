"""What robots.txt and tdmrep.json of a site say of the rights to its pages."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.metadata.rights import MAX_STATEMENTS
from pipeline.metadata.site_rights import (
    MOST_KEPT,
    RobotsRights,
    SiteFiles,
    TdmRights,
    is_site_file,
    may_have_rights,
    read_robots_rights,
    read_tdm_rights,
)

HOME = "https://lindenpost.example"
ROBOTS = """
License: https://lindenpost.example/license.xml#news
# Content-Signal: search=no
User-agent: *
Content-Signal: search=yes, ai-train=no
Content-Usage: / train-ai=n   # all of it
Content-Usage: /open/ train-ai=y
Content-Usage: /open/*.pdf$ train-ai=n
Disallow: /private/

User-Agent: GPTBot
User-Agent: CCBot
content-usage: train-ai=n
Allow: /
"""


def of(text: str, path: str = "/news/1", agent: str = "copydesk") -> list[tuple[str, str]]:
    assert may_have_rights(text.encode())
    statements = read_robots_rights(text.encode(), agent).of(HOME + path)
    assert {one.source for one in statements} <= {"robots.txt"}
    return [(one.name, one.value) for one in statements]


EVERYWHERE = [
    ("license", "https://lindenpost.example/license.xml#news"),
    ("content-signal", "search=yes, ai-train=no"),
]


@pytest.mark.parametrize(
    ("path", "usage"),
    [
        ("/news/1", "train-ai=n"),
        ("/open/1", "train-ai=y"),
        ("/%6Fpen/1", "train-ai=y"),
        ("/open/a/b.pdf", "train-ai=n"),
        ("/open/a.pdf?page=2", "train-ai=y"),
        ("", "train-ai=n"),
    ],
)
def test_the_longest_pattern_decides(path: str, usage: str) -> None:
    assert of(ROBOTS, path) == [*EVERYWHERE, ("content-usage", usage)]


def test_the_groups_of_the_crawler_hold_for_it_instead_of_those_for_all() -> None:
    assert of(ROBOTS, agent="ccbot") == [EVERYWHERE[0], ("content-usage", "train-ai=n")]
    assert of("User-agent: copydesk\nAllow: /\n\nUser-agent: *\nContent-Signal: ai-train=no") == []
    assert of("User-agent: a\n\nUser-agent: Copydesk\nDisallow: /x\nContent-Signal: ai-train=no") == [
        ("content-signal", "ai-train=no")
    ]


def test_lines_before_any_group_hold_for_all() -> None:
    assert of("Content-Signal: ai-train=no\nUser-agent: copydesk\nAllow: /") == [
        ("content-signal", "ai-train=no")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "User-agent: *\nDisallow: /",
        "License: no address",
        "User-agent: *\nContent-Usage: /",
        "<html>license",
    ],
)
def test_a_robots_txt_that_says_nothing(text: str) -> None:
    assert read_robots_rights(text.encode() + b"\xff\n", "copydesk") == RobotsRights()


def tdm(rules: object, path: str = "/news/1") -> list[tuple[str, str]]:
    return [(one.name, one.value) for one in read_tdm_rights(json.dumps(rules).encode()).of(HOME + path)]


def test_the_first_rule_of_a_tdmrep_that_matches_decides() -> None:
    rules = [
        {"location": "/open/", "tdm-reservation": 0},
        {"location": "/news/*.html$", "tdm-reservation": "1"},
        {"location": "/", "tdm-reservation": 1, "tdm-policy": "https://lindenpost.example/tdm.json"},
    ]
    assert tdm(rules, "/open/1") == [("tdm-reservation", "0")]
    assert tdm(rules, "/news/1.html") == [("tdm-reservation", "1")]
    assert tdm(rules) == [("tdm-reservation", "1"), ("tdm-policy", "https://lindenpost.example/tdm.json")]


@pytest.mark.parametrize(
    "rule",
    [
        {"location": "/", "tdm-reservation": 2},
        {"location": "/", "tdm-reservation": True},
        {"location": "/", "tdm-reservation": None},
        {"location": "/", "tdm-policy": "https://lindenpost.example/tdm.json"},
        {"location": ["/"], "tdm-reservation": 1},
        {"location": "/" + "x" * 1000, "tdm-reservation": 1},
        {"tdm-reservation": 1},
        "x",
        None,
    ],
)
def test_rules_that_are_none_leave_it_to_the_next(rule: object) -> None:
    assert tdm([rule, {"location": "*", "tdm-reservation": 1}]) == [("tdm-reservation", "1")]
    assert tdm(rule) == []


@pytest.mark.parametrize("body", [b"", b"<html>not found</html>", b"[" * 100_000, b"\xff\xfe", b"[1, {}]"])
def test_a_file_that_is_no_tdmrep_has_no_rules(body: bytes) -> None:
    assert read_tdm_rights(body) == TdmRights()


def test_what_is_said_of_one_page_is_bounded() -> None:
    same = "User-agent: *\n" + "Content-Usage: /a train-ai=n\n" * 300
    assert of(same, "/a") == [("content-usage", "train-ai=n")]
    many = "User-agent: *\n" + "".join(f"Content-Usage: /a use-{n}=n\n" for n in range(300))
    assert len(of(many, "/a")) == MAX_STATEMENTS


def test_many_rules_are_cut() -> None:
    rules = [{"location": f"/{n}/", "tdm-reservation": 1} for n in range(3000)]
    assert len(read_tdm_rights(json.dumps(rules).encode()).rules) == 500


@given(pattern=st.text("/a*$%", max_size=12), path=st.text("/a%$", max_size=12))
def test_patterns_match_as_the_regular_expression_of_them_does(pattern: str, path: str) -> None:
    import re
    from urllib.parse import unquote

    is_whole = pattern.endswith("$")
    pieces = map(re.escape, unquote(pattern.removesuffix("$")).split("*"))
    expression = ".*".join(pieces) + ("$" if is_whole else "")
    wanted = re.match(expression, unquote("/" + path), re.DOTALL) is not None
    assert bool(tdm([{"location": pattern or "/", "tdm-reservation": 1}], "/" + path)) == (
        wanted if pattern.strip() else path is not None
    )


def test_files_of_many_hosts_are_kept_for_their_own_pages_and_a_later_one_replaces_an_earlier() -> None:
    files = SiteFiles()
    files.add(f"{HOME}/robots.txt", b"User-agent: *\nContent-Signal: ai-train=no", "copydesk")
    files.add(f"{HOME}/.well-known/tdmrep.json", b'[{"location": "/", "tdm-reservation": 1}]', "copydesk")
    names = [one.name for one in files.rights_of(f"{HOME}/news/1")]
    assert names == ["content-signal", "tdm-reservation"]
    assert files.rights_of("https://other.example/news/1") == ()
    files.add(f"{HOME}/robots.txt", b"User-agent: *\nAllow: /", "copydesk")
    assert [one.name for one in files.rights_of(f"{HOME}/news/1")] == ["tdm-reservation"]


def test_beyond_the_bound_the_host_that_was_read_first_is_forgotten() -> None:
    files = SiteFiles()
    rules = json.dumps([{"location": f"/{n}/", "tdm-reservation": 1} for n in range(400)]).encode()
    hosts = [f"https://host-{n}.example" for n in range(MOST_KEPT // 400 + 5)]
    for host in hosts:
        files.add(f"{host}/.well-known/tdmrep.json", rules, "copydesk")
    known = [host for host in hosts if files.rights_of(f"{host}/7/story")]
    assert known == hosts[-len(known) :]
    assert 0 < len(known) <= MOST_KEPT // 400


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"{HOME}/robots.txt", True),
        (f"{HOME}/.well-known/tdmrep.json", True),
        (f"{HOME}/news/robots.txt", False),
        (f"{HOME}/", False),
        ("http://[::1/robots.txt", False),
        ("", False),
    ],
)
def test_files_of_a_site_are_known_by_their_path(url: str, expected: bool) -> None:
    assert is_site_file(url) is expected
