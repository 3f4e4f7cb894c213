"""Times as whole numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipeline.times import from_microseconds, microseconds


def test_times_are_exact_and_in_utc() -> None:
    at = datetime(9998, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=-5)))
    assert from_microseconds(microseconds(at)) == at
    assert from_microseconds(-1) == datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    with pytest.raises(TypeError):
        microseconds(datetime(2026, 1, 1))  # noqa: DTZ001


def test_microseconds_are_exact() -> None:
    time = datetime(2026, 3, 1, 12, 0, 0, 123457, timezone(timedelta(hours=1)))

    assert from_microseconds(microseconds(time)) == time
    assert microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1_000_000
