"""Times as people write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.times import parse_since, parse_until
from pipeline.errors import OperatorError

# A Wednesday.
NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("now", NOW, NOW),
        ("30min", NOW - timedelta(minutes=30), NOW - timedelta(minutes=30)),
        (" 2 H ", NOW - timedelta(hours=2), NOW - timedelta(hours=2)),
        ("1.5d", NOW - timedelta(hours=36), NOW - timedelta(hours=36)),
        ("today", datetime(2026, 3, 4, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC)),
        ("Yesterday", datetime(2026, 3, 3, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC)),
        ("wednesday", datetime(2026, 3, 4, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC)),
        ("thursday", datetime(2026, 2, 26, tzinfo=UTC), datetime(2026, 2, 27, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)),
        ("2026-03-01T10:00", *[datetime(2026, 3, 1, 10, tzinfo=UTC)] * 2),
        ("2026-03-01 10:00:30", *[datetime(2026, 3, 1, 10, 0, 30, tzinfo=UTC)] * 2),
        ("2026-03-01T10:00+02:00", *[datetime(2026, 3, 1, 8, tzinfo=UTC)] * 2),
        ("2026-03-01T10:00Z", *[datetime(2026, 3, 1, 10, tzinfo=UTC)] * 2),
    ],
)
def test_forms(text: str, since: datetime, until: datetime) -> None:
    assert parse_since(text, NOW) == since
    assert parse_until(text, NOW) == until


def test_days_are_those_of_utc_wherever_one_is() -> None:
    late = datetime(2026, 3, 4, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert parse_since("today", late) == datetime(2026, 3, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "soon", "2", "-2h", "2026-02-30", "2026-13-01", "9" * 30 + "y", "9999999h1"]
)
def test_what_is_no_time_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(OperatorError, match=r"write an age|there is no day|write hours|too long ago"):
        parse_since(text, NOW)


@given(st.text(max_size=30))
def test_nothing_else_is_raised(text: str) -> None:
    with suppress(OperatorError):
        assert parse_since(text, NOW) <= parse_until(text, NOW)
