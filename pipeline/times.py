"""Times as whole numbers, as tables have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(time: datetime) -> int:
    """Microseconds from 1970 of an aware time; exact, unlike `timestamp()`.

    Raises TypeError for a time without a time zone.
    """
    return (time - _EPOCH) // _MICROSECOND


def from_microseconds(value: int) -> datetime:
    """The time of so many microseconds from 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=value)
