"""When a notification that failed is tried again."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

# The schedule that the Standard Webhooks specification gives as its example, over a bit more than three days.
DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
# As a share of the delay. Receivers that failed together are not all tried again at the same moment.
JITTER = 0.1
# The longest wait that a receiver may ask for by Retry-After.
LONGEST_WAIT = timedelta(hours=24)


def next_attempt(attempts: int, now: datetime, retry_after: float | None = None) -> datetime | None:
    """Return when to try again after so many attempts, all of which failed; None after the last.

    retry_after: seconds that the receiver asked for. It makes the wait longer, never shorter.
    """
    if attempts > len(DELAYS):
        return None
    delay = DELAYS[attempts - 1] * random.uniform(1, 1 + JITTER)
    asked = min(timedelta(seconds=min(retry_after or 0, 1e6)), LONGEST_WAIT)
    return now + max(delay, asked)
