"""Cursors hold what they were given, and no text of a client's own is an error of ours."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.web.cursors import read_cursor, read_time, write_cursor
from copydesk.web.problems import BadQuestion
from storage.base import microseconds

_integers = st.integers(-(2**63) + 1, 2**63 - 1)
_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@given(st.lists(_integers | _texts, max_size=4))
def test_a_cursor_holds_its_values_and_is_safe_in_an_address(values: list[int | str]) -> None:
    cursor = write_cursor(*values)
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert read_cursor(cursor, tuple(map(type, values))) == values


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(cursor: str) -> None:
    try:
        values = read_cursor(cursor, (int, str))
    except BadQuestion:
        return
    assert [type(value) for value in values] == [int, str]


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1},
        [1],
        [1, "a", 2],
        ["a", 1],
        [True, "a"],
        [1.0, "a"],
        [None, "a"],
        [2**63, "a"],
        [1, "a\0"],
        [1, "\ud800"],
        [[1], "a"],
    ],
    ids=repr,
)
def test_values_of_other_kinds_or_that_no_database_holds_are_refused(value: object) -> None:
    with pytest.raises(BadQuestion, match="not one that this list gave"):
        read_cursor(packed(value), (int, str))


def test_deeply_nested_values_are_refused() -> None:
    nested = base64.urlsafe_b64encode(b"[" * 100_000).decode()
    with pytest.raises(BadQuestion):
        read_cursor(nested, (int,))


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_keeps_its_microseconds(time: datetime) -> None:
    assert read_time(microseconds(time)) == time


@pytest.mark.parametrize("value", [10**18 * 9, -(10**18) * 9, "x", "1e400"])
def test_what_is_no_time_is_refused(value: int | str) -> None:
    with pytest.raises(BadQuestion):
        read_time(value)
