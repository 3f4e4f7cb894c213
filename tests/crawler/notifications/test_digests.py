"""When digests go out."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from crawler.notifications.digests import digest_time
from crawler.notifications.ways import Digest


@pytest.fixture
def berlin() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.usefixtures("berlin")
def test_the_next_full_hour_and_the_next_morning() -> None:
    made = datetime(2026, 12, 1, 12, 30, 5, tzinfo=UTC)
    assert digest_time(made, Digest.HOURLY, 7) == at("2026-12-01T13:00:00+00:00")
    assert digest_time(at("2026-12-01T13:00:00+00:00"), Digest.HOURLY, 7) == at("2026-12-01T14:00:00+00:00")
    assert digest_time(made, Digest.DAILY, 7) == at("2026-12-02T07:00:00+01:00")
    assert digest_time(made, Digest.DAILY, 18) == at("2026-12-01T18:00:00+01:00")
    assert digest_time(at("2026-12-02T07:00:00+01:00"), Digest.DAILY, 7) == at("2026-12-03T07:00:00+01:00")


@pytest.mark.usefixtures("berlin")
def test_a_change_of_the_clock_between() -> None:
    assert digest_time(at("2026-03-28T12:00:00+01:00"), Digest.DAILY, 7) == at("2026-03-29T07:00:00+02:00")
    assert digest_time(at("2026-10-24T12:00:00+02:00"), Digest.DAILY, 7) == at("2026-10-25T07:00:00+01:00")
    assert digest_time(at("2026-10-25T02:30:00+02:00"), Digest.HOURLY, 7) == at("2026-10-25T02:00:00+01:00")
