"""A site's `schedule`: the same times as in cron, and refused values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crawler.scheduling.triggers import trigger
from crawler.sites.timetable import Cron, Interval, parse_schedule

SUNDAY = datetime(2026, 3, 1, 0, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "minutes"),
    [("every 30 min", 30), ("every 5m", 5), ("every 2 h", 120), ("every 1 d", 1440), ("every 365 d", 525600)],
)
def test_an_interval(schedule: str, minutes: int) -> None:
    assert parse_schedule(schedule) == Interval(timedelta(minutes=minutes))


def test_an_interval_of_years_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 365 days"):
        parse_schedule("every 366 d")


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
        ("0 0 5 * mon", ["2 00:00", "5 00:00", "9 00:00"]),  # one of both is enough
        ("0 0 */4 * mon", ["9 00:00"]),  # if one begins with a star, both must match
    ],
)
def test_a_cron_line_means_what_it_means_to_cron(line: str, following: list[str]) -> None:
    assert [f"{at.day} {at:%H:%M}" for at in _fired(line, SUNDAY, len(following))] == following


@pytest.mark.parametrize(
    ("line", "start", "following"),
    [
        # The clock goes from 02:00 to 03:00 on 29 March: 02:30 comes at 03:30.
        ("30 2 * * *", "2026-03-28T00:00", ["28 01:30", "29 01:30", "30 00:30", "31 00:30"]),
        ("*/30 * * * *", "2026-03-29T01:10", ["29 00:30", "29 01:00", "29 01:30", "29 02:00"]),
        # It goes from 03:00 back to 02:00 on 25 October: 02:30 comes twice.
        ("30 2 * * *", "2026-10-24T00:00", ["24 00:30", "25 00:30", "25 01:30", "26 01:30"]),
        ("*/30 * * * *", "2026-10-25T01:40", ["25 00:00", "25 00:30", "25 01:00", "25 01:30", "25 02:00"]),
    ],
)
@pytest.mark.parametrize("jitter", [0, 50])
def test_a_change_of_the_clock_skips_no_crawl_and_adds_at_most_one(
    line: str, start: str, following: list[str], jitter: int
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    since = datetime.fromisoformat(start).replace(tzinfo=berlin)
    assert [f"{at.day} {at:%H:%M}" for at in _fired(line, since, len(following), jitter)] == following


def _fired(line: str, since: datetime, times: int, jitter: int = 0) -> list[datetime]:
    """The next times in UTC, each computed from a moment after the one before."""
    found: list[datetime] = []
    fires, at = trigger(parse_schedule(line), since.tzinfo or UTC, jitter), since
    while len(found) < times:
        before = found[-1] if found else None
        at = fires.get_next_fire_time(before, at)
        found.append(at.astimezone(UTC))
        at = (found[-1] + timedelta(seconds=1)).astimezone(since.tzinfo)
    return found


def test_a_cron_line_is_written_in_a_form_that_every_cron_reads() -> None:
    found = parse_schedule("*/15  6-18/4 */2 mar-may FRI-mon")
    assert found == Cron(
        minutes=(0, 15, 30, 45),
        hours=(6, 10, 14, 18),
        days=tuple(range(1, 32, 2)),
        months=(3, 4, 5),
        weekdays=(0, 1, 5, 6),
        either=False,
        line="*/15 6-18/4 */2 3,4,5 0,1,5,6",
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("0 0 * *", "4 fields, a cron line has five"),
        ("0 0 * * * *", "6 fields, a cron line has five"),
        ("60 * * * *", "bad minute"),
        ("* 24 * * *", "bad hour"),
        ("* * 0 * *", "bad day-of-month"),
        ("* * * 13 *", "bad month"),
        ("* * * * 8", "bad day-of-week"),
        ("* * * * 1-9", "bad day-of-week"),
        ("* * * * */0", "bad day-of-week"),
        ("*/90 * * * *", r"'\*/90' has a step longer than 59"),
        ("30-10 * * * *", "bad minute"),
        ("5/15 * * * *", "'5/15' is not read alike by every cron"),
        ("* * * * fri-fri/2", "'fri-fri/2' is not read alike by every cron"),
        ("* * * * mon#2", "'mon#2' is not read alike by every cron"),
        ("* * * * 5l", "'5l' is not read alike by every cron"),
        ("* * l * *", "'l' is not read alike by every cron"),
        ("* * lw * *", "'lw' is not read alike by every cron"),
        ("1,,2 * * * *", "bad minute"),
        ("* * last * *", "bad day-of-month"),
        ("* * * janfoo *", "bad month"),
        ("* * * sun *", "bad month"),
        ("* * * * mar", "bad day-of-week"),
        ("mon * * * *", "bad minute"),
        ("٣٠ * * * *", "bad minute"),
        ("9999999999 * * * *", "bad minute"),
        ("0 0 31 2 *", "bad day-of-month"),
        ("0 0 31 2,4,jun */2", "bad day-of-month"),
    ],
)
def test_a_line_that_cron_would_refuse_is_refused(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_schedule(line)


def test_a_day_of_every_fourth_year_or_by_its_weekday_is_accepted() -> None:
    assert isinstance(parse_schedule("0 0 29 2 *"), Cron)
    assert isinstance(parse_schedule("0 0 31 2 mon"), Cron)
