"""A site's `schedule`: what cron would make of it, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.timetable import cron_trigger, interval

SUNDAY = datetime(2026, 3, 1, 0, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "minutes"),
    [("every 30 min", 30), ("every 5m", 5), ("every 2 h", 120), ("every 1 d", 1440), ("*/30 * * * *", None)],
)
def test_an_interval(schedule: str, minutes: int | None) -> None:
    assert interval(schedule) == (None if minutes is None else timedelta(minutes=minutes))


def test_an_interval_of_years_is_refused() -> None:
    assert interval("every 365 d") == timedelta(days=365)
    with pytest.raises(ValueError, match="longer than 365 days"):
        interval("every 366 d")


@pytest.mark.parametrize(
    ("line", "following"),
    [
        ("*/30 * * * *", ["1 00:30", "1 01:00"]),
        ("5 6-7,22 * * *", ["1 06:05", "1 07:05", "1 22:05", "2 06:05"]),
        ("0 0 * * 0", ["8 00:00"]),  # Sunday, as cron counts
        ("0 0 * * 7", ["8 00:00"]),
        ("0 0 * * 1", ["2 00:00"]),
        ("0 0 * * MON-wed", ["2 00:00", "3 00:00", "4 00:00", "9 00:00"]),
        ("0 0 * * 5-7", ["6 00:00", "7 00:00", "8 00:00"]),
        ("0 0 * * fri-sun", ["6 00:00", "7 00:00", "8 00:00"]),
        ("0 0 * * */3", ["4 00:00", "7 00:00", "8 00:00"]),  # Sunday, Wednesday, Saturday
        ("0 0 10 mar,apr *", ["10 00:00"]),
        ("0 0 10 jan-mar/2 *", ["10 00:00"]),
        ("0 0 5 * mon", ["2 00:00", "5 00:00", "9 00:00"]),  # either will do
        ("0 0 */4 * mon", ["9 00:00"]),  # but where one begins with a star, both must hold
    ],
)
def test_a_cron_line_means_what_it_means_to_cron(line: str, following: list[str]) -> None:
    trigger, at, found = cron_trigger(line), SUNDAY, []
    for _ in following:
        at = trigger.get_next_fire_time(at, at + timedelta(seconds=1))
        found.append(f"{at.day} {at:%H:%M}")
    assert found == following


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("0 0 * *", "4 fields, a cron line has five"),
        ("60 * * * *", "60.* higher than the maximum value .59"),
        ("* 24 * * *", "24.* higher than the maximum value .23"),
        ("* * 0 * *", "0.* lower than the minimum value .1"),
        ("* * * 13 *", "13.* higher than the maximum value .12"),
        ("* * * * 8", "weekday '8'"),
        ("* * * * 1-9", "weekday '1-9'"),
        ("* * * * */0", r"weekday '\*/0'"),
        ("*/0 * * * *", "higher than 0"),
        ("*/90 * * * *", "step"),
        ("30-10 * * * *", "minimum"),
        ("5/15 * * * *", "minute '5/15'"),
        ("1,,2 * * * *", "minute ''"),
        ("* * last * *", "day 'last'"),
        ("* * * janfoo *", "month 'janfoo'"),
        ("* * * sun *", "'sun'"),
        ("* * * * mar", "'mar'"),
        ("mon * * * *", "mon"),
        ("9999999999 * * * *", "minute"),
        ("0 0 31 2 *", "never comes"),
    ],
)
def test_a_line_that_cron_would_refuse_is_refused(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        cron_trigger(line)
