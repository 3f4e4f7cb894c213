"""The expressions of a sites file: what is accepted, and that no URL makes them run away."""

from __future__ import annotations

import time

import pytest

from crawler.sites.url_patterns import check_url_pattern, matches_url


@pytest.mark.parametrize(
    ("pattern", "url", "is_match"),
    [
        (r"/\d{4}/\d{2}/", "https://gazette.example/2026/03/flood", True),
        (r"/\d{4}/\d{2}/", "https://gazette.example/flood", False),
        (r"(?i)/VIDEO/|/live/?$", "https://gazette.example/video/1", True),
        (r"(?i)/VIDEO/|/live/?$", "https://gazette.example/live/", True),
        (r"(?P<year>20\d\d)", "https://gazette.example/2026", True),
        ("/über/", "https://gazette.example/über/uns", True),
        ("/x", "https://gazette.example/\udc80/x", True),
        ("^https://a", "https://gazette.example/https://a", False),
    ],
)
def test_matches(pattern: str, url: str, is_match: bool) -> None:
    check_url_pattern(pattern)
    assert matches_url(pattern, url) is is_match


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "(",
        "[",
        "*",
        "a{2000}",
        "(?=a)",
        "(?<!a)b",
        r"(a)\1",
        "a" * 1001,
        "((a{99}){99}){99}",
        r"\Z",
        "a*+",
    ],
)
def test_what_cannot_be_matched_in_linear_time_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"; write |'single quotes'"):
        check_url_pattern(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(?:[a-z]+-?)+$", ".*a.*a.*a.*a.*b"])
def test_no_url_makes_an_expression_run_away(pattern: str) -> None:
    """Python's own engine takes more than a minute for each."""
    check_url_pattern(pattern)
    began = time.thread_time()
    assert not matches_url(pattern, "https://gazette.example/" + "a" * 1975 + "!")
    assert time.thread_time() - began < 1
