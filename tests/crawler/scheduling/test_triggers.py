"""Times at which sites are crawled: first times, jitter, back-off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.scheduling.triggers import back_off, first_time, trigger
from crawler.sites.timetable import parse_schedule

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "last", "due"),
    [
        ("every 30 min", None, NOON),
        ("every 30 min", NOON - timedelta(days=30), NOON),
        ("every 30 min", NOON - timedelta(minutes=10), NOON + timedelta(minutes=20)),
        ("every 30 min", NOON + timedelta(days=3), NOON + timedelta(minutes=30)),  # the clock was wrong
        ("0 6 * * *", None, NOON + timedelta(hours=18)),
        ("0 6 * * *", NOON - timedelta(hours=6), NOON + timedelta(hours=18)),
        ("0 6 * * *", NOON - timedelta(hours=7), NOON),
        ("0 6 * * *", NOON - timedelta(days=30), NOON),
    ],
)
def test_overdue_sites_start_soon_and_the_rest_at_their_times(
    schedule: str, last: datetime | None, due: datetime
) -> None:
    assert first_time(parse_schedule(schedule), last, NOON, UTC, 0) == due
    spread = {first_time(parse_schedule(schedule), last, NOON, UTC, 90) for _ in range(50)}
    assert len(spread) > 10
    assert due <= min(spread) <= max(spread) <= due + timedelta(seconds=90)


@pytest.mark.parametrize(("schedule", "most"), [("every 1 min", 6), ("every 1 d", 90), ("0 6 * * *", 90)])
def test_jitter_is_added_and_small_beside_an_interval(schedule: str, most: float) -> None:
    exact = trigger(parse_schedule(schedule), UTC, 0).get_next_fire_time(NOON, NOON)
    late = [
        (trigger(parse_schedule(schedule), UTC, 90).get_next_fire_time(NOON, NOON) - exact).total_seconds()
        for _ in range(50)
    ]
    assert 0 <= min(late) < max(late) <= most


def test_a_site_that_keeps_failing_is_crawled_less_and_less_often() -> None:
    assert [back_off(n) / timedelta(minutes=1) for n in (1, 2, 3, 4, 5, 6, 7, 10_000)] == [
        10, 20, 40, 80, 160, 320, 360, 360,
    ]  # fmt: skip
