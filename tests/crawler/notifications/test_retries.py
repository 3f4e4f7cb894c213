"""When a notification is tried again."""

from __future__ import annotations

from datetime import timedelta

from crawler.notifications.retries import DELAYS, JITTER, LONGEST_WAIT, next_attempt
from tests.crawler.notifications.outbox import NOW


def test_waits_grow_over_three_days_and_end() -> None:
    waits = []
    for attempts in range(1, len(DELAYS) + 1):
        again = next_attempt(attempts, NOW)
        assert again is not None
        wait = again - NOW
        assert DELAYS[attempts - 1] <= wait <= DELAYS[attempts - 1] * (1 + JITTER)
        waits.append(wait)
    assert waits == sorted(waits)
    assert timedelta(days=3) < sum(DELAYS, timedelta()) < timedelta(days=3.5)
    assert next_attempt(len(DELAYS) + 1, NOW) is None


def test_waits_are_not_the_same_for_all() -> None:
    assert len({next_attempt(5, NOW) for _ in range(20)}) > 10


def test_retry_after_makes_a_wait_longer_within_bounds() -> None:
    assert next_attempt(1, NOW, 120.0) == NOW + timedelta(seconds=120)
    assert next_attempt(1, NOW, 1e300) == NOW + LONGEST_WAIT
    later = next_attempt(4, NOW, 1.0)
    assert later is not None
    assert later >= NOW + DELAYS[3]
    assert next_attempt(len(DELAYS) + 1, NOW, 5.0) is None
